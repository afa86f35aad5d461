//! An alignment: its operations, their counts, and a picture of it in the layout of jiwer's `visualize_alignment`.

use std::fmt::{self, Write as _};
use std::iter::Sum;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// One step of an alignment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Op {
    /// The same symbol on both sides.
    Equal,
    /// Another symbol in the hypothesis.
    Substitute,
    /// A symbol of the reference that the hypothesis lacks.
    Delete,
    /// A symbol of the hypothesis that the reference lacks.
    Insert,
}

/// How many symbols were right, and what was wrong with the others.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EditCounts {
    /// Symbols of the reference that the hypothesis has.
    pub hits: usize,
    /// Symbols of the reference that the hypothesis has another symbol for.
    pub substitutions: usize,
    /// Symbols of the reference that the hypothesis lacks.
    pub deletions: usize,
    /// Symbols of the hypothesis that the reference lacks.
    pub insertions: usize,
    /// Symbols of the reference: hits, substitutions and deletions together.
    pub reference: usize,
}

impl EditCounts {
    /// Substitutions, deletions and insertions together.
    pub const fn errors(&self) -> usize {
        self.substitutions + self.deletions + self.insertions
    }

    /// Errors over symbols of the reference. Without any of these it is the number of insertions, as in jiwer 4.
    pub fn rate(&self) -> f64 {
        self.errors() as f64 / self.reference.max(1) as f64
    }
}

impl AddAssign for EditCounts {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.substitutions += other.substitutions;
        self.deletions += other.deletions;
        self.insertions += other.insertions;
        self.reference += other.reference;
    }
}

impl Sum for EditCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, counts| {
            sum += counts;
            sum
        })
    }
}

/// A cheapest way from a reference to a hypothesis.
///
/// `{}` draws it as three lines, with a blank between the symbols; `{:#}` sets the symbols side by side, for
/// characters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alignment<'a, T> {
    reference: &'a [T],
    hypothesis: &'a [T],
    /// The operations, in order. `Equal`, `Substitute` and `Delete` take the next symbol of the reference; `Equal`,
    /// `Substitute` and `Insert` the next of the hypothesis.
    pub ops: Vec<Op>,
}

impl<'a, T> Alignment<'a, T> {
    pub(super) const fn new(reference: &'a [T], hypothesis: &'a [T], ops: Vec<Op>) -> Self {
        Self { reference, hypothesis, ops }
    }

    /// How often each operation occurs.
    pub fn counts(&self) -> EditCounts {
        let mut counts = EditCounts { reference: self.reference.len(), ..EditCounts::default() };
        for op in &self.ops {
            match op {
                Op::Equal => counts.hits += 1,
                Op::Substitute => counts.substitutions += 1,
                Op::Delete => counts.deletions += 1,
                Op::Insert => counts.insertions += 1,
            }
        }
        counts
    }

    /// The operations with the symbols they take from the reference and the hypothesis.
    pub fn steps(&self) -> impl Iterator<Item = (Op, Option<&'a T>, Option<&'a T>)> {
        let (mut reference, mut hypothesis) = (self.reference.iter(), self.hypothesis.iter());
        self.ops.iter().map(move |&op| match op {
            Op::Equal | Op::Substitute => (op, reference.next(), hypothesis.next()),
            Op::Delete => (op, reference.next(), None),
            Op::Insert => (op, None, hypothesis.next()),
        })
    }
}

impl<T: fmt::Display> fmt::Display for Alignment<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = ["REF:".to_owned(), "HYP:".to_owned(), "    ".to_owned()];
        let between = if f.alternate() { "" } else { " " };
        for (place, (op, reference, hypothesis)) in self.steps().enumerate() {
            let texts = [reference, hypothesis].map(|symbol| symbol.map(ToString::to_string));
            let width = texts.iter().flatten().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
            let mark = match op {
                Op::Equal => ' ',
                Op::Substitute => 'S',
                Op::Delete => 'D',
                Op::Insert => 'I',
            };
            let before = if place == 0 { " " } else { between };
            let [reference, hypothesis] = texts.map(|text| text.unwrap_or_else(|| "*".repeat(width)));
            for (row, text) in rows.iter_mut().zip([reference, hypothesis, mark.to_string()]) {
                write!(row, "{before}{text:>width$}")?;
            }
        }
        f.write_str(&rows.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use crate::align;

    fn words(text: &str) -> Vec<&str> {
        text.split(' ').collect()
    }

    #[test]
    fn the_picture_is_that_of_jiwers_documentation() {
        let (reference, hypothesis) = (words("short one here"), words("shoe order one"));
        assert_eq!(
            align(&reference, &hypothesis).to_string(),
            "REF: **** short one here\nHYP: shoe order one ****\n        I     S        D"
        );
        let (reference, hypothesis) =
            (words("quite a bit of longer sentence"), words("quite bit of an even longest sentence here"));
        assert_eq!(
            align(&reference, &hypothesis).to_string(),
            "REF: quite a bit of ** ****  longer sentence ****\n\
             HYP: quite * bit of an even longest sentence here\n\
             \x20          D         I    I       S             I"
        );
    }

    #[test]
    fn characters_stand_side_by_side() {
        let (reference, hypothesis): (Vec<char>, Vec<char>) =
            ("naïve".chars().collect(), "nave!".chars().collect());
        let picture = format!("{:#}", align(&reference, &hypothesis));
        assert_eq!(picture, "REF: naïve*\nHYP: na*ve!\n       D  I");
    }

    #[test]
    fn nothing_against_nothing_is_three_bare_rows() {
        assert_eq!(align::<char>(&[], &[]).to_string(), "REF:\nHYP:\n    ");
    }
}
