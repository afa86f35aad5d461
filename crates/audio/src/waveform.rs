//! Mono samples with their rate.

use std::path::Path;

use crate::{AudioError, decode, resample};

/// One channel of sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    /// `[samples]`, full scale is -1..1.
    pub samples: Vec<f32>,
    /// Samples a second.
    pub rate_hz: u32,
}

impl Waveform {
    /// The duration in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate_hz)
    }

    /// The same sound at another rate, see [`resample`].
    ///
    /// # Errors
    ///
    /// When one of the rates is outside 100..=768000 Hz.
    pub fn resample(&self, rate_hz: u32) -> Result<Self, AudioError> {
        Ok(Self { samples: resample(&self.samples, self.rate_hz, rate_hz)?, rate_hz })
    }
}

/// Reads an audio file, see [`decode`], and brings it to `rate_hz` where its own rate differs.
///
/// # Errors
///
/// As [`decode`], and when `rate_hz` is outside 100..=768000.
pub fn load(path: &Path, rate_hz: u32) -> Result<Waveform, AudioError> {
    let native = decode(path)?;
    if native.rate_hz == rate_hz { Ok(native) } else { native.resample(rate_hz) }
}
