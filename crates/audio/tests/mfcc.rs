//! Cepstral coefficients against the reference in `tests/golden/mfcc`.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use safetensors::SafeTensors;
use sure_audio::{AudioError, MFCC_WIDTH, Mfcc};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/mfcc/mfcc.safetensors");
/// Cepstra reach to about 100.
const TOLERANCE: f32 = 2e-3;

fn values(file: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    let view = file.tensor(name).unwrap();
    view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[test]
fn coefficients_and_differences_equal_the_reference_inside_and_around_the_samples() {
    let bytes = std::fs::read(GOLDEN).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let samples = values(&file, "samples");
    for (name, first) in [("inside", 0), ("around", -500)] {
        let theirs = values(&file, name);
        let ours = Mfcc::new(16_000, 320).compute(&samples, first, theirs.len() / MFCC_WIDTH).unwrap();
        let pairs = ours.as_flattened().iter().zip(&theirs);
        let difference = pairs.map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f32::max);
        assert!(difference < TOLERANCE, "{name}: {difference}");
    }
}

#[test]
fn samples_that_are_not_numbers_are_refused() {
    let mfcc = Mfcc::new(16_000, 320);
    assert!(matches!(mfcc.compute(&[], 0, 1), Err(AudioError::NoSamples)));
    assert!(matches!(mfcc.compute(&[0.0, f32::NAN], 0, 1), Err(AudioError::NonFiniteSample { index: 1 })));
}
