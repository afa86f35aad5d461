//! Levenshtein distance and alignment of two sequences of any symbols: words, characters, phones.
//!
//! The distance is bit-parallel (Myers 1999, in the block form of Hyyrö 2003): one column of the table takes a few
//! operations for every 64 symbols. What both sequences begin and end with is taken off first, and of long sequences
//! only the cells are computed that a cheapest way can take, so that the time is that of their difference.
//!
//! Several alignments can have the same cost, and then the split into substitutions, deletions and insertions depends
//! on which one is meant. [`align`] gives the one that jiwer 4 reports (it asks `RapidFuzz` 3), so that the counts are
//! the ones of the field. The crate `rapidfuzz` has the distance alone, without alignments.

mod alignment;
mod band;
mod kernel;
mod trace;

use std::hash::Hash;

pub use alignment::{Alignment, EditCounts, Op};

use band::{last_column, widened};
use kernel::{Column, Matches};

/// The symbols from which on a distance is searched in a band: below, all of the table is as fast.
const LONG: usize = 1 << 10;

/// The least number of substitutions, deletions and insertions that turn `a` into `b`.
pub fn edit_distance<T: Eq + Hash>(a: &[T], b: &[T]) -> usize {
    let (a, b) = without_affixes(a, b);
    let (pattern, text) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if pattern.is_empty() {
        return text.len();
    }
    if pattern.len() >= LONG {
        return widened(pattern.len(), text.len(), None, |band| {
            let cells = last_column(pattern.iter(), text.iter(), band);
            let distance = cells.last().copied().unwrap_or(text.len());
            (distance, distance)
        });
    }
    let matches = Matches::new(pattern);
    let mut column = Column::new(pattern.len());
    for symbol in text {
        column.step(matches.of(symbol));
    }
    column.bottom(text.len())
}

/// The cheapest way from `reference` to `hypothesis`; of several the one that jiwer gives.
pub fn align<'a, T: Eq + Hash>(reference: &'a [T], hypothesis: &'a [T]) -> Alignment<'a, T> {
    Alignment::new(reference, hypothesis, trace::ops(reference, hypothesis))
}

/// How many symbols both sequences begin with, and then how many of the rest both end with.
fn affixes<T: Eq>(a: &[T], b: &[T]) -> (usize, usize) {
    let prefix = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let suffix = a[prefix..].iter().rev().zip(b[prefix..].iter().rev()).take_while(|(a, b)| a == b).count();
    (prefix, suffix)
}

fn without_affixes<'a, T: Eq>(a: &'a [T], b: &'a [T]) -> (&'a [T], &'a [T]) {
    let (prefix, suffix) = affixes(a, b);
    (&a[prefix..a.len() - suffix], &b[prefix..b.len() - suffix])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_examples_of_the_literature_come_out() {
        let distance = |a: &str, b: &str| edit_distance(a.as_bytes(), b.as_bytes());
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("saturday", "sunday"), 3);
        // Hyyrö 2003.
        assert_eq!(distance("survey", "surgery"), 2);
        assert_eq!(distance("annual", "annealing"), 4);
    }

    #[test]
    fn an_empty_side_costs_the_length_of_the_other() {
        assert_eq!(edit_distance::<u8>(&[], &[]), 0);
        assert_eq!(edit_distance(&[], &["a", "b"]), 2);
        assert_eq!(edit_distance(&["a", "b"], &[]), 2);
    }

    #[test]
    fn affixes_do_not_overlap() {
        assert_eq!(affixes(b"aaa", b"aa"), (2, 0));
        assert_eq!(affixes(b"xay", b"xby"), (1, 1));
    }

    #[test]
    fn a_book_of_different_words_is_compared() {
        let words: Vec<u32> = (0..40_000).collect();
        let other: Vec<u32> = words.iter().map(|word| word + 20_000).collect();
        assert_eq!(edit_distance(&words, &other), 40_000);
        let counts = align(&words[..12_000], &words[1_000..13_000]).counts();
        assert_eq!((counts.hits, counts.deletions, counts.insertions), (11_000, 1_000, 1_000));
    }
}
