//! FLAC files against what libsndfile decodes, and damaged FLAC files.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use sure_audio::{AudioError, decode, load};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn damaged(name: &str, damage: impl FnOnce(&mut Vec<u8>)) -> (tempfile::TempDir, AudioError) {
    let mut bytes = std::fs::read(data(name)).unwrap();
    damage(&mut bytes);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let error = decode(&path).unwrap_err();
    assert!(error.to_string().contains(name), "{error}");
    (folder, error)
}

#[test]
fn samples_equal_those_of_libsndfile() {
    let bytes = std::fs::read(data("flac.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    for name in ["mono-16", "stereo-16", "stereo-24"] {
        let waveform = decode(&data(&format!("{name}.flac"))).unwrap();
        assert_eq!(waveform.rate_hz, 22_050);
        let view = expected.tensor(name).unwrap();
        let expected: Vec<f32> =
            view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        assert_eq!(waveform.samples.len(), expected.len());
        // The mean of two 24-bit samples needs one bit more than an f32 has.
        let difference = waveform
            .samples
            .iter()
            .zip(&expected)
            .map(|(ours, theirs)| (ours - theirs).abs())
            .fold(0.0, f32::max);
        assert!(difference <= 1.2e-7, "{name}: {difference}");
    }
}

#[test]
fn loading_brings_a_file_to_the_wanted_rate() {
    let waveform = load(&data("stereo-24.flac"), 16_000).unwrap();
    assert_eq!(waveform.rate_hz, 16_000);
    assert_eq!(waveform.samples.len(), (1500 * 16_000_usize).div_ceil(22_050));
}

#[test]
fn the_content_decides_and_not_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("really-flac.wav");
    std::fs::copy(data("mono-16.flac"), &path).unwrap();
    assert_eq!(decode(&path).unwrap().samples.len(), 1500);
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let whole = std::fs::read(data("stereo-16.flac")).unwrap().len();
    for len in (0..whole).step_by(7).chain(whole - 20..whole) {
        damaged("stereo-16.flac", |bytes| bytes.truncate(len));
    }
}

#[test]
fn a_header_that_promises_more_samples_is_named_with_both_counts() {
    // The low 32 bits of the number of samples stand at byte 22 of the file.
    let (_folder, error) =
        damaged("mono-16.flac", |bytes| bytes[22..26].copy_from_slice(&9000_u32.to_be_bytes()));
    assert!(matches!(error, AudioError::Truncated { expected: 9000, found: 1500, .. }), "{error:?}");
}

#[test]
fn a_changed_sample_fails_the_checksum() {
    let (_folder, error) = damaged("mono-16.flac", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
    });
    assert!(matches!(error, AudioError::Corrupt { .. } | AudioError::Truncated { .. }), "{error:?}");
}

#[test]
fn an_open_length_is_refused() {
    let (_folder, error) = damaged("mono-16.flac", |bytes| bytes[22..26].fill(0));
    assert!(matches!(error, AudioError::UnknownLength { .. }), "{error:?}");
}
