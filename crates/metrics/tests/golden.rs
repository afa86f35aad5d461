//! Every metric gives the scores that scikit-learn gives.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use sure_metrics::METRICS;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/metrics/metrics.json");

#[derive(Deserialize)]
struct Case {
    name: String,
    predictions: Vec<String>,
    references: Vec<String>,
    scores: BTreeMap<String, f64>,
}

#[test]
fn every_metric_equals_scikit_learn() {
    let cases: Vec<Case> = serde_json::from_slice(&fs::read(GOLDEN).unwrap()).unwrap();
    assert_eq!(cases.len(), 14);
    for case in cases {
        assert_eq!(case.scores.len(), METRICS.len(), "{}: a metric without a golden", case.name);
        for metric in METRICS {
            let name = metric.info().name;
            let score = metric.score(&case.predictions, &case.references).unwrap();
            let expected = case.scores[name];
            // The sums are added in another order.
            assert!((score - expected).abs() < 1e-12, "{}, {name}: {score}, not {expected}", case.name);
        }
    }
}
