//! Recordings: any bytes give an error or sound samples.

use std::{fs, path::Path};

use sure_audio::{DecodeLimits, decode_within};

/// Longest recording, in seconds.
const SECONDS: f64 = 60.0;

/// Decodes bytes; `folder` is there and the caller's.
pub fn audio(bytes: &[u8], folder: &Path) {
    let path = folder.join("sound");
    fs::write(&path, bytes).expect("the folder can be written");
    if let Ok(wave) = decode_within(&path, DecodeLimits { max_seconds: SECONDS }) {
        assert!(!wave.samples.is_empty(), "a waveform has samples");
        assert!(wave.samples.iter().all(|sample| sample.is_finite()), "samples are finite");
        assert!(wave.seconds() <= SECONDS + 0.001, "the limit holds");
    }
}
