//! Which utterances a step sees: a pure function of seed and step, so a killed run needs no sampler state.

use std::cell::RefCell;

use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use sure_nn::Seed;

/// Batches of a training set, shuffled anew each epoch.
///
/// Within windows of four batches the utterances are sorted by length, so that a batch holds clips of similar
/// length and little padding; the batches' order is then shuffled again. A batch holds at most `batch` clips and, where
/// that is limited, at most `samples` samples with their padding, but at least one clip.
#[derive(Debug)]
pub struct Sampler {
    lengths: Vec<usize>,
    batch: usize,
    samples: Option<usize>,
    seed: Seed,
    /// The epoch that was asked for last. Limited batches are not equally many in each epoch, so that a batch's epoch is
    /// found by counting on from here.
    last: RefCell<Epoch>,
}

#[derive(Debug)]
struct Epoch {
    number: u64,
    /// The number of its first batch.
    first: u64,
    batches: Vec<Vec<usize>>,
}

const WINDOW: usize = 4;

impl Sampler {
    /// A sampler over utterances of these lengths (in samples).
    pub fn new(lengths: Vec<usize>, batch: usize, samples: Option<usize>, seed: Seed) -> Self {
        let none = RefCell::new(Epoch { number: 0, first: 0, batches: Vec::new() });
        let sampler =
            Self { lengths, batch: batch.max(1), samples, seed: seed.derive("sampler"), last: none };
        *sampler.last.borrow_mut() = sampler.epoch(0, 0);
        sampler
    }

    /// The utterances of batch `number`, counted from zero over all epochs.
    pub fn batch(&self, number: u64) -> Vec<usize> {
        let mut last = self.last.borrow_mut();
        if number < last.first {
            *last = self.epoch(0, 0);
        }
        loop {
            let index = (number - last.first) as usize;
            if let Some(batch) = last.batches.get(index) {
                return batch.clone();
            }
            // An epoch without utterances has one empty batch, so that this ends.
            let first = last.first + last.batches.len() as u64;
            *last = self.epoch(last.number + 1, first);
        }
    }

    fn epoch(&self, number: u64, first: u64) -> Epoch {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed.at(number).value());
        let mut order: Vec<usize> = (0..self.lengths.len()).collect();
        order.shuffle(&mut rng);
        for window in order.chunks_mut(WINDOW * self.batch) {
            window.sort_by_key(|&index| self.lengths[index]);
        }
        let parts = chunks(&order, self.batch, self.samples, |index| self.lengths[index]);
        let mut batches: Vec<Vec<usize>> = parts.map(<[usize]>::to_vec).collect();
        batches.shuffle(&mut rng);
        if batches.is_empty() {
            batches.push(Vec::new());
        }
        Epoch { number, first, batches }
    }
}

/// Parts of `order` of at most `most` items each, of which the longest times their number is at most `samples`; a part has
/// at least one item.
pub(crate) fn chunks<'a>(
    order: &'a [usize],
    most: usize,
    samples: Option<usize>,
    length: impl Fn(usize) -> usize + 'a,
) -> impl Iterator<Item = &'a [usize]> {
    let mut rest = order;
    std::iter::from_fn(move || {
        let mut longest = 0;
        let fits = |&(count, index): &(usize, &usize)| {
            longest = longest.max(length(*index));
            let fills = samples.is_none_or(|samples| (count + 1).saturating_mul(longest) <= samples);
            count == 0 || (count < most && fills)
        };
        let count = rest.iter().enumerate().take_while(fits).count();
        let (part, others) = rest.split_at(count);
        rest = others;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths() -> Vec<usize> {
        (0..50).map(|n| 1 + n * 7 % 13).collect()
    }

    #[test]
    fn an_epoch_sees_every_utterance_once() {
        for samples in [None, Some(40), Some(1)] {
            let sampler = Sampler::new(lengths(), 8, samples, Seed::new(1));
            let mut number = 0;
            for _epoch in 0..3 {
                let mut seen: Vec<usize> = Vec::new();
                while seen.len() < 50 {
                    seen.extend(sampler.batch(number));
                    number += 1;
                }
                seen.sort_unstable();
                assert_eq!(seen, (0..50).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_batch_depends_on_seed_and_number_alone() {
        let make = |seed| Sampler::new(lengths(), 8, Some(60), Seed::new(seed));
        let forward: Vec<_> = (0..40).map(|number| make(1).batch(number)).collect();
        let sampler = make(1);
        let backward: Vec<_> = (0..40).rev().map(|number| sampler.batch(number)).rev().collect();
        assert_eq!(forward, backward);
        assert_ne!(make(1).batch(7), make(2).batch(7));
        assert_ne!(make(1).batch(0), make(1).batch(15), "epochs differ");
    }

    #[test]
    fn a_batch_holds_no_more_samples_than_it_may_with_its_padding() {
        let lengths = lengths();
        let sampler = Sampler::new(lengths.clone(), 8, Some(30), Seed::new(3));
        for number in 0..60 {
            let batch = sampler.batch(number);
            let longest = batch.iter().map(|&index| lengths[index]).max().unwrap();
            assert!(batch.len() == 1 || batch.len() * longest <= 30, "{batch:?}");
            assert!(batch.len() <= 8);
        }
    }

    #[test]
    fn a_clip_that_is_longer_than_the_limit_goes_alone() {
        let sampler = Sampler::new(vec![100, 2, 2], 8, Some(10), Seed::new(0));
        let mut sizes: Vec<usize> = (0..2).map(|number| sampler.batch(number).len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 2]);
    }
}
