//! What holds for every metric whatever the labels.

use proptest::prelude::*;
use sure_metrics::{METRICS, MetricError, bootstrap, t_interval};

/// Predictions and references of up to 40 items in up to 6 classes.
fn lists() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    prop::collection::vec(("[a-f]", "[a-f]"), 1..40).prop_map(|pairs| pairs.into_iter().unzip())
}

proptest! {
    #[test]
    fn a_score_lies_between_0_and_1((predictions, references) in lists()) {
        for metric in METRICS {
            let score = metric.score(&predictions, &references).unwrap();
            prop_assert!((0.0..=1.0).contains(&score), "{}: {score}", metric.info().name);
        }
    }

    #[test]
    fn the_references_themselves_score_1((_, references) in lists()) {
        for metric in METRICS {
            let score = metric.score(&references, &references).unwrap();
            prop_assert!((score - 1.0).abs() < 1e-12, "{}: {score}", metric.info().name);
        }
    }

    #[test]
    fn labels_without_a_match_score_0((predictions, references) in lists()) {
        let others: Vec<String> = predictions.iter().map(|label| format!("other {label}")).collect();
        for metric in METRICS {
            prop_assert_eq!(metric.score(&others, &references).unwrap(), 0.0);
        }
    }

    #[test]
    fn the_order_of_the_items_does_not_matter(
        (lists, order) in lists().prop_flat_map(|lists| {
            let order: Vec<usize> = (0..lists.0.len()).collect();
            (Just(lists), Just(order).prop_shuffle())
        })
    ) {
        let (predictions, references) = lists;
        let shuffled = |texts: &[String]| order.iter().map(|&item| texts[item].clone()).collect::<Vec<_>>();
        for metric in METRICS {
            let score = metric.score(&predictions, &references).unwrap();
            prop_assert_eq!(metric.score(&shuffled(&predictions), &shuffled(&references)).unwrap(), score);
        }
    }

    #[test]
    fn the_names_of_the_classes_do_not_matter((predictions, references) in lists()) {
        // Upside down, so that the sorted order changes too.
        let renamed = |texts: &[String]| {
            texts.iter().map(|text| char::from(b'z' - (text.as_bytes()[0] - b'a')).to_string()).collect::<Vec<_>>()
        };
        for metric in METRICS {
            let score = metric.score(&predictions, &references).unwrap();
            let other = metric.score(&renamed(&predictions), &renamed(&references)).unwrap();
            prop_assert!((score - other).abs() < 1e-12, "{}: {score}, {other}", metric.info().name);
        }
    }

    #[test]
    fn a_resample_scores_like_the_list_it_stands_for(
        (lists, items) in lists().prop_flat_map(|lists| {
            let count = lists.0.len();
            (Just(lists), prop::collection::vec(0..count, 1..60))
        })
    ) {
        let (predictions, references) = lists;
        let picked = |texts: &[String]| items.iter().map(|&item| texts[item].clone()).collect::<Vec<_>>();
        for metric in METRICS {
            let resampled = metric.statistic(&predictions, &references).unwrap()(&items);
            let score = metric.score(&picked(&predictions), &picked(&references)).unwrap();
            prop_assert!((resampled - score).abs() < 1e-12, "{}", metric.info().name);
        }
    }

    #[test]
    fn intervals_hold_their_mean(values in prop::collection::vec(-1e3..1e3_f64, 2..20), seed in any::<u64>()) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let over_seeds = t_interval(&values).unwrap();
        prop_assert!(over_seeds.low <= mean && mean <= over_seeds.high);
        let resampled = bootstrap(values.len(), 200, seed, |items| {
            items.iter().map(|&item| values[item]).sum::<f64>() / items.len() as f64
        }).unwrap();
        let (least, most) = (values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(f64::MIN, f64::max));
        prop_assert!(least - 1e-9 <= resampled.low && resampled.low <= resampled.high && resampled.high <= most + 1e-9);
    }
}

#[test]
fn lists_that_do_not_fit_are_errors() {
    let labels = ["a".to_owned(), "b".to_owned()];
    for metric in METRICS {
        assert_eq!(metric.score(&[], &[]), Err(MetricError::Empty));
        let mismatch = MetricError::LengthMismatch { predictions: 2, references: 1 };
        assert_eq!(metric.score(&labels, &labels[..1]), Err(mismatch.clone()));
        assert_eq!(metric.statistic(&labels, &labels[..1]).err(), Some(mismatch));
    }
}
