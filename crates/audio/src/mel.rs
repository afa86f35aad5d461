//! The log-mel matrix of the Whisper family (Radford et al. 2023, <https://arxiv.org/abs/2212.04356>, section 2.2).
//!
//! Same values as `WhisperFeatureExtractor` of transformers 5.23; inside, all is computed in `f64`.

use ndarray::Array2;
use realfft::num_complex::Complex;

use crate::AudioError;
use crate::filters::MelFilters;
use crate::stft::{Clip, MelSpectra, check_samples};

/// Length that [`MelPadding::ThirtySeconds`] fills or cuts to.
const FULL_SECONDS: usize = 30;
/// Energies below this count as this.
const ENERGY_FLOOR: f64 = 1e-10;
/// Values further than this below the loudest are raised, in powers of ten.
const DYNAMIC_RANGE: f32 = 8.0;

/// The shape of a log-mel matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MelConfig {
    /// Mel bands, 80 or 128 in the Whisper family.
    pub n_mels: usize,
    /// Samples a window, also the length of the Fourier transform.
    pub n_fft: usize,
    /// Samples from frame to frame.
    pub hop: usize,
    /// Sample rate of the input; the bands reach to half of it.
    pub rate_hz: u32,
}

impl MelConfig {
    /// The Whisper front end: 25 ms windows each 10 ms at 16 kHz.
    pub fn whisper(n_mels: usize) -> Self {
        Self { n_mels, n_fft: 400, hop: 160, rate_hz: 16_000 }
    }
}

/// What stands around the samples, and which frames come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MelPadding {
    /// Only the frames of real samples, `ceil(samples / hop)`, of any length; the loudest of these sets the floor.
    Real,
    /// Cut or filled with silence to 30 s (3000 frames for [`MelConfig::whisper`]), as Whisper was trained.
    ThirtySeconds,
}

/// A log-mel matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Mel {
    /// `[mels, frames]`
    pub data: Array2<f32>,
}

/// Computes log-mel matrices; the filters, the window and the plan of the Fourier transform are made once. It can be
/// shared between threads.
pub struct LogMel {
    config: MelConfig,
    spectra: MelSpectra,
}

impl std::fmt::Debug for LogMel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogMel").field("config", &self.config).finish_non_exhaustive()
    }
}

impl LogMel {
    /// Prepares for matrices of this shape.
    ///
    /// # Panics
    ///
    /// When `n_fft`, `hop` or `rate_hz` is zero.
    pub fn new(config: MelConfig) -> Self {
        assert!(
            config.n_fft > 0 && config.hop > 0 && config.rate_hz > 0,
            "a log-mel front end of zeros: {config:?}"
        );
        let MelConfig { n_mels, n_fft, hop, rate_hz } = config;
        let filters = MelFilters::slaney(n_mels, n_fft, rate_hz, 0.0..f64::from(rate_hz) / 2.0);
        Self { config, spectra: MelSpectra::new(n_fft, hop, filters) }
    }

    /// The shape that this was made for.
    pub fn config(&self) -> MelConfig {
        self.config
    }

