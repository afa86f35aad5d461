//! Random predictions and references, of the kind that each metric scores.

use proptest::prelude::*;

/// Predictions and references.
pub(crate) type Lists = (Vec<String>, Vec<String>);

/// The metrics by what they score: labels, texts, tagged texts, trials.
pub(crate) const KINDS: [&str; 4] = [
    "accuracy weighted-f1 macro-f1 micro-f1 uar",
    "wer cer per",
    "slot-type-f1 slot-value-cer slot-edit-f1-full",
    "eer min-dcf",
];

/// The names of the metrics of one kind.
pub(crate) fn names(kind: usize) -> Vec<&'static str> {
    KINDS[kind].split(' ').collect()
}

/// Up to 40 items of one kind.
pub(crate) fn of_kind(kind: usize) -> BoxedStrategy<Lists> {
    match kind {
        0 => lists("[a-f]".boxed(), "[a-f]".boxed()),
        1 => lists(words(), words()),
        2 => lists(pieces(true), pieces(false)),
        _ => trials(),
    }
}

fn lists(prediction: BoxedStrategy<String>, reference: BoxedStrategy<String>) -> BoxedStrategy<Lists> {
    prop::collection::vec((prediction, reference), 1..40).prop_map(|pairs| pairs.into_iter().unzip()).boxed()
}

fn words() -> BoxedStrategy<String> {
    prop::collection::vec("[a-cé]{1,2}", 0..8).prop_map(|words| words.join(" ")).boxed()
}

/// Words and slots, in predictions also tags without a partner.
fn pieces(stray: bool) -> BoxedStrategy<String> {
    let slot = ("[ab]", "[a-c;:]( [a-c])?").prop_map(|(kind, value)| format!("B-{kind} {value} E-{kind}"));
    let tag = "[BE]-[ab]";
    let piece =
        if stray { prop_oneof!["[a-c]", slot, tag].boxed() } else { prop_oneof!["[a-c]", slot].boxed() };
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.join(" ")).boxed()
}

/// Scores and labels with at least one trial of both sorts.
fn trials() -> BoxedStrategy<Lists> {
    let score = || (-8..8_i32).prop_map(|score| (f64::from(score) / 4.0).to_string());
    let rest = prop::collection::vec((score(), "[01]"), 0..38);
    (score(), score(), rest)
        .prop_map(|(target, nontarget, rest)| {
            let both = [(target, "1".to_owned()), (nontarget, "0".to_owned())];
            both.into_iter().chain(rest).unzip()
        })
        .boxed()
}
