//! What all log-mel matrices share: windows over the samples, their Fourier transforms, and the filters over those.

use std::f64::consts::TAU;
use std::sync::Arc;

use ndarray::Array2;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use crate::AudioError;
use crate::filters::MelFilters;

/// A plan to compute mel spectra; it is made once, and can be shared between threads.
pub(crate) struct MelSpectra {
    hop: usize,
    window: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
    filters: MelFilters,
}

impl MelSpectra {
    /// For windows of `n_fft` samples, `hop` samples apart.
    pub(crate) fn new(n_fft: usize, hop: usize, filters: MelFilters) -> Self {
        // The periodic Hann window: one period over `n_fft` samples, so that its last sample is not zero.
        let window = (0..n_fft).map(|n| 0.5 - 0.5 * (TAU * n as f64 / n_fft as f64).cos()).collect();
        Self { hop, window, fft: RealFftPlanner::new().plan_fft_forward(n_fft), filters }
    }

    /// A matrix of one value, `[mels, frames]`.
    pub(crate) fn matrix(&self, frames: usize, value: f32) -> Array2<f32> {
        Array2::from_elem((self.filters.len(), frames), value)
    }

    /// Fills `data` (`[mels, frames]`); the first frame starts at the sample `first`. `size` makes of a bin of the
    /// spectrum what the filters sum up, `log` makes the value of that sum. Frames wholly in the silence after the
    /// samples are left as they are.
    pub(crate) fn fill(
        &self,
        data: &mut Array2<f32>,
        clip: &Clip<'_>,
        first: isize,
        size: impl Fn(&Complex<f64>) -> f64,
        log: impl Fn(f64) -> f32,
    ) {
        let mut window = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        let mut sizes = vec![0.0; spectrum.len()];

        for (frame, mut column) in data.columns_mut().into_iter().enumerate() {
            let start = first + (frame * self.hop) as isize;
            if clip.is_silent(start, window.len()) {
                continue;
            }
            clip.read(start, &mut window);
            window.iter_mut().zip(&self.window).for_each(|(sample, weight)| *sample *= weight);
            self.fft
                .process_with_scratch(&mut window, &mut spectrum, &mut scratch)
                .expect("the buffers were made by the plan itself");
            sizes.iter_mut().zip(&spectrum).for_each(|(cell, bin)| *cell = size(bin));
            for (cell, sum) in column.iter_mut().zip(self.filters.apply(&sizes)) {
                *cell = log(sum);
            }
        }
    }
}

/// Refuses what no matrix can be computed from.
pub(crate) fn check_samples(samples: &[f32]) -> Result<(), AudioError> {
    if samples.is_empty() {
        return Err(AudioError::NoSamples);
    }
    match samples.iter().position(|sample| !sample.is_finite()) {
        Some(index) => Err(AudioError::NonFiniteSample { index }),
        None => Ok(()),
    }
}

/// Samples with what stands around them: their mirror image to the left, and to the right silence up to `end`, where
/// there is one, and the mirror image of that.
pub(crate) struct Clip<'a> {
    pub(crate) samples: &'a [f32],
    pub(crate) end: Option<usize>,
}

impl Clip<'_> {
    pub(crate) fn at(&self, index: isize) -> f64 {
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
