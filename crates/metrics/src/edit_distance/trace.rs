//! The way back through the table, with the choices of `RapidFuzz` 3 (`Levenshtein.editops`), which jiwer 4 uses.
//!
//! From the end: a deletion where one is cheapest; else an insertion where the cell to the left is lower than the one
//! on the diagonal; else the diagonal. Where the table would take a megabyte the problem is cut in two (Hirschberg
//! 1975) at the middle of the hypothesis and the first best place of the reference, under `RapidFuzz`'s own condition,
//! since a cut decides between equally cheap alignments too.
//!
//! Tables and cuts are computed in a band (`band.rs`). It leaves out no cell of a cheapest way, and makes none of the
//! others cheaper, so no choice depends on it. A table takes a megabyte and 40 bytes a symbol at most.

use std::hash::Hash;

use super::band::{Band, last_column, widened};
use super::kernel::{BLOCK, Column, Matches};
use super::{Op, affixes};

/// The bytes of table from which on the problem is cut.
const LARGE: usize = 1 << 20;

/// The operations from `reference` to `hypothesis`, in order.
pub(super) fn ops<T: Eq + Hash>(reference: &[T], hypothesis: &[T]) -> Vec<Op> {
    let mut ops = Vec::with_capacity(reference.len().max(hypothesis.len()));
    extend(&mut ops, reference, hypothesis, None);
    ops
}

/// Appends the operations, of which `edits` are edits where that is known.
fn extend<T: Eq + Hash>(ops: &mut Vec<Op>, reference: &[T], hypothesis: &[T], edits: Option<usize>) {
    let (prefix, suffix) = affixes(reference, hypothesis);
    let reference = &reference[prefix..reference.len() - suffix];
    let hypothesis = &hypothesis[prefix..hypothesis.len() - suffix];
    ops.extend(std::iter::repeat_n(Op::Equal, prefix));
    let longer = reference.len().max(hypothesis.len());
    let limit = edits.map_or(longer, |edits| edits.min(longer));
    // What `RapidFuzz` takes for the width of the band.
    let width = reference.len().min(2 * limit + 1);
    if width * hypothesis.len() / 4 < LARGE || reference.len() < 65 || hypothesis.len() < 10 {
        trace(ops, reference, hypothesis, Band::new(reference.len(), hypothesis.len(), limit));
    } else {
        let cut = cut(reference, hypothesis, edits);
        extend(ops, &reference[..cut.reference], &hypothesis[..cut.hypothesis], Some(cut.left));
        extend(ops, &reference[cut.reference..], &hypothesis[cut.hypothesis..], Some(cut.right));
    }
    ops.extend(std::iter::repeat_n(Op::Equal, suffix));
}

/// The blocks of the band, one column after the other.
struct Table {
    band: Band,
    /// Where each column begins.
    starts: Vec<usize>,
    rises: Vec<u64>,
    falls: Vec<u64>,
}

impl Table {
    fn new<T: Eq + Hash>(reference: &[T], hypothesis: &[T], band: Band) -> Self {
        let matches = Matches::new(reference);
        let mut column = Column::new(reference.len());
        let mut starts = Vec::with_capacity(hypothesis.len());
        // Room that is not written to takes no memory.
        let most = hypothesis.len() * band.most_blocks();
        let (mut rises, mut falls) = (Vec::with_capacity(most), Vec::with_capacity(most));
        for (number, symbol) in (1..).zip(hypothesis) {
            let blocks = band.blocks(number);
            column.step_within(matches.of(symbol), blocks.clone());
            starts.push(rises.len());
            rises.extend_from_slice(&column.rises[blocks.clone()]);
            falls.extend_from_slice(&column.falls[blocks]);
        }
        Self { band, starts, rises, falls }
    }

    /// Whether a cell is one above the cell of the row before. Rows and columns count from 1.
    fn rises(&self, column: usize, row: usize) -> bool {
        self.bit(&self.rises, column, row)
    }

    /// Whether a cell is one below the cell of the row before.
    fn falls(&self, column: usize, row: usize) -> bool {
        self.bit(&self.falls, column, row)
    }

    /// A cell without a block is on no cheapest way, and then it does not matter what is said of it.
    fn bit(&self, bits: &[u64], column: usize, row: usize) -> bool {
        let (blocks, block) = (self.band.blocks(column), (row - 1) / BLOCK);
        blocks.contains(&block)
            && bits[self.starts[column - 1] + block - blocks.start] >> ((row - 1) % BLOCK) & 1 == 1
    }
}

