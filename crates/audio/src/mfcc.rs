//! Mel-frequency cepstral coefficients (Davis and Mermelstein 1980), as Kaldi computes them by default.
//!
//! A window loses its mean, is pre-emphasised by 0.97 and shaped by Kaldi's window (a Hann window to the power 0.85); its
//! power spectrum goes through 23 triangular mel filters from 20 Hz on; of the logarithms the first 13 values of an
//! orthonormal DCT-II are taken and liftered with 22. There is no dither, and the first value is the DCT's own, not the
//! energy. HuBERT (Hsu et al. 2021, arXiv 2106.07447) clusters these with their first and second differences.

use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use crate::AudioError;
use crate::stft::{Clip, check_samples};

/// Coefficients a frame, without differences.
const CEPSTRA: usize = 13;
/// Mel filters.
const MELS: usize = 23;
/// Where the lowest filter begins.
const LOWEST_HZ: f64 = 20.0;
const PRE_EMPHASIS: f64 = 0.97;
const LIFTER: f64 = 22.0;
/// Energies below this count as this: the rounding unit of a 32-bit float, as in Kaldi.
const ENERGY_FLOOR: f64 = f32::EPSILON as f64;
/// Frames on either side that a difference looks at.
const REACH: usize = 2;

/// Values a frame: 13 coefficients, their first and their second differences.
pub const MFCC_WIDTH: usize = 3 * CEPSTRA;

/// Computes mel-frequency cepstral coefficients; it is made once and can be shared between threads.
pub struct Mfcc {
    hop: usize,
    window: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
    /// `[mels][bins]`
    filters: Vec<Vec<f64>>,
    /// `[cepstra][mels]`, with the lifter.
    dct: Vec<[f64; MELS]>,
}

impl std::fmt::Debug for Mfcc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mfcc")
            .field("window", &self.window.len())
            .field("hop", &self.hop)
            .finish_non_exhaustive()
    }
}

impl Mfcc {
    /// Prepares for windows of 25 ms that are `hop` samples apart, at `rate_hz`.
    pub fn new(rate_hz: u32, hop: usize) -> Self {
        let length = (rate_hz as usize / 40).max(2);
        let window = (0..length)
            .map(|n| (0.5 - 0.5 * (TAU * n as f64 / (length - 1) as f64).cos()).powf(0.85))
            .collect();
        let n_fft = length.next_power_of_two();
        let row = |index: usize| {
            let scale = if index == 0 { 1.0 } else { 2.0 };
            let lifter = 1.0 + 0.5 * LIFTER * (PI * index as f64 / LIFTER).sin();
            std::array::from_fn(|mel| {
                let angle = PI / MELS as f64 * (mel as f64 + 0.5) * index as f64;
                (scale / MELS as f64).sqrt() * angle.cos() * lifter
            })
        };
        Self {
            hop,
            window,
            fft: RealFftPlanner::new().plan_fft_forward(n_fft),
            filters: filters(n_fft, f64::from(rate_hz)),
            dct: (0..CEPSTRA).map(row).collect(),
        }
    }

    /// Samples a window.
    pub fn window(&self) -> usize {
        self.window.len()
    }

    /// Coefficients with their first and second differences of `frames` windows over `samples` (`[samples]`, full scale
    /// is -1..1); the first window begins at the sample `first`. Outside the samples there is silence.
    ///
    /// # Errors
    ///
    /// When there are no samples or one of them is not finite.
    pub fn compute(
        &self,
        samples: &[f32],
        first: isize,
        frames: usize,
    ) -> Result<Vec<[f32; MFCC_WIDTH]>, AudioError> {
        check_samples(samples)?;
        let statics = self.cepstra(samples, first, frames);
        let deltas = differences(&statics);
        let second = differences(&deltas);
        let joined = statics.iter().zip(&deltas).zip(&second).map(|((a, b), c)| {
            let mut row = [0.0; MFCC_WIDTH];
            let values = a.iter().chain(b).chain(c);
            row.iter_mut().zip(values).for_each(|(cell, &value)| *cell = value as f32);
            row
        });
        Ok(joined.collect())
    }

