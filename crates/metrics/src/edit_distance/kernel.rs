//! The bit-parallel table of Levenshtein distances: Myers 1999 in the form of Hyyrö 2003 ("A bit-vector algorithm for
//! computing Levenshtein and Damerau edit distances"), with any number of 64-bit blocks a column.
//!
//! Rows are the symbols of a pattern, columns those of a text. A column is kept as the differences between its
//! neighbouring cells, which are -1, 0 or 1. A column can be computed in a band of blocks alone (`band.rs`).

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

/// Rows in one block.
pub(super) const BLOCK: usize = 64;

/// Where in the pattern each symbol stands.
///
/// Only the blocks that have a symbol are kept: a table of all blocks for all symbols would take a gigabyte for a book.
pub(super) struct Matches<'a, T> {
    numbers: HashMap<&'a T, usize>,
    /// The part of `blocks` that each symbol has.
    spans: Vec<(usize, usize)>,
    /// The number of a block, and the rows in it that match.
    blocks: Vec<(usize, u64)>,
}

impl<'a, T: Eq + Hash> Matches<'a, T> {
    /// The places of the symbols of a pattern.
    pub(super) fn new(pattern: impl IntoIterator<Item = &'a T, IntoIter: ExactSizeIterator>) -> Self {
        let pattern = pattern.into_iter();
        // Long texts mostly repeat their symbols, so that room for all of them would stay empty.
        let room = pattern.len().min(1 << 10);
        let (mut numbers, mut counts) = (HashMap::with_capacity(room), Vec::with_capacity(room));
        let mut number_of = |symbol| {
            let number = *numbers.entry(symbol).or_insert(counts.len());
            if number == counts.len() {
                counts.push(0);
            }
            counts[number] += 1;
            number
        };
        let symbols: Vec<usize> = pattern.map(&mut number_of).collect();
        let mut spans = Vec::with_capacity(counts.len());
        let mut start = 0;
        for count in counts {
            spans.push((start, start));
            start += count;
        }
        let mut blocks: Vec<(usize, u64)> = vec![(0, 0); symbols.len()];
        for (row, symbol) in symbols.into_iter().enumerate() {
            let (start, end) = &mut spans[symbol];
            if start == end || blocks[*end - 1].0 != row / BLOCK {
                blocks[*end].0 = row / BLOCK;
                *end += 1;
            }
            blocks[*end - 1].1 |= 1 << (row % BLOCK);
        }
        Self { numbers, spans, blocks }
    }

    /// The rows whose symbol is this one.
    pub(super) fn of(&self, symbol: &T) -> &[(usize, u64)] {
        self.numbers.get(symbol).map_or(&[], |&number| {
            let (start, end) = self.spans[number];
            &self.blocks[start..end]
        })
    }
}

/// One column of the table.
pub(super) struct Column {
    rows: usize,
    /// The rows whose cell is one above the cell of the row before.
    pub(super) rises: Vec<u64>,
    /// The rows whose cell is one below the cell of the row before.
    pub(super) falls: Vec<u64>,
}

impl Column {
    /// The column in front of the text, for a pattern of so many rows: every row costs one more.
    pub(super) fn new(rows: usize) -> Self {
        let blocks = rows.div_ceil(BLOCK);
        Self { rows, rises: vec![u64::MAX; blocks], falls: vec![0; blocks] }
    }

    /// Goes on by one symbol of the text, given the rows that match it.
    pub(super) fn step(&mut self, matches: &[(usize, u64)]) {
        self.step_within(matches, 0..self.rises.len());
    }