    /// The log-mel matrix of `samples` (`[samples]`, at the rate of the config): `[mels, frames]`.
    ///
    /// # Errors
    ///
    /// When there are no samples or one of them is not finite.
    pub fn compute(&self, samples: &[f32], padding: MelPadding) -> Result<Mel, AudioError> {
        check_samples(samples)?;
        let full = FULL_SECONDS * self.config.rate_hz as usize;
        let (frames, clip) = match padding {
            MelPadding::Real => (samples.len().div_ceil(self.config.hop), Clip { samples, end: None }),
            MelPadding::ThirtySeconds => (
                full / self.config.hop,
                Clip { samples: &samples[..samples.len().min(full)], end: Some(full) },
            ),
        };
        let mut data = self.spectra.matrix(frames, ENERGY_FLOOR.log10() as f32);
        // Frames are centred: the first has the first sample in its middle.
        let first = -((self.config.n_fft / 2) as isize);
        let log = |energy: f64| energy.max(ENERGY_FLOOR).log10() as f32;
        self.spectra.fill(&mut data, &clip, first, Complex::norm_sqr, log);
        let loudest = data.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        data.mapv_inplace(|value| (value.max(loudest - DYNAMIC_RANGE) + 4.0) / 4.0);
        Ok(Mel { data })
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use ndarray::s;

    use super::*;

    fn whisper() -> LogMel {
        LogMel::new(MelConfig::whisper(80))
    }

    /// A tone that swells, `samples` long, so that frames differ.
    fn swell(samples: usize) -> Vec<f32> {
        (0..samples).map(|n| n as f32 / samples as f32 * (n as f32 * 0.3).sin()).collect()
    }

    #[test]
    fn one_front_end_serves_many_threads() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&whisper());
    }

    #[test]
    fn real_frames_are_the_first_of_the_thirty_seconds() {
        for samples in [1, 2, 159, 160, 161, 199, 200, 201, 400, 5000, 40_123] {
            let clip = swell(samples).iter().map(|sample| sample + 0.01).collect::<Vec<_>>();
            let real = whisper().compute(&clip, MelPadding::Real).unwrap().data;
            let full = whisper().compute(&clip, MelPadding::ThirtySeconds).unwrap().data;
            assert_eq!(real.dim(), (80, samples.div_ceil(160)));
            assert_eq!(full.dim(), (80, 3000));
            let first = full.slice(s![.., ..real.ncols()]);
            let difference = real.iter().zip(&first).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(difference <= 1e-5, "{samples} samples: {difference}");
        }
    }

    #[test]
    fn values_span_at_most_the_dynamic_range() {
        let data = whisper().compute(&swell(8000), MelPadding::ThirtySeconds).unwrap().data;
        let loudest = data.iter().copied().fold(f32::MIN, f32::max);
        let quietest = data.iter().copied().fold(f32::MAX, f32::min);
        assert!((loudest - quietest - 2.0).abs() < 1e-6, "{quietest}..{loudest}");
    }

    #[test]
    fn silence_is_the_floor_everywhere() {
        let data = whisper().compute(&[0.0; 800], MelPadding::Real).unwrap().data;
        assert!(data.iter().all(|&value| value == -1.5), "{data}");
    }

    #[test]
    fn a_tone_is_loudest_in_its_own_band() {
        // 1 kHz is 15 mel of 45.2; with 80 bands, band `b` has its centre at `(b + 1) * 45.2 / 81`.
        let tone: Vec<f32> = (0..16_000).map(|n| (f64::from(n) / 16.0 * TAU).sin() as f32).collect();
        let data = whisper().compute(&tone, MelPadding::Real).unwrap().data;
        let column = data.column(50);
        let loudest = (0..80).max_by(|&a, &b| column[a].total_cmp(&column[b])).unwrap();
        assert_eq!(loudest, 26);
    }

    #[test]
    fn clips_longer_than_thirty_seconds_are_cut_only_on_request() {
        let clip = vec![0.1; 31 * 16_000];
        assert_eq!(whisper().compute(&clip, MelPadding::Real).unwrap().data.ncols(), 3100);
        assert_eq!(whisper().compute(&clip, MelPadding::ThirtySeconds).unwrap().data.ncols(), 3000);
    }

    #[test]
    fn nothing_and_samples_that_are_not_finite_are_refused() {
        for padding in [MelPadding::Real, MelPadding::ThirtySeconds] {
            assert!(matches!(whisper().compute(&[], padding), Err(AudioError::NoSamples)));
            let error = whisper().compute(&[0.0, f32::NAN], padding).unwrap_err();
            assert!(matches!(error, AudioError::NonFiniteSample { index: 1 }), "{error:?}");
        }
    }
}
