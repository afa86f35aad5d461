//! MP3, Ogg, AIFF and the wider kinds of WAV against what other decoders read, see `fixtures/README.md`.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::path::{Path, PathBuf};

use sure_audio::{AudioError, decode};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

fn decode_bytes(name: &str, bytes: &[u8]) -> Result<Vec<f32>, AudioError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    decode(&path).map(|waveform| waveform.samples)
}

fn largest_difference(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(left, right)| (left - right).abs()).fold(0.0, f32::max)
}

#[test]
fn lossy_files_are_decoded_as_by_others_and_to_the_sample_as_long() {
    // oggdec rounds to 16 bits.
    for (name, tolerance) in
        [("tagged.mp3", 1e-5), ("stereo-id3v2.mp3", 1e-5), ("mono.ogg", 4e-5), ("stereo.ogg", 4e-5)]
    {
        let reference = bytes(&format!("{name}.f32"));
        let reference: Vec<f32> =
            reference.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let waveform = decode(&fixture(name)).unwrap();
        assert_eq!((waveform.rate_hz, waveform.samples.len()), (16_000, 3200), "{name}");
        let difference = largest_difference(&waveform.samples, &reference);
        assert!(difference < tolerance, "{name}: {difference}");
    }
}

#[test]
fn an_mp3_without_a_length_is_read_to_its_end() {
    let untagged = decode(&fixture("untagged-id3v1.mp3")).unwrap().samples;
    let tagged = decode(&fixture("tagged.mp3")).unwrap().samples;
    // Whole frames of 576 samples; nobody says where in them the sound begins: 576 + 529 samples late.
    assert_eq!(untagged.len() % 576, 0);
    assert!(largest_difference(&untagged[1105..1105 + 3200], &tagged) < 1e-6);
}

#[test]
fn flac_in_ogg_is_the_sound_that_went_in() {
    let samples = decode(&fixture("flac.oga")).unwrap().samples;
    assert_eq!(samples.len(), 3200);
    assert_eq!(samples[..500], decode(&fixture("short.wav")).unwrap().samples);
}

#[test]
fn every_width_of_aiff_and_wav_is_the_same_sound() {
    let expected = decode(&fixture("short.wav")).unwrap();
    for name in [
        "pcm-16.aiff",
        "pcm-24.aiff",
        "pcm-32.aiff",
        "pcm-16.aifc",
        "sowt.aifc",
        "float-32.aifc",
        "float-64.wav",
    ] {
        assert_eq!(decode(&fixture(name)).unwrap(), expected, "{name}");
    }
    // sox adds dither of one step.
    let coarse = decode(&fixture("pcm-8.aiff")).unwrap().samples;
    assert!(largest_difference(&coarse, &expected.samples) <= 2.0 / 128.0);
}

#[test]
fn tags_before_and_after_the_sound_change_nothing() {
    let plain = decode(&fixture("tagged.mp3")).unwrap().samples;
    // An ID3v2 tag of 200 bytes with a footer, and one of none; an APE tag of a footer alone, and ID3v1.
    let before = [b"ID3\x04\x00\x10\x00\x00\x01\x48".as_slice(), &[7; 210], b"ID3\x04\0\0\0\0\0\0"].concat();
    let mut footer = b"APETAGEX\xd0\x07\0\0\x20\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    footer.resize(32, 0);
    let after = [footer, b"TAG".to_vec(), vec![b' '; 125]].concat();
    let between = bytes("tagged.mp3");
    assert_eq!(decode_bytes("tags.mp3", &[&before[..], &between, &after].concat()).unwrap(), plain);

    let untagged = bytes("untagged-id3v1.mp3");
    let (sound, id3v1) = untagged.split_at(untagged.len() - 128);
    assert!(id3v1.starts_with(b"TAG"));
    let with_ape = [sound, &after].concat();
    assert_eq!(
        decode_bytes("ape.mp3", &with_ape).unwrap(),
        decode(&fixture("untagged-id3v1.mp3")).unwrap().samples
    );
}

#[test]
fn two_mp3_files_in_one_are_refused_and_not_cut_to_the_first() {
    let one = bytes("tagged.mp3");
    let error = decode_bytes("twice.mp3", &[&one[..], &one].concat()).unwrap_err();
    assert!(matches!(error, AudioError::Corrupt { .. }), "{error:?}");
    let one = bytes("mono.ogg");
    let error = decode_bytes("twice.ogg", &[&one[..], &one].concat()).unwrap_err();
    assert!(matches!(error, AudioError::Unsupported { .. }), "{error:?}");
}

#[test]
fn a_lossy_file_cut_anywhere_is_refused() {
    for name in ["tagged.mp3", "mono.ogg", "flac.oga", "pcm-16.aiff", "float-64.wav"] {
        let whole = bytes(name);
        for len in (0..whole.len()).step_by(61).chain(whole.len() - 20..whole.len()) {
            let error = decode_bytes(name, &whole[..len]).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
    // Without a tag a cut shows only where it is inside a frame, here of 216 bytes.
    let whole = bytes("untagged-id3v1.mp3");
    for len in (217..whole.len() - 128).filter(|len| len % 216 != 0).step_by(17) {
        let error = decode_bytes("untagged.mp3", &whole[..len]).unwrap_err();
        assert!(matches!(error, AudioError::Corrupt { .. }), "{error:?}");
    }
}

#[test]
fn other_kinds_are_named() {
    for (head, name) in [
        (b"RIFX\0\0\x10\0WAVEfmt ".as_slice(), "RIFX"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "MP4"),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\0\0", "Matroska"),
        (b"\xff\xf1\x50\x80\0\0\0\0", "ff, f1"),
    ] {
        let error = decode_bytes("foreign.mp3", head).unwrap_err();
        assert!(matches!(error, AudioError::Unsupported { .. }), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
        assert!(error.to_string().contains("MP3 or Ogg Vorbis"), "{error}");
    }
    let error = decode(&fixture("opus.ogg")).unwrap_err();
    assert!(matches!(error, AudioError::Unsupported { .. }), "{error:?}");
}
