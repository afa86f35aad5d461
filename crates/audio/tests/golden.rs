//! Log-mel matrices against the references in `tests/golden/log-mel` and `tests/golden/hifigan-mel`.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use ndarray::{Array2, s};
use safetensors::SafeTensors;
use sure_audio::{LogMel, MelConfig, MelPadding, VocoderMel, VocoderMelConfig};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/log-mel/log-mel.safetensors");
const HIFI_GAN: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/hifigan-mel/hifigan-mel.safetensors");
const TOLERANCE: f32 = 1e-4;

fn tensor(file: &SafeTensors<'_>, name: &str) -> (Vec<usize>, Vec<f32>) {
    let view = file.tensor(name).unwrap();
    let values = view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    (view.shape().to_vec(), values)
}

fn matrix(file: &SafeTensors<'_>, name: &str) -> Array2<f32> {
    let (shape, values) = tensor(file, name);
    Array2::from_shape_vec((shape[0], shape[1]), values).unwrap()
}

/// 31 s of the pattern that the generator makes too.
fn pattern() -> Vec<f32> {
    (0..31_i64 * 16_000).map(|i| ((i * i * 7 + i * 13) % 2001 - 1000) as f32 / 2048.0).collect()
}

fn samples(file: &SafeTensors<'_>, clip: &str) -> Vec<f32> {
    if clip == "long" { pattern() } else { tensor(file, &format!("{clip}.samples")).1 }
}

fn largest_difference(left: &Array2<f32>, right: &Array2<f32>) -> f32 {
    assert_eq!(left.dim(), right.dim());
    left.iter().zip(right).map(|(left, right)| (left - right).abs()).fold(0.0, f32::max)
}

#[test]
fn thirty_second_matrices_equal_the_reference() {
    let bytes = std::fs::read(GOLDEN).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for clip in ["ragged", "short", "long"] {
        for mels in [80, 128] {
            let mel = LogMel::new(MelConfig::whisper(mels))
                .compute(&samples(&file, clip), MelPadding::ThirtySeconds)
                .unwrap();
            assert_eq!(mel.data.dim(), (mels, 3000));
            let head = matrix(&file, &format!("{clip}.{mels}.head"));
            let tail = matrix(&file, &format!("{clip}.{mels}.tail"));
            let ours = mel.data.slice(s![.., ..head.ncols()]).to_owned();
            let difference = largest_difference(&ours, &head);
            assert!(difference < TOLERANCE, "{clip}, {mels} mels, head: {difference}");
            let ours = mel.data.slice(s![.., 3000 - tail.ncols()..]).to_owned();
            let difference = largest_difference(&ours, &tail);
            assert!(difference < TOLERANCE, "{clip}, {mels} mels, tail: {difference}");
        }
    }
}

#[test]
fn matrices_of_the_real_frames_equal_the_first_frames_of_the_reference() {
    let bytes = std::fs::read(GOLDEN).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for (clip, frames) in [("ragged", 131), ("short", 1)] {
        for mels in [80, 128] {
            let mel = LogMel::new(MelConfig::whisper(mels))
                .compute(&samples(&file, clip), MelPadding::Real)
                .unwrap();
            assert_eq!(mel.data.dim(), (mels, frames));
            let head = matrix(&file, &format!("{clip}.{mels}.head")).slice(s![.., ..frames]).to_owned();
            let difference = largest_difference(&mel.data, &head);
            assert!(difference < TOLERANCE, "{clip}, {mels} mels: {difference}");
        }
    }
}

#[test]
fn vocoder_matrices_equal_the_reference() {
    let bytes = std::fs::read(HIFI_GAN).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let config = VocoderMelConfig::hifi_gan();
    for clip in ["ragged", "short", "gap"] {
        let (_, samples) = tensor(&file, &format!("{clip}.samples"));
        for (band, config) in [("8000", config), ("nyquist", config.up_to_nyquist())] {
            let mel = VocoderMel::new(config).compute(&samples).unwrap();
            let difference = largest_difference(&mel.data, &matrix(&file, &format!("{clip}.{band}")));
            assert!(difference < TOLERANCE, "{clip}, up to {band}: {difference}");
        }
    }
}
