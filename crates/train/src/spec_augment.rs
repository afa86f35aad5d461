//! `SpecAugment` over time (Park et al. 2019, arXiv 1904.08779), as wav2vec 2.0 is fine-tuned with it: spans of frames
//! are hidden in training. Who draws them is this file; the backbone puts its own vector in their place.

use rand::{RngExt as _, SeedableRng as _, seq::index::sample};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sure_nn::{
    FrameMask, Seed,
    tch::{Kind, Tensor},
};

/// What is hidden from the network in training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Augment {
    /// Nothing.
    Off,
    /// Spans of frames.
    SpecAugment(SpecAugment),
}

/// The spans: `share * frames / length` of them, rounded at random, which may overlap.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecAugment {
    /// Share of the frames that would be hidden if no spans overlapped (`mask_time_prob`).
    pub share: f64,
    /// Frames a span (`mask_time_length`).
    pub length: usize,
    /// Fewest spans a clip (`mask_time_min_masks`).
    pub min_spans: usize,
}

impl SpecAugment {
    /// The first setting that makes no sense: key, value, reason.
    pub(crate) fn fault(&self) -> Option<(&'static str, String, &'static str)> {
        if !(0.0..=1.0).contains(&self.share) {
            return Some(("share", self.share.to_string(), "must be between 0 and 1"));
        }
        if !(1..=100_000).contains(&self.length) {
            return Some(("length", self.length.to_string(), "must be between 1 and 100000"));
        }
        let least = "must be at most 100000";
        (self.min_spans > 100_000).then(|| ("min_spans", self.min_spans.to_string(), least))
    }

    /// Draws the hidden frames of a batch, `[batch, time]`, true = hidden: a function of `seed` and the clips' lengths.
    pub fn draw(&self, seed: Seed, mask: &FrameMask) -> Tensor {
        let time = mask.time() as usize;
        let mut rng = ChaCha8Rng::seed_from_u64(seed.derive("spec-augment").value());
        // One draw rounds the number of spans of the whole batch, as in transformers.
        let rounding: f64 = rng.random();
        let mut hidden = vec![false; mask.lengths().len() * time];
        for (row, &frames) in hidden.chunks_exact_mut(time.max(1)).zip(mask.lengths()) {
            let frames = (frames.max(0) as usize).min(time);
            let starts = (frames + 1).saturating_sub(self.length);
            for start in sample(&mut rng, starts, self.spans(frames, time, rounding).min(starts)) {
                row[start..start + self.length].fill(true);
            }
        }
        Tensor::from_slice(&hidden)
            .view([mask.lengths().len() as i64, time as i64])
            .to_kind(Kind::Bool)
            .to_device(mask.valid().device())
    }

    fn spans(&self, frames: usize, time: usize, rounding: f64) -> usize {
        let length = self.length.max(1);
        let wanted = (self.share * frames as f64 / length as f64 + rounding) as usize;
        let wanted = wanted.max(self.min_spans);
        if wanted * length > time { time / length } else { wanted }
    }
}

#[cfg(test)]
mod tests {
    use sure_nn::tch::Device;

    use super::*;

    fn rows(mask: &Tensor) -> Vec<Vec<bool>> {
        (0..mask.size()[0]).map(|row| Vec::<bool>::try_from(mask.get(row)).unwrap()).collect()
    }

    #[test]
    fn only_real_frames_are_hidden_in_whole_spans() {
        let augment = SpecAugment { share: 0.2, length: 5, min_spans: 2 };
        let mask = FrameMask::new(vec![60, 23, 3], 60, Device::Cpu);
        for seed in 0..50 {
            let rows = rows(&augment.draw(Seed::new(seed), &mask));
            assert!(rows[1][23..].iter().all(|hidden| !hidden), "padding is never hidden");
            assert!(rows[2].iter().all(|hidden| !hidden), "a clip shorter than a span stays whole");
            for row in &rows[..2] {
                let runs = row.split(|hidden| !hidden).filter(|run| !run.is_empty());
                assert!(runs.map(<[bool]>::len).all(|run| run >= 5));
                assert!(row.iter().filter(|hidden| **hidden).count() >= 6, "two different spans");
            }
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let plain = SpecAugment { share: 0.05, length: 10, min_spans: 2 };
        assert_eq!(plain.fault(), None);
        assert_eq!(SpecAugment { length: 0, ..plain }.fault().unwrap().0, "length");
        assert_eq!(SpecAugment { share: f64::NAN, ..plain }.fault().unwrap().0, "share");
    }

    #[test]
    fn what_is_hidden_is_a_function_of_the_seed() {
        let augment = SpecAugment { share: 0.05, length: 10, min_spans: 2 };
        let mask = FrameMask::new(vec![124; 4], 124, Device::Cpu);
        let draw = |seed| augment.draw(Seed::new(seed), &mask);
        assert!(draw(3).equal(&draw(3)));
        assert!(!draw(3).equal(&draw(4)));
    }
}