/// Appends the operations, with the whole band in memory.
fn trace<T: Eq + Hash>(ops: &mut Vec<Op>, reference: &[T], hypothesis: &[T], band: Band) {
    let start = ops.len();
    let (mut row, mut column) = (reference.len(), hypothesis.len());
    if row > 0 && column > 0 {
        let table = Table::new(reference, hypothesis, band);
        while row > 0 && column > 0 {
            if table.rises(column, row) {
                row -= 1;
                ops.push(Op::Delete);
            } else if column > 1 && table.falls(column - 1, row) {
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

/// The cut of a problem of so many edits, where that is known.
fn cut<T: Eq + Hash>(reference: &[T], hypothesis: &[T], edits: Option<usize>) -> Cut {
    widened(reference.len(), hypothesis.len(), edits, |band| {
        let cut = cut_within(reference, hypothesis, band);
        (cut.left + cut.right, cut)
    })
}

/// The cheapest cut at the middle of the hypothesis that lies in the band; of several the first.
fn cut_within<T: Eq + Hash>(reference: &[T], hypothesis: &[T], band: Band) -> Cut {
    let middle = hypothesis.len() / 2;
    let (first, last) = band.rows(middle).into_inner();
    let left = last_column(reference[..last].iter(), hypothesis[..middle].iter(), band.first(middle));
    // Seen from the other corner, the band is the same.
    let right_columns = hypothesis.len() - middle;
    let right = last_column(
        reference[first..].iter().rev(),
        hypothesis[middle..].iter().rev(),
        band.first(right_columns),
    );
    let mut best = Cut { reference: first, hypothesis: middle, left: left[0], right: right[last - first] };
    for (row, (&left, &right)) in (first..).zip(left.iter().zip(right.iter().rev())) {
        if left + right < best.left + best.right {
            best = Cut { reference: row, left, right, ..best };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SplitMix64, edit_distance};

    fn edits(ops: &[Op]) -> usize {
        ops.iter().filter(|op| **op != Op::Equal).count()
    }

    #[test]
    fn a_table_that_is_cut_costs_no_more_than_the_distance() {
        let mut random = SplitMix64::new(5);
        let mut draw = |count: usize| (0..count).map(|_| random.below(4) as u8).collect::<Vec<_>>();
        let (reference, hypothesis) = (draw(3000), draw(2500));
        assert!(reference.len() * hypothesis.len() / 4 > LARGE);
        let ops = ops(&reference, &hypothesis);
        assert_eq!(edits(&ops), edit_distance(&reference, &hypothesis));
    }

    #[test]
    fn no_choice_depends_on_the_width_of_the_band() {
        let mut random = SplitMix64::new(6);
        for round in 0..300 {
            let reference: Vec<usize> = (0..random.below(400)).map(|_| random.below(2 + round % 3)).collect();
            let mut hypothesis = reference.clone();
            for _ in 0..random.below(1 + round % 40) {
                let at = random.below(hypothesis.len() + 1);
                match random.below(3) {
                    0 => hypothesis.insert(at, random.below(3)),
                    _ if at == hypothesis.len() => {}
                    1 => hypothesis[at] = random.below(3),
                    _ => drop(hypothesis.remove(at)),
                }
            }
            let (rows, columns) = (reference.len(), hypothesis.len());
            let with = |band| {
                let mut ops = Vec::new();
                trace(&mut ops, &reference, &hypothesis, band);
                let Cut { reference, left, right, .. } = cut_within(&reference, &hypothesis, band);
                (ops, reference, left, right)
            };
            let whole = with(Band::whole(rows, columns));
            let distance = edit_distance(&reference, &hypothesis);
            assert_eq!(edits(&whole.0), distance);
            for limit in [distance, distance + 1, distance + 70, usize::MAX] {
                assert_eq!(with(Band::new(rows, columns, limit)), whole, "{reference:?} {hypothesis:?}");
            }
            let searched = cut(&reference, &hypothesis, None);
            assert_eq!((searched.reference, searched.left, searched.right), (whole.1, whole.2, whole.3));
        }
    }

    #[test]
    fn a_table_holds_the_band_alone() {
        let reference: Vec<u32> = (0..100_000).map(|number| number % 50).collect();
        let table = Table::new(&reference, &reference, Band::new(100_000, 100_000, 6));
        assert!(table.rises.len() < 120_000, "{}", table.rises.len());
    }
}
