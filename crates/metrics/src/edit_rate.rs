//! Error rates over words, characters or phones: the edits of all items over the symbols of all references.
//!
//! As jiwer 4 has it, with one difference: words are what stands between any white space, while jiwer parts them at
//! blanks and at two white-space characters or more. Neither normalises the text: what a difference in case or
//! punctuation costs is the caller's decision.

use std::hash::Hash;

use crate::metric::check_lists;
use crate::sums::Sums;
use crate::{EditCounts, MetricError, align, edit_distance};

/// What an error rate counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// What stands between white space.
    Word,
    /// Unicode scalar values, white space inside the text with them and around it without. A letter with a combining
    /// mark is two.
    Character,
    /// Symbols of phones, between white space.
    Phone,
}

/// What was right and wrong in every item, by a cheapest alignment; of several the one that jiwer gives.
///
/// `edit_counts(..)?.into_iter().sum::<EditCounts>().rate()` is the error rate of them all.
///
/// # Errors
///
/// [`MetricError::Empty`] or [`MetricError::LengthMismatch`].
pub fn edit_counts(
    unit: Unit,
    predictions: &[String],
    references: &[String],
) -> Result<Vec<EditCounts>, MetricError> {
    check_lists(predictions, references)?;
    let pairs = references.iter().zip(predictions);
    let counts = pairs.map(|(reference, prediction)| match unit {
        Unit::Word | Unit::Phone => align(&words(reference), &words(prediction)).counts(),
        Unit::Character => align(&characters(reference), &characters(prediction)).counts(),
    });
    Ok(counts.collect())
}

/// The edits of every item and the symbols of its reference, which is all that [`rate`] needs.
pub(crate) fn edit_sums(
    unit: Unit,
    predictions: &[String],
    references: &[String],
) -> Result<Sums<2>, MetricError> {
    Sums::new(predictions, references, |prediction, reference| match unit {
        Unit::Word | Unit::Phone => edits(&words(reference), &words(prediction)),
        Unit::Character => edits(&characters(reference), &characters(prediction)),
    })
}

/// Edits over symbols. Where the references are empty it is the number of edits, all of them insertions; so does jiwer.
pub(crate) fn rate([edits, symbols]: [f64; 2]) -> f64 {
    edits / symbols.max(1.0)
}

/// What stands between white space.
pub(crate) fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// The characters of a text, without the white space around it.
fn characters(text: &str) -> Vec<char> {
    text.trim().chars().collect()
}

fn edits<T: Eq + Hash>(reference: &[T], prediction: &[T]) -> [f64; 2] {
    [edit_distance(reference, prediction) as f64, reference.len() as f64]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn the_rate_is_that_of_the_corpus_and_not_the_mean_of_the_items() {
        let (predictions, references) = (texts(&["b", "a b c d"]), texts(&["a", "a b c d"]));
        assert_eq!(metric("wer").unwrap().score(&predictions, &references), Ok(0.2));
    }

    #[test]
    fn the_rate_of_the_counts_is_the_metric() {
        let (predictions, references) = (texts(&["a x c d", ""]), texts(&["a b c", "e f"]));
        for (unit, name) in [(Unit::Word, "wer"), (Unit::Character, "cer"), (Unit::Phone, "per")] {
            let counts = edit_counts(unit, &predictions, &references).unwrap();
            let sum = counts.into_iter().sum::<EditCounts>();
            assert_eq!(metric(name).unwrap().score(&predictions, &references), Ok(sum.rate()), "{name}");
        }
        let words: EditCounts = edit_counts(Unit::Word, &predictions, &references).unwrap().into_iter().sum();
        let expected = EditCounts { hits: 2, substitutions: 1, deletions: 2, insertions: 1, reference: 5 };
        assert_eq!(words, expected);
    }

    #[test]
    fn empty_references_are_scored_as_jiwer_scores_them() {
        let wer = metric("wer").unwrap();
        assert_eq!(wer.score(&texts(&["", " "]), &texts(&["", ""])), Ok(0.0));
        assert_eq!(wer.score(&texts(&["a b", ""]), &texts(&["", ""])), Ok(2.0));
        // Beside other items an empty reference adds its insertions alone.
        assert_eq!(wer.score(&texts(&["a b", "c"]), &texts(&["", "c d"])), Ok(1.5));
        assert_eq!(wer.score(&texts(&[""]), &texts(&["a b"])), Ok(1.0));
    }

    #[test]
    fn white_space_parts_words_and_counts_as_characters() {
        let (predictions, references) = (texts(&[" a\u{a0}\tb\n"]), texts(&["a b"]));
        assert_eq!(metric("wer").unwrap().score(&predictions, &references), Ok(0.0));
        // One blank against a no-break space and a tab.
        assert_eq!(metric("cer").unwrap().score(&predictions, &references), Ok(2.0 / 3.0));
    }

    #[test]
    fn a_combining_mark_is_a_character_of_its_own() {
        let cer = metric("cer").unwrap();
        assert_eq!(cer.score(&texts(&["e\u{301}"]), &texts(&["\u{e9}"])), Ok(2.0));
    }
}
