//! Alignments, counts and error rates are those of jiwer.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::fmt::Display;
use std::fs;
use std::hash::Hash;

use serde::Deserialize;
use sure_metrics::{EditCounts, Op, Unit, align, edit_counts, edit_distance, metric};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/edit-distance/pairs.json");

#[derive(Deserialize)]
struct Golden {
    wer: f64,
    cer: f64,
    pairs: Vec<Pair>,
    long: Vec<Pair>,
    near: Vec<Pair>,
    pictures: Vec<Picture>,
}

#[derive(Deserialize)]
struct Pair {
    reference: String,
    hypothesis: String,
    #[serde(default)]
    words: Option<[usize; 4]>,
    characters: [usize; 4],
    #[serde(default)]
    edits: Vec<(String, usize, usize)>,
}

#[derive(Deserialize)]
struct Picture {
    reference: String,
    hypothesis: String,
    words: String,
    characters: String,
}

fn golden() -> Golden {
    serde_json::from_slice(&fs::read(GOLDEN).unwrap()).unwrap()
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn characters(text: &str) -> Vec<char> {
    text.trim().chars().collect()
}

fn counted(counts: EditCounts) -> [usize; 4] {
    [counts.substitutions, counts.deletions, counts.insertions, counts.hits]
}

fn check<T: Eq + Hash>(reference: &[T], hypothesis: &[T], expected: [usize; 4], texts: &Pair) {
    let counts = align(reference, hypothesis).counts();
    assert_eq!(counted(counts), expected, "{} -> {}", texts.reference, texts.hypothesis);
    assert_eq!(edit_distance(reference, hypothesis), counts.errors());
    assert_eq!(counts.reference, reference.len());
}

#[test]
fn every_pair_is_aligned_as_jiwer_aligns_it() {
    let golden = golden();
    assert_eq!((golden.pairs.len(), golden.long.len()), (2000, 3));
    for pair in golden.pairs.iter().chain(&golden.long).chain(&golden.near) {
        if let Some(expected) = pair.words {
            check(&words(&pair.reference), &words(&pair.hypothesis), expected, pair);
        }
        check(&characters(&pair.reference), &characters(&pair.hypothesis), pair.characters, pair);
    }
}

#[test]
fn every_edit_of_a_long_pair_is_rapidfuzzs() {
    let golden = golden();
    assert_eq!(golden.near.len(), 5);
    for pair in &golden.near {
        let (reference, hypothesis) = (characters(&pair.reference), characters(&pair.hypothesis));
        let (mut row, mut column) = (0, 0);
        let mut edits = Vec::new();
        for (op, from, to) in align(&reference, &hypothesis).steps() {
            let name = match op {
                Op::Equal => None,
                Op::Substitute => Some("replace"),
                Op::Delete => Some("delete"),
                Op::Insert => Some("insert"),
            };
            edits.extend(name.map(|name| (name.to_owned(), row, column)));
            row += usize::from(from.is_some());
            column += usize::from(to.is_some());
        }
        assert_eq!(edits, pair.edits);
    }
}

#[test]
fn the_rates_and_counts_of_the_corpus_are_jiwers() {
    let golden = golden();
    let side =
        |text: fn(&Pair) -> &String| golden.pairs.iter().map(|pair| text(pair).clone()).collect::<Vec<_>>();
    let (references, predictions) = (side(|pair| &pair.reference), side(|pair| &pair.hypothesis));
    for (name, unit, expected) in [
        ("wer", Unit::Word, golden.wer),
        ("cer", Unit::Character, golden.cer),
        ("per", Unit::Phone, golden.wer),
    ] {
        assert_eq!(metric(name).unwrap().score(&predictions, &references), Ok(expected), "{name}");
        let counts = edit_counts(unit, &predictions, &references).unwrap();
        assert_eq!(counts.iter().copied().sum::<EditCounts>().rate(), expected, "{name}");
        for (counts, pair) in counts.iter().zip(&golden.pairs) {
            let expected = if unit == Unit::Character { Some(pair.characters) } else { pair.words };
            assert_eq!(Some(counted(*counts)), expected);
        }
    }
}

/// The three rows of a picture, without jiwer's heading.
fn rows(picture: &str) -> &str {
    picture.strip_prefix("=== SENTENCE 1 ===\n\n").unwrap().trim_end_matches('\n')
}

fn check_picture<T: Eq + Hash + Display>(
    reference: &[T],
    hypothesis: &[T],
    expected: &str,
    side_by_side: bool,
) {
    let alignment = align(reference, hypothesis);
    let drawn = if side_by_side { format!("{alignment:#}") } else { format!("{alignment}") };
    assert_eq!(drawn, rows(expected));
}

#[test]
fn pictures_are_jiwers() {
    let golden = golden();
    assert!(golden.pictures.len() > 30);
    for Picture { reference, hypothesis, words: of_words, characters: of_characters } in &golden.pictures {
        check_picture(&words(reference), &words(hypothesis), of_words, false);
        check_picture(&characters(reference), &characters(hypothesis), of_characters, true);
    }
}
