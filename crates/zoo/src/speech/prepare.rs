//! From samples to the input: brought to mean 0 and variance 1 where the checkpoint's preprocessor says so.

use sure_nn::{NnError, Prepare, Prepared};

/// Added to the variance, as `Wav2Vec2FeatureExtractor` does.
pub(super) const NORMALISE_EPS: f64 = 1e-7;

/// Makes clips ready.
#[derive(Debug)]
pub(super) struct Preparer {
    /// Whether each clip is normalised over its own samples.
    pub(super) normalise: bool,
    /// Fewest samples that give a frame.
    pub(super) shortest: usize,
    /// The sample rate in Hz, for messages.
    pub(super) rate_hz: u32,
}

impl Prepare for Preparer {
    fn prepare(&self, samples: &[f32]) -> Result<Prepared, NnError> {
        if samples.len() < self.shortest {
            let ms = |samples: usize| 1e3 * samples as f64 / f64::from(self.rate_hz);
            let reason = format!(
                "it lasts {:.1} ms, and a frame of this backbone needs {:.1} ms",
                ms(samples.len()),
                ms(self.shortest)
            );
            return Err(NnError::BadInput { reason });
        }
        let data = if self.normalise { normalised(samples) } else { samples.to_vec() };
        Ok(Prepared { length: data.len(), data, channels: 1 })
    }
}

/// Mean 0 and (population) variance 1.
fn normalised(samples: &[f32]) -> Vec<f32> {
    let count = samples.len() as f64;
    let mean = samples.iter().map(|&sample| f64::from(sample)).sum::<f64>() / count;
    let variance = samples.iter().map(|&sample| (f64::from(sample) - mean).powi(2)).sum::<f64>() / count;
    let scale = 1.0 / (variance + NORMALISE_EPS).sqrt();
    samples.iter().map(|&sample| ((f64::from(sample) - mean) * scale) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_too_short_for_a_frame_says_what_is_needed() {
        let preparer = Preparer { normalise: true, shortest: 400, rate_hz: 16_000 };
        let error = preparer.prepare(&[0.1; 399]).unwrap_err().to_string();
        assert!(error.contains("25.0 ms"), "{error}");
        assert!(preparer.prepare(&[0.1; 400]).is_ok());
    }

    #[test]
    fn silence_stays_finite() {
        assert!(normalised(&[0.25; 500]).iter().all(|&sample| sample == 0.0));
    }
}
