//! An n-gram over a few thousand tokens, smoothed by interpolated Kneser-Ney (Kneser and Ney 1995; one discount an
//! order).
//!
//! All n-grams are keys of one sorted list, last token of the context first, so that the n-grams of any context are a
//! range of it.

use std::ops::Range;
use std::{iter, mem};

/// How many tokens an n-gram has.
const ORDER: usize = 7;
/// Tokens before the predicted one.
const CONTEXT: usize = ORDER - 1;
/// Bits of a token in a key.
const BITS: usize = 12;
/// Bits of all tokens of a context.
const CONTEXT_BITS: usize = BITS * CONTEXT;
/// How many tokens there may be; the two above are start and end.
pub(crate) const MAX_TOKENS: usize = (1 << BITS) - 2;

/// A context.
#[derive(Debug)]
struct Node {
    /// Its longer contexts, in `children`.
    children: Range<u32>,
    /// What follows it, in `followers`.
    followers: Range<u32>,
    /// The sum of what follows it.
    total: f64,
}

/// An n-gram over tokens.
#[derive(Debug)]
pub(crate) struct NGram {
    tokens: usize,
    nodes: Vec<Node>,
    /// Token before a context, and the longer context.
    children: Vec<(u16, u32)>,
    /// Token behind a context, and its count.
    followers: Vec<(u16, u32)>,
    /// The discount of contexts of each length.
    discounts: [f64; ORDER],
}

/// A token of a key: 0 is the predicted one, 1 the last of the context.
fn token_of(key: u128, place: usize) -> u16 {
    let shift = if place == 0 { 0 } else { BITS * (ORDER - place) };
    (key >> shift) as u16 & ((1 << BITS) - 1)
}

const START: u16 = MAX_TOKENS as u16;
const END: u16 = MAX_TOKENS as u16 + 1;

impl NGram {
    /// The context of a row's first token.
    pub(crate) fn start(&self) -> u128 {
        (0..CONTEXT).fold(0, |history, _| self.push(history, START))
    }

    /// The token behind a row's last.
    #[expect(clippy::unused_self, reason = "it belongs to the model's tokens")]
    pub(crate) fn end(&self) -> u16 {
        END
    }

    /// A context with one more token.
    #[expect(clippy::unused_self, reason = "it belongs to the model's contexts")]
    pub(crate) fn push(&self, history: u128, token: u16) -> u128 {
        (history >> BITS) | (u128::from(token) << (CONTEXT_BITS - BITS))
    }

    /// Counts rows of tokens below `tokens`.
    pub(crate) fn learn(rows: &[Vec<u16>], tokens: usize) -> Self {
        let mut ngram = Self {
            tokens,
            nodes: Vec::new(),
            children: Vec::new(),
            followers: Vec::new(),
            discounts: [0.0; ORDER],
        };
        let mut keys = Vec::with_capacity(rows.iter().map(|row| row.len() + 1).sum());
        for row in rows {
            let mut history = ngram.start();
            for &token in row.iter().chain([&END]) {
                keys.push((history << BITS) | u128::from(token));
                history = ngram.push(history, token);
            }
        }
        keys.sort_unstable();
        ngram.build(&keys);
        ngram
    }

    /// The contexts, from short to long.
    fn build(&mut self, keys: &[u128]) {
        let mut level: Vec<Range<usize>> = iter::once(0..keys.len()).collect();
        let mut counts = vec![0_u32; 1 << BITS];
        for length in 0..=CONTEXT {
            let mut next: Vec<Range<usize>> = Vec::new();
            let first_child = self.nodes.len() + level.len();
            // How many followers have a count of one and of two.
            let mut seldom = [0_u32; 2];
            for range in level {
                let keys_here = &keys[range.clone()];
                // Before a start there is nothing but starts, so that left contexts cannot be counted.
                let whole = length == CONTEXT || (length > 0 && token_of(keys_here[0], length) == START);
                let first = self.children.len();
                let mut met: Vec<u16> = Vec::new();
                let mut at = range.start;
                let before = |key: &u128| if whole { 0 } else { token_of(*key, length + 1) };
                for group in keys_here.chunk_by(|a, b| before(a) == before(b)) {
                    let mut followers: Vec<u16> = group.iter().map(|key| token_of(*key, 0)).collect();
                    if !whole {
                        followers.sort_unstable();
                        followers.dedup();
                        self.children.push((before(&group[0]), (first_child + next.len()) as u32));
                        next.push(at..at + group.len());
                    }
                    for token in followers {
                        if counts[usize::from(token)] == 0 {
                            met.push(token);
                        }
                        counts[usize::from(token)] += 1;
                    }
                    at += group.len();
                }
                met.sort_unstable();
                let first_follower = self.followers.len();
                let mut total = 0.0;
                for token in met {
                    let count = mem::take(&mut counts[usize::from(token)]);
                    total += f64::from(count);
                    if let Some(seldom) = seldom.get_mut(count as usize - 1) {
                        *seldom += 1;
                    }
                    self.followers.push((token, count));
                }
                self.nodes.push(Node {
                    children: first as u32..self.children.len() as u32,
                    followers: first_follower as u32..self.followers.len() as u32,
                    total,
                });
            }
            let [once, twice] = seldom.map(f64::from);
            self.discounts[length] = if once > 0.0 { once / (once + 2.0 * twice) } else { 0.5 };
            level = next;
        }
    }

    /// The natural logarithms of the probabilities of some tokens behind a context.
    pub(crate) fn log_probabilities(&self, history: u128, tokens: &[u16]) -> Vec<f64> {
        let mut probabilities = vec![1.0 / (self.tokens + 1) as f64; tokens.len()];
        let mut node = self.nodes.first();
        let mut length = 0;
        while let Some(context) = node {
            let followers = &self.followers[span(&context.followers)];
            if context.total > 0.0 {
                let discount = self.discounts[length];
                let left_over = discount * followers.len() as f64 / context.total;
                for (probability, token) in probabilities.iter_mut().zip(tokens) {
                    let count = find(followers, *token).map_or(0.0, f64::from);
                    *probability = (count - discount).max(0.0) / context.total + left_over * *probability;
                }
            }
            length += 1;
            if length > CONTEXT {
                break;
            }
            let before = token_of(history << BITS, length);
            let child = find(&self.children[span(&context.children)], before);
            node = child.and_then(|child| self.nodes.get(child as usize));
        }
        probabilities.into_iter().map(f64::ln).collect()
    }
}

fn span(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

fn find(list: &[(u16, u32)], token: u16) -> Option<u32> {
    list.binary_search_by_key(&token, |entry| entry.0).ok().map(|place| list[place].1)
}
