//! The part of the table that a cheap way takes (Ukkonen 1985, "Algorithms for approximate string matching").
//!
//! Each step off a diagonal costs one. So a way of at most `limit` edits leaves the diagonals between the two corners
//! of the table by no more than half of what `limit` is above their distance, and only blocks of these diagonals are
//! computed. What lies outside is taken to be dearer than it is; so no cell is below its true value, and every cell of
//! a way of at most `limit` edits has it.

use std::hash::Hash;
use std::ops::{Range, RangeInclusive};

use super::kernel::{BLOCK, Column, Matches};

/// The edits that a band is first made for.
const FEW: usize = 64;

/// How many times as many the next band is for. Less would cost texts without likeness, more those of some likeness.
const WIDER: usize = 8;

/// The diagonals that a way from corner to corner takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Band {
    rows: usize,
    /// How far it goes above the diagonal of the first corner.
    above: usize,
    /// How far it goes below.
    below: usize,
}

impl Band {
    /// The band of a table for ways of at most `limit` edits, or of as many as any way has.
    pub(super) fn new(rows: usize, columns: usize, limit: usize) -> Self {
        let limit = limit.clamp(rows.abs_diff(columns), rows.max(columns));
        Self { rows, above: (limit + columns - rows) / 2, below: (limit + rows - columns) / 2 }
    }

    /// All of the table.
    #[cfg(test)]
    pub(super) fn whole(rows: usize, columns: usize) -> Self {
        Self { rows, above: columns, below: rows }
    }

    /// The rows in a column; 0 is the row above the table, and so is column 0 the one in front of it.
    pub(super) fn rows(self, column: usize) -> RangeInclusive<usize> {
        column.saturating_sub(self.above)..=self.rows.min(column + self.below)
    }

    /// The blocks of these rows.
    pub(super) fn blocks(self, column: usize) -> Range<usize> {
        let rows = self.rows(column);
        rows.start().saturating_sub(1) / BLOCK..rows.end().div_ceil(BLOCK)
    }

    /// More blocks no column has.
    pub(super) fn most_blocks(self) -> usize {
        self.rows.div_ceil(BLOCK).min((self.above + self.below) / BLOCK + 2)
    }

    /// The band of the first columns alone, which has no rows below it.
    pub(super) fn first(self, columns: usize) -> Self {
        Self { rows: *self.rows(columns).end(), ..self }
    }
}

/// What is found in a band that is wide enough for what it costs. The band is for `edits` edits where their number is
/// known, and otherwise for more and more.
pub(super) fn widened<F>(
    rows: usize,
    columns: usize,
    edits: Option<usize>,
    within: impl Fn(Band) -> (usize, F),
) -> F {
    let mut limit = edits.unwrap_or(FEW).max(rows.abs_diff(columns));
    loop {
        let (cost, found) = within(Band::new(rows, columns, limit));
        if cost <= limit {
            return found;
        }
        // A way of this cost was found, so the cheapest costs no more.
        limit = cost.min(WIDER * limit);
    }
}

/// What the prefixes of the pattern that lie in the band cost against the whole text.
pub(super) fn last_column<'a, T: Eq + Hash + 'a>(
    pattern: impl ExactSizeIterator<Item = &'a T>,
    text: impl ExactSizeIterator<Item = &'a T>,
    band: Band,
) -> Vec<usize> {
    let (rows, last) = (pattern.len(), band.rows(text.len()));
    let matches = Matches::new(pattern);
    let mut column = Column::new(rows);
    let (mut first, mut above) = (0, 0);
    for (number, symbol) in (1..).zip(text) {
        let blocks = band.blocks(number);
        above = column.below(above, first..blocks.start) + 1;
        first = blocks.start;
        column.step_within(matches.of(symbol), blocks);
    }
    let mut cells = column.cells(first, above);
    cells.drain(..last.start() - first * BLOCK);
    cells
}
