//! WAV files with known samples, and files that lie.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};
use proptest::prelude::*;
use sure_audio::{AudioError, DecodeLimits, Waveform, decode, decode_within, load};

/// Where the canonical 44-byte header of `i16_wav` keeps its fields.
const CHANNELS_AT: usize = 22;
const RATE_AT: usize = 24;
const DATA_LEN_AT: usize = 40;

fn spec(channels: u16, bits_per_sample: u16, sample_format: SampleFormat) -> WavSpec {
    WavSpec { channels, sample_rate: 16_000, bits_per_sample, sample_format }
}

fn i16_wav(path: &Path, channels: u16, samples: &[i16]) {
    let mut writer = WavWriter::create(path, spec(channels, 16, SampleFormat::Int)).unwrap();
    for &sample in samples {
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
}

fn f32_wav(path: &Path, samples: &[f32]) {
    let mut writer = WavWriter::create(path, spec(1, 32, SampleFormat::Float)).unwrap();
    for &sample in samples {
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
}

/// A WAV of 1000 samples, changed by `damage`, and what decoding it fails with.
fn damaged(name: &str, damage: impl FnOnce(&mut Vec<u8>)) -> AudioError {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    i16_wav(&path, 1, &[1000; 1000]);
    let mut bytes = std::fs::read(&path).unwrap();
    damage(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    let error = decode(&path).unwrap_err();
    assert!(error.to_string().contains(name), "{error}");
    error
}

fn temporary(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

#[test]
fn two_channels_become_their_mean() {
    let (_folder, path) = temporary("stereo.wav");
    i16_wav(&path, 2, &[16_384, 0, -32_768, -32_768, 100, -100]);
    assert_eq!(decode(&path).unwrap(), Waveform { samples: vec![0.25, -1.0, 0.0], rate_hz: 16_000 });
}

#[test]
fn every_integer_width_is_scaled_to_one() {
    for bits in [8, 16, 24, 32] {
        let (_folder, path) = temporary("width.wav");
        let mut writer = WavWriter::create(&path, spec(1, bits, SampleFormat::Int)).unwrap();
        let full = 1_i64 << (bits - 1);
        for sample in [-full, -full / 2, 0, full / 2] {
            writer.write_sample(sample as i32).unwrap();
        }
        writer.finalize().unwrap();
        assert_eq!(decode(&path).unwrap().samples, [-1.0, -0.5, 0.0, 0.5], "{bits} bits");
    }
}

#[test]
fn a_cut_file_is_named_with_both_counts() {
    let error = damaged("cut.wav", |bytes| bytes.truncate(44 + 2 * 700));
    assert!(matches!(error, AudioError::Truncated { expected: 1000, found: 700, .. }), "{error:?}");
    assert!(error.to_string().contains("1000") && error.to_string().contains("700"), "{error}");
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for len in (0..60).chain([1043, 1044, 1045, 2043]) {
        damaged("cut.wav", |bytes| bytes.truncate(len));
    }
}

#[test]
fn a_data_length_of_all_ones_is_refused() {
    let error = damaged("lying.wav", |bytes| bytes[DATA_LEN_AT..DATA_LEN_AT + 4].fill(0xff));
    assert!(
        matches!(
            error,
            AudioError::UnknownLength { .. } | AudioError::Corrupt { .. } | AudioError::Truncated { .. }
        ),
        "{error:?}"
    );
    // Tools that write to a pipe leave both lengths like this.
    let error = damaged("piped.wav", |bytes| {
        bytes[4..8].fill(0xff);
        bytes[DATA_LEN_AT..DATA_LEN_AT + 4].fill(0xff);
    });
    assert!(matches!(error, AudioError::UnknownLength { .. }), "{error:?}");
}

#[test]
fn a_data_length_of_gigabytes_is_refused_without_reserving_them() {
    let error = damaged("huge.wav", |bytes| {
        bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        bytes[DATA_LEN_AT..DATA_LEN_AT + 4].copy_from_slice(&600_000_000_u32.to_le_bytes());
    });
    assert!(matches!(error, AudioError::Truncated { expected: 300_000_000, found: 1000, .. }), "{error:?}");
}

#[test]
fn zero_hertz_is_refused() {
    let error = damaged("still.wav", |bytes| bytes[RATE_AT..RATE_AT + 4].fill(0));
    assert!(matches!(error, AudioError::SampleRate { rate_hz: 0, .. }), "{error:?}");
}

#[test]
fn zero_channels_are_refused() {
    let error = damaged("none.wav", |bytes| bytes[CHANNELS_AT..CHANNELS_AT + 2].fill(0));
    assert!(matches!(error, AudioError::NoTrack { .. } | AudioError::Corrupt { .. }), "{error:?}");
}

#[test]
fn zero_samples_are_refused() {
    let (_folder, path) = temporary("silent.wav");
    i16_wav(&path, 1, &[]);
    let error = decode(&path).unwrap_err();
    assert!(matches!(error, AudioError::Empty { .. }), "{error:?}");
}

#[test]
fn empty_files_and_texts_and_folders_and_nothing_are_refused() {
    let error = damaged("empty.wav", Vec::clear);
    assert!(matches!(error, AudioError::Unsupported { .. } | AudioError::Corrupt { .. }), "{error:?}");
    let error = damaged("text.wav", |bytes| *bytes = b"This is not audio.\n".repeat(100));
    assert!(matches!(error, AudioError::Unsupported { .. }), "{error:?}");

    let (folder, path) = temporary("missing.wav");
    assert!(matches!(decode(&path).unwrap_err(), AudioError::Open { .. }));
    assert!(matches!(decode(folder.path()).unwrap_err(), AudioError::Open { .. }));
}

#[test]
fn samples_that_are_not_finite_are_refused() {
    for bad in [f32::NAN, f32::INFINITY] {
        let (_folder, path) = temporary("nan.wav");
        f32_wav(&path, &[0.0, 0.5, bad, 0.0]);
        let error = decode(&path).unwrap_err();
        assert!(matches!(error, AudioError::NonFinite { frame: 2, .. }), "{error:?}");
        assert!(error.to_string().contains("nan.wav"), "{error}");
    }
}

#[test]
fn a_limit_holds_by_the_header() {
    let (_folder, path) = temporary("long.wav");
    i16_wav(&path, 1, &vec![0; 16_000]);
    assert!(decode_within(&path, DecodeLimits { max_seconds: 1.0 }).is_ok());
    let error = decode_within(&path, DecodeLimits { max_seconds: 0.5 }).unwrap_err();
    assert!(matches!(error, AudioError::TooLong { .. }), "{error:?}");
}

#[test]
fn loading_at_the_own_rate_changes_nothing() {
    let (_folder, path) = temporary("own.wav");
    f32_wav(&path, &[0.1, -0.2, 0.3]);
    assert_eq!(load(&path, 16_000).unwrap().samples, [0.1, -0.2, 0.3]);
    assert_eq!(load(&path, 32_000).unwrap().samples.len(), 6);
    assert!(matches!(load(&path, 0).unwrap_err(), AudioError::ResampleRate { to_hz: 0, .. }));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn samples_come_back_as_they_were_written(samples in prop::collection::vec(any::<i16>(), 1..5000)) {
        let (_folder, path) = temporary("known.wav");
        i16_wav(&path, 1, &samples);
        let expected: Vec<f32> = samples.iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
        prop_assert_eq!(decode(&path).unwrap().samples, expected);
    }

    #[test]
    fn random_bytes_never_panic(
        head in prop::sample::select(vec![&b""[..], b"RIFF", b"RIFF\xff\xff\x00\x00WAVEfmt \x10\x00\x00\x00", b"fLaC\x00\x00\x00\x22"]),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let (_folder, path) = temporary("random");
        std::fs::write(&path, [head, &bytes].concat()).unwrap();
        if let Err(error) = decode(&path) {
            prop_assert!(error.to_string().contains("random"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_never_panic(
        fixture in prop::sample::select(vec!["mono-16.flac", "stereo-24.flac", "wav"]),
        hits in prop::collection::vec((prop_oneof![0..64_usize, 0..4000_usize], any::<u8>()), 1..6),
    ) {
        let (_folder, path) = temporary("damaged");
        let mut bytes = if fixture == "wav" {
            i16_wav(&path, 2, &[77; 600]);
            std::fs::read(&path).unwrap()
        } else {
            std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(fixture)).unwrap()
        };
        for (place, value) in hits {
            let len = bytes.len();
            bytes[place % len] = value;
        }
        std::fs::write(&path, bytes).unwrap();
        if let Err(error) = decode(&path) {
            prop_assert!(error.to_string().contains("damaged"));
        }
    }
}