    fn cepstra(&self, samples: &[f32], first: isize, frames: usize) -> Vec<[f64; CEPSTRA]> {
        let mut buffer = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        let clip = Clip { samples, end: None };
        let mut out = Vec::with_capacity(frames);
        for frame in 0..frames {
            let (window, padding) = buffer.split_at_mut(self.window.len());
            padding.fill(0.0);
            let start = first + (frame * self.hop) as isize;
            for (cell, index) in window.iter_mut().zip(start..) {
                *cell = if index < 0 { 0.0 } else { clip.at(index) };
            }
            shape(window, &self.window);
            self.fft
                .process_with_scratch(&mut buffer, &mut spectrum, &mut scratch)
                .expect("the buffers were made by the plan itself");
            let power: Vec<f64> = spectrum.iter().map(Complex::norm_sqr).collect();
            let logs: [f64; MELS] = std::array::from_fn(|mel| {
                let energy: f64 =
                    self.filters[mel].iter().zip(&power).map(|(weight, bin)| weight * bin).sum();
                energy.max(ENERGY_FLOOR).ln()
            });
            let cepstrum = |index: usize| self.dct[index].iter().zip(&logs).map(|(a, b)| a * b).sum();
            out.push(std::array::from_fn(cepstrum));
        }
        out
    }
}

/// Takes the mean away, pre-emphasises and weighs.
fn shape(window: &mut [f64], weights: &[f64]) {
    let mean = window.iter().sum::<f64>() / window.len() as f64;
    // The first sample has none before it and is its own predecessor.
    let mut before = window[0] - mean;
    for (cell, weight) in window.iter_mut().zip(weights) {
        let sample = *cell - mean;
        *cell = (sample - PRE_EMPHASIS * before) * weight;
        before = sample;
    }
}

/// Triangles with straight sides over the mel scale, evenly spaced from [`LOWEST_HZ`] to half the rate: `[mels][bins]`.
fn filters(n_fft: usize, rate_hz: f64) -> Vec<Vec<f64>> {
    let mel = |hertz: f64| 1127.0 * (hertz / 700.0).ln_1p();
    let (low, high) = (mel(LOWEST_HZ), mel(rate_hz / 2.0));
    let step = (high - low) / (MELS + 1) as f64;
    let filter = |index: usize| {
        let centre = low + step * (index + 1) as f64;
        let weight = |bin: usize| 1.0 - (mel(rate_hz * bin as f64 / n_fft as f64) - centre).abs() / step;
        (0..=n_fft / 2).map(|bin| weight(bin).max(0.0)).collect()
    };
    (0..MELS).map(filter).collect()
}

/// The slope of a line through five frames, the ends repeated.
fn differences(rows: &[[f64; CEPSTRA]]) -> Vec<[f64; CEPSTRA]> {
    let at = |index: isize| &rows[index.clamp(0, rows.len() as isize - 1) as usize];
    let norm: f64 = (1..=REACH).map(|n| 2.0 * (n * n) as f64).sum();
    let slope = |frame: isize| {
        std::array::from_fn(|value| {
            let side = |n: isize| n as f64 * (at(frame + n)[value] - at(frame - n)[value]);
            (1..=REACH as isize).map(side).sum::<f64>() / norm
        })
    };
    (0..rows.len() as isize).map(slope).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_tone_has_no_differences() {
        // A period divides the hop, so that all windows are the same.
        let tone: Vec<f32> = (0..16_000).map(|n| (TAU * f64::from(n) / 32.0).sin() as f32).collect();
        let rows = Mfcc::new(16_000, 320).compute(&tone, 0, 40).unwrap();
        assert_eq!(rows.len(), 40);
        assert!(rows.iter().all(|row| row[CEPSTRA..].iter().all(|value| value.abs() < 1e-4)));
    }

    #[test]
    fn silence_and_what_lies_outside_the_samples_are_finite() {
        let rows = Mfcc::new(16_000, 320).compute(&[0.5], -500, 9).unwrap();
        assert!(rows.iter().flatten().all(|value| value.is_finite()));
    }
}
