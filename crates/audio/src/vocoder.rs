//! The log-mel matrix that neural vocoders take: Tacotron 2 (Shen et al. 2018, <https://arxiv.org/abs/1712.05884>,
//! section 2.1), HiFi-GAN (Kong et al. 2020, <https://arxiv.org/abs/2010.05646>).
//!
//! Same values as `mel_spectrogram` of `meldataset.py` in HiFi-GAN's code; inside, all is computed in `f64`.

use crate::filters::MelFilters;
use crate::stft::{Clip, MelSpectra, check_samples};
use crate::{AudioError, Mel};

/// Added to the power of each bin before its root is taken.
const POWER_FLOOR: f64 = 1e-9;
/// Sums of magnitudes below this count as this.
const MAGNITUDE_FLOOR: f64 = 1e-5;

/// The shape of a vocoder's log-mel matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VocoderMelConfig {
    /// Mel bands.
    pub n_mels: usize,
    /// Samples a window, also the length of the Fourier transform.
    pub n_fft: usize,
    /// Samples from frame to frame.
    pub hop: usize,
    /// Sample rate of the input.
    pub rate_hz: u32,
    /// Where the lowest band starts, in Hz.
    pub fmin_hz: f64,
    /// Where the highest band ends, in Hz; at most half of `rate_hz`.
    pub fmax_hz: f64,
}

impl VocoderMelConfig {
    /// HiFi-GAN's V1 to V3, and Tacotron 2: 80 bands up to 8 kHz, 46 ms windows each 12 ms at 22.05 kHz.
    pub fn hifi_gan() -> Self {
        Self { n_mels: 80, n_fft: 1024, hop: 256, rate_hz: 22_050, fmin_hz: 0.0, fmax_hz: 8000.0 }
    }

    /// The same with bands up to half of the rate, as in HiFi-GAN's mel loss.
    pub fn up_to_nyquist(self) -> Self {
        Self { fmax_hz: f64::from(self.rate_hz) / 2.0, ..self }
    }

    fn is_sound(&self) -> bool {
        (1..=self.n_fft).contains(&self.hop)
            && self.rate_hz > 0
            && 0.0 <= self.fmin_hz
            && self.fmin_hz < self.fmax_hz
            && self.fmax_hz <= f64::from(self.rate_hz) / 2.0
    }
}

/// Computes log-mel matrices for vocoders: natural logarithms of magnitudes, where Whisper's [`LogMel`](crate::LogMel)
/// has decimal ones of energies. It can be shared between threads.
pub struct VocoderMel {
    config: VocoderMelConfig,
    spectra: MelSpectra,
}

impl std::fmt::Debug for VocoderMel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VocoderMel").field("config", &self.config).finish_non_exhaustive()
    }
}

impl VocoderMel {
    /// Prepares for matrices of this shape.
    ///
    /// # Panics
    ///
    /// When `rate_hz` is zero, `hop` is not in `1..=n_fft`, or `fmin_hz..fmax_hz` is no part of `0..rate_hz / 2`.
    pub fn new(config: VocoderMelConfig) -> Self {
        assert!(config.is_sound(), "a vocoder front end that contradicts itself: {config:?}");
        let VocoderMelConfig { n_mels, n_fft, hop, rate_hz, fmin_hz, fmax_hz } = config;
        let filters = MelFilters::slaney(n_mels, n_fft, rate_hz, fmin_hz..fmax_hz);
        Self { config, spectra: MelSpectra::new(n_fft, hop, filters) }
    }

    /// The shape that this was made for.
    pub fn config(&self) -> VocoderMelConfig {
        self.config
    }

    /// The log-mel matrix of `samples` (`[samples]`, at the rate of the config): `[mels, samples / hop]`. At both ends
    /// the samples are mirrored, over `(n_fft - hop) / 2` of them.
    ///
    /// # Errors
    ///
    /// When the samples are too few to be mirrored and to fill a frame (for [`VocoderMelConfig::hifi_gan`] fewer than
    /// 385), or when one of them is not finite.
    pub fn compute(&self, samples: &[f32]) -> Result<Mel, AudioError> {
        check_samples(samples)?;
        let VocoderMelConfig { n_fft, hop, .. } = self.config;
        let margin = (n_fft - hop) / 2;
        let least = (margin + 1).max(n_fft - 2 * margin);
        if samples.len() < least {
            return Err(AudioError::TooFewSamples { samples: samples.len(), least });
        }
        let frames = (samples.len() + 2 * margin - n_fft) / hop + 1;
        let mut data = self.spectra.matrix(frames, 0.0);
        let clip = Clip { samples, end: Some(samples.len()) };
        self.spectra.fill(
            &mut data,
            &clip,
            -(margin as isize),
            |bin| (bin.norm_sqr() + POWER_FLOOR).sqrt(),
            |magnitude| magnitude.max(MAGNITUDE_FLOOR).ln() as f32,
        );
        Ok(Mel { data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn front_end() -> VocoderMel {
        VocoderMel::new(VocoderMelConfig::hifi_gan())
    }

    #[test]
    fn one_front_end_serves_many_threads() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&front_end());
    }

    #[test]
    fn a_frame_is_made_of_each_whole_hop() {
        for (samples, frames) in [(385, 1), (511, 1), (512, 2), (1024, 4), (22_050, 86)] {
            assert_eq!(front_end().compute(&vec![0.1; samples]).unwrap().data.dim(), (80, frames));
        }
    }

    #[test]
    fn silence_is_the_floor_of_each_band() {
        let data = front_end().compute(&[0.0; 4096]).unwrap().data;
        // The root of 1e-9 a bin, times the weights of a band, which are smaller than the floor where bands are wide.
        assert!(data.iter().all(|&value| value >= (MAGNITUDE_FLOOR.ln()) as f32), "{data}");
        assert_eq!(data[[79, 0]], data[[79, 15]]);
    }

    #[test]
    fn a_tone_above_the_highest_band_is_heard_only_up_to_nyquist() {
        let tone: Vec<f32> = (0..8192).map(|n| (f64::from(n) * 2.75).sin() as f32).collect();
        let loudest = |config| {
            let data = VocoderMel::new(config).compute(&tone).unwrap().data;
            data.column(10).iter().copied().fold(f32::MIN, f32::max)
        };
        // 2.75 radians a sample are 9651 Hz.
        assert!(loudest(VocoderMelConfig::hifi_gan()) < -5.0);
        assert!(loudest(VocoderMelConfig::hifi_gan().up_to_nyquist()) > 0.0);
    }

    #[test]
    fn too_few_samples_and_samples_that_are_not_finite_are_refused() {
        assert!(matches!(front_end().compute(&[]), Err(AudioError::NoSamples)));
        let error = front_end().compute(&[0.0; 384]).unwrap_err();
        assert!(matches!(error, AudioError::TooFewSamples { samples: 384, least: 385 }), "{error:?}");
        let error = front_end().compute(&[f32::INFINITY; 400]).unwrap_err();
        assert!(matches!(error, AudioError::NonFiniteSample { index: 0 }), "{error:?}");
    }
}
