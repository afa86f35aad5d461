//! Every metric of labels gives the scores that scikit-learn gives; the other metrics have goldens of their own.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use sure_metrics::metric;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/metrics/metrics.json");

#[derive(Deserialize)]
struct Case {
    name: String,
    predictions: Vec<String>,
    references: Vec<String>,
    scores: BTreeMap<String, f64>,
}

#[test]
fn every_metric_of_labels_equals_scikit_learn() {
    let cases: Vec<Case> = serde_json::from_slice(&fs::read(GOLDEN).unwrap()).unwrap();
    assert_eq!(cases.len(), 14);
    for case in cases {
        let names: Vec<&str> = case.scores.keys().map(String::as_str).collect();
        assert_eq!(names, ["accuracy", "macro-f1", "micro-f1", "uar", "weighted-f1"], "{}", case.name);
        for (name, expected) in case.scores {
            let score = metric(&name).unwrap().score(&case.predictions, &case.references).unwrap();
            // The sums are added in another order.
            assert!((score - expected).abs() < 1e-12, "{}, {name}: {score}, not {expected}", case.name);
        }
    }
}
