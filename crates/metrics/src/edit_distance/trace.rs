//! The way back through the table, with the choices of `RapidFuzz` 3 (`Levenshtein.editops`), which jiwer 4 uses.
//!
//! From the end: a deletion where one is cheapest; else an insertion where the cell to the left is lower than the one
//! on the diagonal; else the diagonal. Where the table would take a megabyte the problem is cut in two (Hirschberg
//! 1975) at the middle of the hypothesis and the first best place of the reference, under `RapidFuzz`'s own condition,
//! since a cut decides between equally cheap alignments too.

use std::hash::Hash;

use super::kernel::{Column, Matches, bit};
use super::{Op, affixes};

/// The bytes of table from which on the problem is cut.
const LARGE: usize = 1 << 20;

/// The operations from `reference` to `hypothesis`, in order.
pub(super) fn ops<T: Eq + Hash>(reference: &[T], hypothesis: &[T]) -> Vec<Op> {
    let mut ops = Vec::with_capacity(reference.len().max(hypothesis.len()));
    extend(&mut ops, reference, hypothesis, usize::MAX);
    ops
}

/// Appends the operations, of which at most `limit` are edits.
fn extend<T: Eq + Hash>(ops: &mut Vec<Op>, reference: &[T], hypothesis: &[T], limit: usize) {
    let (prefix, suffix) = affixes(reference, hypothesis);
    let reference = &reference[prefix..reference.len() - suffix];
    let hypothesis = &hypothesis[prefix..hypothesis.len() - suffix];
    ops.extend(std::iter::repeat_n(Op::Equal, prefix));
    let limit = limit.min(reference.len().max(hypothesis.len()));
    let band = reference.len().min(2 * limit + 1);
    if band * hypothesis.len() / 4 < LARGE || reference.len() < 65 || hypothesis.len() < 10 {
        trace(ops, reference, hypothesis);
    } else {
        let cut = cut(reference, hypothesis);
        extend(ops, &reference[..cut.reference], &hypothesis[..cut.hypothesis], cut.left);
        extend(ops, &reference[cut.reference..], &hypothesis[cut.hypothesis..], cut.right);
    }
    ops.extend(std::iter::repeat_n(Op::Equal, suffix));
}

/// Every column of the table, one after the other.
struct Table {
    blocks: usize,
    rises: Vec<u64>,
    falls: Vec<u64>,
}

impl Table {
    fn new<T: Eq + Hash>(reference: &[T], hypothesis: &[T]) -> Self {
        let matches = Matches::new(reference);
        let mut column = Column::new(reference.len());
        let blocks = column.rises.len();
        let mut rises = Vec::with_capacity(blocks * hypothesis.len());
        let mut falls = Vec::with_capacity(blocks * hypothesis.len());
        for symbol in hypothesis {
            column.step(matches.of(symbol));
            rises.extend_from_slice(&column.rises);
            falls.extend_from_slice(&column.falls);
        }
        Self { blocks, rises, falls }
    }

    fn rises(&self, column: usize, row: usize) -> bool {
        bit(&self.rises[column * self.blocks..], row) == 1
    }

    fn falls(&self, column: usize, row: usize) -> bool {
        bit(&self.falls[column * self.blocks..], row) == 1
    }
}

/// Appends the operations, with the whole table in memory.
fn trace<T: Eq + Hash>(ops: &mut Vec<Op>, reference: &[T], hypothesis: &[T]) {
    let start = ops.len();
    let (mut row, mut column) = (reference.len(), hypothesis.len());
    if row > 0 && column > 0 {
        let table = Table::new(reference, hypothesis);
        while row > 0 && column > 0 {
            if table.rises(column - 1, row - 1) {
                row -= 1;
                ops.push(Op::Delete);
            } else if column > 1 && table.falls(column - 2, row - 1) {
                column -= 1;
                ops.push(Op::Insert);
            } else {
                row -= 1;
                column -= 1;
                ops.push(if reference[row] == hypothesis[column] { Op::Equal } else { Op::Substitute });
            }
        }
    }
    ops.extend(std::iter::repeat_n(Op::Delete, row));
    ops.extend(std::iter::repeat_n(Op::Insert, column));
    ops[start..].reverse();
}

/// A point that a cheapest alignment goes through, and what both sides of it cost.
struct Cut {
    reference: usize,
    hypothesis: usize,
    left: usize,
    right: usize,
}

fn cut<T: Eq + Hash>(reference: &[T], hypothesis: &[T]) -> Cut {
    let middle = hypothesis.len() / 2;
    let left = last_column(reference.iter(), hypothesis[..middle].iter());
    let right = last_column(reference.iter().rev(), hypothesis[middle..].iter().rev());
    let mut best = Cut { reference: 0, hypothesis: middle, left: left[0], right: right[reference.len()] };
    for (row, (&left, &right)) in left.iter().zip(right.iter().rev()).enumerate() {
        if left + right < best.left + best.right {
            best = Cut { reference: row, left, right, ..best };
        }
    }
    best
}

/// The costs of turning every prefix of the pattern into the text.
fn last_column<'a, T: Eq + Hash + 'a>(
    pattern: impl ExactSizeIterator<Item = &'a T>,
    text: impl ExactSizeIterator<Item = &'a T>,
) -> Vec<usize> {
    let (rows, columns) = (pattern.len(), text.len());
    let matches = Matches::new(pattern);
    let mut column = Column::new(rows);
    for symbol in text {
        column.step(matches.of(symbol));
    }
    column.cells(columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SplitMix64, edit_distance};

    #[test]
    fn a_table_that_is_cut_costs_no_more_than_the_distance() {
        let mut random = SplitMix64::new(5);
        let mut draw = |count: usize| (0..count).map(|_| random.below(4) as u8).collect::<Vec<_>>();
        let (reference, hypothesis) = (draw(3000), draw(2500));
        assert!(reference.len() * hypothesis.len() / 4 > LARGE);
        let ops = ops(&reference, &hypothesis);
        let edits = ops.iter().filter(|op| **op != Op::Equal).count();
        assert_eq!(edits, edit_distance(&reference, &hypothesis));
    }
}
