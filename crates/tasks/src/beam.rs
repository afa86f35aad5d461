//! CTC prefix beam search (Graves 2012, section 7.5.3; Hannun et al. 2014, arXiv 1408.2873), without a language model.
//!
//! Unlike the best path, which is the likeliest alignment, this looks for the likeliest transcript: the probabilities of
//! all alignments that give the same one are added up.

use std::collections::HashMap;

/// A transcript with its probability.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hypothesis {
    /// The tokens, without blanks.
    pub tokens: Vec<usize>,
    /// The logarithm of the probability that was added up for it.
    pub log_probability: f64,
}

/// A transcript so far, as the last token and what stands before it.
struct Node {
    parent: usize,
    token: usize,
}

/// A prefix in one frame: a node, or one that does not have a node yet.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Prefix {
    Old(usize),
    New(usize, usize),
}

/// Log-probabilities of a prefix by how its alignments end.
#[derive(Clone, Copy)]
struct Ends {
    blank: f64,
    token: f64,
}

impl Ends {
    const NEVER: Self = Self { blank: f64::NEG_INFINITY, token: f64::NEG_INFINITY };

    fn any(self) -> f64 {
        log_add(self.blank, self.token)
    }
}

const ROOT: usize = 0;

/// The transcripts that are likeliest after the last frame, best first, at most `width`.
///
/// `log_probabilities` are those of `[frames, tokens]`, row by row; `blank` is the token that stands for nothing. After
/// each frame the `width` (at least 1) best prefixes are kept; of equally likely ones those found first.
///
/// # Panics
/// When `tokens` is zero.
pub fn prefix_beam_search(
    log_probabilities: &[f32],
    tokens: usize,
    blank: usize,
    width: usize,
) -> Vec<Hypothesis> {
    let mut nodes = vec![Node { parent: ROOT, token: blank }];
    let mut children: HashMap<(usize, usize), usize> = HashMap::new();
    let mut beam = vec![(ROOT, Ends { blank: 0.0, token: f64::NEG_INFINITY })];
    for frame in log_probabilities.chunks_exact(tokens) {
        let mut next: Vec<(Prefix, Ends)> = Vec::new();
        let mut place: HashMap<Prefix, usize> = HashMap::new();
        let mut at = |prefix: Prefix, next: &mut Vec<(Prefix, Ends)>| {
            *place.entry(prefix).or_insert_with(|| {
                next.push((prefix, Ends::NEVER));
                next.len() - 1
            })
        };
        for &(node, ends) in &beam {
            let last = (node != ROOT).then(|| nodes[node].token);
            let index = at(Prefix::Old(node), &mut next);
            for (token, &score) in frame.iter().enumerate() {
                let score = f64::from(score);
                if token == blank {
                    next[index].1.blank = log_add(next[index].1.blank, ends.any() + score);
                    continue;
                }
                let repeats = last == Some(token);
                if repeats {
                    next[index].1.token = log_add(next[index].1.token, ends.token + score);
                }
                // The same token again is a new one only behind a blank.
                let before = if repeats { ends.blank } else { ends.any() };
                if before == f64::NEG_INFINITY {
                    continue;
                }
                let child =
                    children.get(&(node, token)).map_or(Prefix::New(node, token), |&old| Prefix::Old(old));
                let child = at(child, &mut next);
                next[child].1.token = log_add(next[child].1.token, before + score);
            }
        }
        next.sort_by(|left, right| right.1.any().total_cmp(&left.1.any()));
        next.truncate(width.max(1));
        // Only what is kept becomes a node, so that memory grows with the frames and not with the vocabulary.
        let keep = |(prefix, ends)| match prefix {
            Prefix::Old(node) => (node, ends),
            Prefix::New(parent, token) => {
                nodes.push(Node { parent, token });
                children.insert((parent, token), nodes.len() - 1);
                (nodes.len() - 1, ends)
            }
        };
        beam = next.into_iter().map(keep).collect();
    }
    let hypothesis = |(node, ends): (usize, Ends)| {
        let mut tokens = Vec::new();
        let mut node = node;
        while node != ROOT {
            tokens.push(nodes[node].token);
            node = nodes[node].parent;
        }
        tokens.reverse();
        Hypothesis { tokens, log_probability: ends.any() }
    };
    beam.into_iter().map(hypothesis).collect()
}

fn log_add(left: f64, right: f64) -> f64 {
    let (low, high) = if left < right { (left, right) } else { (right, left) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const TOKENS: usize = 3;

    fn collapse(path: &[usize]) -> Vec<usize> {
        let mut merged = path.to_vec();
        merged.dedup();
        merged.retain(|&token| token != 0);
        merged
    }

    /// Every transcript with its probability, by adding up all alignments one by one.
    fn exhaustive(frames: &[[f32; TOKENS]]) -> BTreeMap<Vec<usize>, f64> {
        let mut sums = BTreeMap::new();
        for mut number in 0..TOKENS.pow(frames.len() as u32) {
            let mut path = Vec::new();
            let mut probability = 1.0;
            for frame in frames {
                path.push(number % TOKENS);
                probability *= f64::from(frame[number % TOKENS]).exp();
                number /= TOKENS;
            }
            *sums.entry(collapse(&path)).or_default() += probability;
        }
        sums
    }

    #[test]
    fn a_transcript_of_many_alignments_beats_the_likeliest_alignment() {
        // Blank 0.6, `1` 0.4 in both frames: the best path is empty (0.36), and `1` has 0.64 in three alignments.
        let frame = [0.6f32.ln(), 0.4f32.ln()];
        let best = prefix_beam_search(&[frame, frame].concat(), 2, 0, 8);
        assert_eq!(best[0].tokens, [1]);
        assert!((best[0].log_probability.exp() - 0.64).abs() < 1e-6);
        assert!((best[1].log_probability.exp() - 0.36).abs() < 1e-6);
    }

    #[test]
    fn no_frames_give_the_empty_transcript() {
        let empty = Hypothesis { tokens: Vec::new(), log_probability: 0.0 };
        assert_eq!(prefix_beam_search(&[], 5, 0, 4), [empty]);
    }

    proptest! {
        #[test]
        fn a_wide_beam_finds_what_adding_up_all_alignments_finds(
            weights in prop::collection::vec(prop::array::uniform3(0.01..1.0_f32), 1..6)
        ) {
            let normal = |weights: &[f32; TOKENS]| {
                let sum: f32 = weights.iter().sum();
                weights.map(|weight| (weight / sum).ln())
            };
            let frames: Vec<[f32; TOKENS]> = weights.iter().map(normal).collect();
            let exact = exhaustive(&frames);
            let found = prefix_beam_search(&frames.concat(), TOKENS, 0, 1000);
            prop_assert_eq!(found.len(), exact.len());
            for hypothesis in &found {
                let difference = hypothesis.log_probability.exp() - exact[&hypothesis.tokens];
                prop_assert!(difference.abs() < 1e-6);
            }
            prop_assert!(found.is_sorted_by(|a, b| a.log_probability >= b.log_probability));
        }
    }
}
