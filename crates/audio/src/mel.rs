//! The log-mel matrix of the Whisper family (Radford et al. 2023, <https://arxiv.org/abs/2212.04356>, section 2.2).
//!
//! Same values as `WhisperFeatureExtractor` of transformers 5.23; inside, all is computed in `f64`.

use std::f64::consts::TAU;
use std::sync::Arc;

use ndarray::Array2;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use crate::AudioError;
use crate::filters::MelFilters;

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
    filters: MelFilters,
    window: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
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
        // The periodic Hann window: one period over `n_fft` samples, so that its last sample is not zero.
        let window =
            (0..config.n_fft).map(|n| 0.5 - 0.5 * (TAU * n as f64 / config.n_fft as f64).cos()).collect();
        Self {
            config,
            filters: MelFilters::slaney(config.n_mels, config.n_fft, config.rate_hz),
            window,
            fft: RealFftPlanner::new().plan_fft_forward(config.n_fft),
        }
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
        if samples.is_empty() {
            return Err(AudioError::NoSamples);
        }
        if let Some(index) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(AudioError::NonFiniteSample { index });
        }
        let full = FULL_SECONDS * self.config.rate_hz as usize;
        let (frames, clip) = match padding {
            MelPadding::Real => (samples.len().div_ceil(self.config.hop), Clip { samples, end: None }),
            MelPadding::ThirtySeconds => (
                full / self.config.hop,
                Clip { samples: &samples[..samples.len().min(full)], end: Some(full) },
            ),
        };
        let mut data = self.log_energies(&clip, frames);
        let loudest = data.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        data.mapv_inplace(|value| (value.max(loudest - DYNAMIC_RANGE) + 4.0) / 4.0);
        Ok(Mel { data })
    }

    /// Log10 of the energy a band and frame, `[mels, frames]`, floored at [`ENERGY_FLOOR`].
    fn log_energies(&self, clip: &Clip<'_>, frames: usize) -> Array2<f32> {
        let mut data = Array2::from_elem((self.filters.len(), frames), ENERGY_FLOOR.log10() as f32);
        let mut window = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        let mut power = vec![0.0; spectrum.len()];

        for (frame, mut column) in data.columns_mut().into_iter().enumerate() {
            // Frames are centred: the first has the first sample in its middle.
            let start = (frame * self.config.hop) as isize - (self.config.n_fft / 2) as isize;
            if clip.is_silent(start, self.config.n_fft) {
                continue;
            }
            clip.read(start, &mut window);
            window.iter_mut().zip(&self.window).for_each(|(sample, weight)| *sample *= weight);
            self.fft
                .process_with_scratch(&mut window, &mut spectrum, &mut scratch)
                .expect("the buffers were made by the plan itself");
            power.iter_mut().zip(&spectrum).for_each(|(power, bin)| *power = Complex::norm_sqr(bin));
            for (cell, energy) in column.iter_mut().zip(self.filters.apply(&power)) {
                *cell = energy.max(ENERGY_FLOOR).log10() as f32;
            }
        }
        data
    }
}

/// Samples with what stands around them: their mirror image to the left, and to the right silence up to `end`, where
/// there is one, and the mirror image of that.
struct Clip<'a> {
    samples: &'a [f32],
    end: Option<usize>,
}

impl Clip<'_> {
    fn at(&self, index: isize) -> f64 {
        let mut index = index.unsigned_abs();
        if let Some(end) = self.end
            && index >= end
        {
            index = (2 * end - 2).saturating_sub(index);
        }
        self.samples.get(index).copied().map_or(0.0, f64::from)
    }

    fn read(&self, start: isize, window: &mut [f64]) {
        let stop = start + window.len() as isize;
        if start >= 0 && stop <= self.samples.len() as isize {
            let inside = &self.samples[start as usize..stop as usize];
            window.iter_mut().zip(inside).for_each(|(cell, &sample)| *cell = f64::from(sample));
        } else {
            window.iter_mut().zip(start..).for_each(|(cell, index)| *cell = self.at(index));
        }
    }

    /// Whether a window from `start` on lies wholly in the silence after the samples.
    fn is_silent(&self, start: isize, len: usize) -> bool {
        start >= self.samples.len() as isize
            && self.end.is_none_or(|end| start + len as isize <= end as isize)
    }
}

#[cfg(test)]
mod tests {
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
