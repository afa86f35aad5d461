//! Which utterances a step sees: a pure function of seed and step, so a killed run needs no sampler state.

use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use sure_nn::Seed;

/// Batches of a training set, shuffled anew each epoch.
///
/// Within windows of four batches the utterances are sorted by length, so that a batch holds clips of similar
/// length and little padding; the batches' order is then shuffled again.
#[derive(Debug)]
pub struct Sampler {
    lengths: Vec<usize>,
    batch: usize,
    seed: Seed,
}

const WINDOW: usize = 4;

impl Sampler {
    /// A sampler over utterances of these lengths (in samples).
    pub fn new(lengths: Vec<usize>, batch: usize, seed: Seed) -> Self {
        Self { lengths, batch: batch.max(1), seed: seed.derive("sampler") }
    }

    /// Batches in an epoch.
    pub fn batches(&self) -> u64 {
        self.lengths.len().div_ceil(self.batch).max(1) as u64
    }

    /// The utterances of batch `number`, counted from zero over all epochs.
    pub fn batch(&self, number: u64) -> Vec<usize> {
        let epoch = number / self.batches();
        let index = (number % self.batches()) as usize;
        self.epoch(epoch).swap_remove(index)
    }

    fn epoch(&self, epoch: u64) -> Vec<Vec<usize>> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed.at(epoch).value());
        let mut order: Vec<usize> = (0..self.lengths.len()).collect();
        order.shuffle(&mut rng);
        for window in order.chunks_mut(WINDOW * self.batch) {
            window.sort_by_key(|&index| self.lengths[index]);
        }
        let mut batches: Vec<Vec<usize>> = order.chunks(self.batch).map(<[usize]>::to_vec).collect();
        batches.shuffle(&mut rng);
        batches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_sees_every_utterance_once() {
        let sampler = Sampler::new((0..50).map(|n| n * 7 % 13).collect(), 8, Seed::new(1));
        for epoch in 0..2 {
            let mut seen: Vec<usize> = (0..sampler.batches())
                .flat_map(|index| sampler.batch(epoch * sampler.batches() + index))
                .collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..50).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_batch_depends_on_seed_and_number_alone() {
        let make = |seed| Sampler::new(vec![1; 40], 8, Seed::new(seed));
        assert_eq!(make(1).batch(7), make(1).batch(7));
        assert_ne!(make(1).batch(7), make(2).batch(7));
        assert_ne!(make(1).batch(0), make(1).batch(5), "epochs differ");
    }
}
