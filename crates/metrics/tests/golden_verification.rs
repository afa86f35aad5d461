//! Equal error rates and detection costs are those of scikit-learn's ROC curves.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use sure_metrics::{equal_error_rate, metric, min_detection_cost};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/verification/trials.json");

#[derive(Deserialize)]
struct Case {
    scores: Vec<f64>,
    labels: Vec<u8>,
    eer: f64,
    min_dcf: BTreeMap<String, f64>,
}

#[test]
fn every_set_of_trials_equals_scikit_learn() {
    let cases: Vec<Case> = serde_json::from_slice(&fs::read(GOLDEN).unwrap()).unwrap();
    assert_eq!(cases.len(), 20);
    for (number, case) in cases.iter().enumerate() {
        let trials: Vec<(f64, bool)> =
            case.scores.iter().zip(&case.labels).map(|(&score, &label)| (score, label == 1)).collect();
        let near = |value: f64, expected: f64, name: &str| {
            // The root finder of the reference stops within 1e-14.
            assert!((value - expected).abs() < 1e-12, "set {number}, {name}: {value}, not {expected}");
        };
        near(equal_error_rate(&trials).unwrap(), case.eer, "eer");
        assert_eq!(case.min_dcf.len(), 4);
        for (prior, &expected) in &case.min_dcf {
            near(min_detection_cost(&trials, prior.parse().unwrap()).unwrap(), expected, prior);
        }
        let predictions: Vec<String> = case.scores.iter().map(ToString::to_string).collect();
        let references: Vec<String> = case.labels.iter().map(ToString::to_string).collect();
        near(metric("eer").unwrap().score(&predictions, &references).unwrap(), case.eer, "eer of texts");
        let cost = metric("min-dcf").unwrap().score(&predictions, &references).unwrap();
        near(cost, case.min_dcf["0.01"], "min-dcf of texts");
    }
}
