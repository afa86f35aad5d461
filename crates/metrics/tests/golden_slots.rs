//! Slot metrics are those of a plain restatement of their definitions.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use sure_metrics::metric;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/slots/slots.json");

#[derive(Deserialize)]
struct Golden {
    scores: BTreeMap<String, f64>,
    pairs: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    prediction: String,
    reference: String,
    type_f1: f64,
    value_edits: [f64; 2],
    edit_counts: [f64; 3],
}

fn assert_near(name: &str, predictions: &[String], references: &[String], expected: f64) {
    let score = metric(name).unwrap().score(predictions, references).unwrap();
    // P and R are divided and multiplied in another order.
    assert!(
        (score - expected).abs() < 1e-12,
        "{name}: {score}, not {expected}: {predictions:?} {references:?}"
    );
}

#[test]
fn every_pair_and_all_of_them_score_as_restated() {
    let golden: Golden = serde_json::from_slice(&fs::read(GOLDEN).unwrap()).unwrap();
    assert_eq!((golden.scores.len(), golden.pairs.len()), (3, 300));
    for pair in &golden.pairs {
        let (prediction, reference) = ([pair.prediction.clone()], [pair.reference.clone()]);
        assert_near("slot-type-f1", &prediction, &reference, pair.type_f1);
        let [edits, characters] = pair.value_edits;
        assert_near("slot-value-cer", &prediction, &reference, edits / characters.max(1.0));
        let [hits, missed, claimed] = pair.edit_counts;
        let all = 2.0 * hits + missed + claimed;
        assert_near(
            "slot-edit-f1-full",
            &prediction,
            &reference,
            if all > 0.0 { 2.0 * hits / all } else { 1.0 },
        );
    }
    let (predictions, references): (Vec<_>, Vec<_>) =
        golden.pairs.into_iter().map(|pair| (pair.prediction, pair.reference)).unzip();
    for (name, expected) in golden.scores {
        assert_near(&name, &predictions, &references, expected);
    }
}
