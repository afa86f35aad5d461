//! WAV files that were written, read again.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::path::Path;

use proptest::prelude::*;
use sure_audio::{AudioError, WavFormat, Waveform, decode, write_wav};

const FORMATS: [WavFormat; 2] = [WavFormat::Pcm16, WavFormat::Float32];

fn wave(samples: Vec<f32>) -> Waveform {
    Waveform { samples, rate_hz: 22_050 }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn round_trip(wave: &Waveform, format: WavFormat) -> Waveform {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.wav");
    write_wav(&path, wave, format).unwrap();
    assert_eq!(names(folder.path()), ["clip.wav"]);
    decode(&path).unwrap()
}

#[test]
fn sixteen_bits_are_rounded_to_the_nearest_and_clamped() {
    let step = 1.0 / 32_768.0;
    let input = vec![0.0, 0.4 * step, 0.6 * step, -0.6 * step, 1.0, 7.0, -1.0, -7.0, 32_767.4 * step];
    let expected = [0.0, 0.0, step, -step, 1.0 - step, 1.0 - step, -1.0, -1.0, 1.0 - step];
    assert_eq!(round_trip(&wave(input), WavFormat::Pcm16), wave(expected.to_vec()));
}

#[test]
fn floats_come_back_to_the_bit() {
    let input =
        vec![0.0, -0.0, 0.1, -1.0, 1.0, 3.5, f32::MIN_POSITIVE, f32::from_bits(1), f32::MAX, f32::MIN];
    let output = round_trip(&wave(input.clone()), WavFormat::Float32);
    let bits = |samples: &[f32]| samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&output.samples), bits(&input));
    assert_eq!(output.rate_hz, 22_050);
}

#[test]
fn what_cannot_be_written_is_refused_and_leaves_the_old_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.wav");
    write_wav(&path, &wave(vec![0.5]), WavFormat::Float32).unwrap();
    for format in FORMATS {
        let error = write_wav(&path, &wave(vec![]), format).unwrap_err();
        assert!(matches!(error, AudioError::NothingToWrite { .. }), "{error:?}");
        assert!(error.to_string().contains("clip.wav"), "{error}");
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = write_wav(&path, &wave(vec![0.0, bad]), format).unwrap_err();
            assert!(matches!(error, AudioError::NonFiniteToWrite { index: 1, .. }), "{error:?}");
            assert!(error.to_string().contains("clip.wav"), "{error}");
        }
        for rate_hz in [0, 99, 768_001, u32::MAX] {
            let error = write_wav(&path, &Waveform { samples: vec![0.0], rate_hz }, format).unwrap_err();
            assert!(matches!(error, AudioError::WriteRate { .. }), "{error:?}");
        }
    }
    assert_eq!(names(folder.path()), ["clip.wav"]);
    assert_eq!(decode(&path).unwrap().samples, [0.5]);
}

#[test]
fn a_file_takes_the_place_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.wav");
    write_wav(&path, &wave(vec![0.5; 100]), WavFormat::Float32).unwrap();
    write_wav(&path, &wave(vec![0.25]), WavFormat::Pcm16).unwrap();
    assert_eq!(decode(&path).unwrap().samples, [0.25]);
}

#[test]
fn a_failed_write_leaves_no_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    // A folder under the wanted name: the rename fails, after everything was written.
    std::fs::create_dir(folder.path().join("clip.wav")).unwrap();
    let error = write_wav(&folder.path().join("clip.wav"), &wave(vec![0.5]), WavFormat::Pcm16).unwrap_err();
    assert!(matches!(error, AudioError::Write { .. }), "{error:?}");
    assert_eq!(names(folder.path()), ["clip.wav"]);

    for path in [folder.path().join("missing/clip.wav"), "/".into()] {
        let error = write_wav(&path, &wave(vec![0.5]), WavFormat::Pcm16).unwrap_err();
        assert!(matches!(error, AudioError::Write { .. }), "{error:?}");
    }
}

#[test]
fn writers_of_one_name_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.wav");
    std::thread::scope(|scope| {
        for writer in 1..=8_u8 {
            let path = &path;
            scope.spawn(move || {
                let level = f32::from(writer) / 16.0;
                write_wav(path, &wave(vec![level; 20_000]), WavFormat::Float32).unwrap();
            });
        }
    });
    let samples = decode(&path).unwrap().samples;
    assert_eq!(samples, vec![samples[0]; 20_000]);
    assert_eq!(names(folder.path()), ["clip.wav"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_within_half_a_step(
        samples in prop::collection::vec(-1.0..0.99996_f32, 1..3000),
        rate_hz in 100..=768_000_u32,
    ) {
        let input = Waveform { samples, rate_hz };
        prop_assert_eq!(&round_trip(&input, WavFormat::Float32), &input);
        let output = round_trip(&input, WavFormat::Pcm16);
        prop_assert_eq!((output.rate_hz, output.samples.len()), (rate_hz, input.samples.len()));
        for (read, written) in output.samples.iter().zip(&input.samples) {
            prop_assert!((read - written).abs() <= 0.5 / 32_768.0, "{} for {}", read, written);
        }
    }
}
