//! Texts are normalised as `transformers` does it, reference targets decoded as it tokenises them, and slots found as
//! SUPERB's pattern finds them.

use std::fs;

use serde::Deserialize;
use sure_text::{Alphabet, Normalizer, tag_reference, untag};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/text/text.json");

#[derive(Deserialize)]
struct Golden {
    normalised: Vec<Normalised>,
    targets: Vec<Target>,
    slots: Vec<Prediction>,
}

#[derive(Deserialize)]
struct Normalised {
    text: String,
    english: String,
    sure: String,
}

#[derive(Deserialize)]
struct Target {
    words: Vec<(String, String)>,
    tokens: Vec<String>,
    text: String,
    ids: Vec<usize>,
}

#[derive(Deserialize)]
struct Prediction {
    tagged: String,
    slots: Vec<(String, String)>,
}

fn golden() -> Golden {
    let bytes = fs::read(GOLDEN).expect("the golden is part of the repository");
    serde_json::from_slice(&bytes).expect("the golden is as its generator writes it")
}

#[test]
fn the_english_rule_is_that_of_whisper() {
    let cases = golden().normalised;
    assert_eq!(cases.len(), 349);
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| (case, Normalizer::English.apply(&case.text)))
        .filter(|(case, ours)| *ours != case.english.split_whitespace().collect::<Vec<_>>().join(" "))
        .map(|(case, ours)| format!("{:?}\n  {:?}, not\n  {:?}", case.text, ours, case.english))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rule_of_the_sure_code_is_its_own() {
    for case in golden().normalised {
        assert_eq!(Normalizer::Sure.apply(&case.text), case.sure, "{:?}", case.text);
    }
}

#[test]
fn reference_targets_are_those_of_the_reference_and_its_tokens_are_their_words() {
    for case in golden().targets {
        let words: Vec<(&str, &str)> = case.words.iter().map(|(word, tag)| (&**word, &**tag)).collect();
        assert_eq!(tag_reference(&words), case.text);
        let alphabet: Alphabet =
            serde_json::from_value(serde_json::json!({"kind": "slots", "tokens": case.tokens})).unwrap();
        let pieces: Vec<&str> = case.text.split_whitespace().filter(|piece| *piece != "|").collect();
        assert_eq!(alphabet.decode(&case.ids), pieces.join(" "));
    }
}

#[test]
fn slots_of_predictions_are_those_of_the_pattern() {
    let cases = golden().slots;
    assert_eq!(cases.len(), 150);
    assert!(cases.iter().any(|case| case.slots.len() > 1));
    for case in cases {
        let ours = untag(&case.tagged).slots.into_iter().map(|slot| (slot.kind, slot.value));
        assert_eq!(ours.collect::<Vec<_>>(), case.slots, "{}", case.tagged);
    }
}