    /// The same for these blocks alone, where the cell above them is taken to be one more than in the column before: so
    /// it is at the top of the table, and elsewhere it is no more.
    pub(super) fn step_within(&mut self, matches: &[(usize, u64)], blocks: Range<usize>) {
        let matches = match blocks.start {
            0 => matches,
            first => &matches[matches.partition_point(|&(number, _)| number < first)..],
        };
        let mut matching = matches.iter().peekable();
        let (mut rise_above, mut fall_above) = (1, 0);
        let columns = self.rises[blocks.clone()].iter_mut().zip(&mut self.falls[blocks.clone()]);
        for (block, (rises, falls)) in blocks.zip(columns) {
            let matches = matching.next_if(|&&(number, _)| number == block).map_or(0, |&(_, rows)| rows);
            let equal = matches | fall_above;
            let diagonal = ((equal & *rises).wrapping_add(*rises) ^ *rises) | equal | *falls;
            let rise = *falls | !(diagonal | *rises);
            let fall = diagonal & *rises;
            let (rise_below, fall_below) = (rise >> (BLOCK - 1), fall >> (BLOCK - 1));
            let (rise, fall) = (rise << 1 | rise_above, fall << 1 | fall_above);
            *rises = fall | !(diagonal | rise);
            *falls = rise & diagonal;
            (rise_above, fall_above) = (rise_below, fall_below);
        }
    }

    /// The lowest cell, after so many symbols of the text: the distance between these and the whole pattern.
    pub(super) fn bottom(&self, columns: usize) -> usize {
        let whole = self.rows / BLOCK;
        let below = (1_u64 << (self.rows % BLOCK)) - 1;
        let rest = |bits: &[u64]| bits.get(whole).map_or(0, |block| (block & below).count_ones()) as usize;
        self.below(columns, 0..whole) + rest(&self.rises) - rest(&self.falls)
    }

    /// The last cell of whole blocks, given the cell above them.
    pub(super) fn below(&self, above: usize, blocks: Range<usize>) -> usize {
        let count = |bits: &[u64]| {
            bits[blocks.clone()].iter().map(|block| block.count_ones() as usize).sum::<usize>()
        };
        above + count(&self.rises) - count(&self.falls)
    }

    /// The cells from the one above `block`, which is given, to the bottom.
    pub(super) fn cells(&self, block: usize, above: usize) -> Vec<usize> {
        let rows = block * BLOCK..self.rows;
        let mut cells = Vec::with_capacity(rows.len() + 1);
        let mut cell = above;
        cells.push(cell);
        for row in rows {
            cell = cell + bit(&self.rises, row) - bit(&self.falls, row);
            cells.push(cell);
        }
        cells
    }
}

/// The bit of one row, 0 or 1.
fn bit(blocks: &[u64], row: usize) -> usize {
    (blocks[row / BLOCK] >> (row % BLOCK) & 1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table by its definition.
    fn plain(pattern: &[u8], text: &[u8]) -> Vec<usize> {
        let mut column: Vec<usize> = (0..=pattern.len()).collect();
        for (index, symbol) in text.iter().enumerate() {
            let mut corner = column[0];
            column[0] = index + 1;
            for row in 1..column.len() {
                let diagonal = corner + usize::from(pattern[row - 1] != *symbol);
                corner = column[row];
                column[row] = diagonal.min(column[row] + 1).min(column[row - 1] + 1);
            }
        }
        column
    }

    #[test]
    fn every_cell_is_that_of_the_plain_table_across_the_edges_of_blocks() {
        let mut random = crate::SplitMix64::new(3);
        for rows in [1, 2, 63, 64, 65, 127, 128, 129, 200] {
            let mut draw = |count: usize| (0..count).map(|_| random.below(3) as u8).collect::<Vec<_>>();
            let (pattern, text) = (draw(rows), draw(rows + 7));
            let matches = Matches::new(&pattern);
            let mut column = Column::new(rows);
            for symbol in &text {
                column.step(matches.of(symbol));
            }
            let cells = column.cells(0, text.len());
            assert_eq!(cells, plain(&pattern, &text), "{rows} rows");
            assert_eq!(column.bottom(text.len()), cells[rows]);
        }
    }
}
