//! What holds for every metric whatever it is given.

mod lists;

use lists::{KINDS, Lists, names, of_kind};
use proptest::prelude::*;
use sure_metrics::{METRICS, MetricError, bootstrap, metric, t_interval};

/// Lists of one kind, with the names of the metrics that score them.
fn any_lists() -> impl Strategy<Value = (Vec<&'static str>, Lists)> {
    (0..KINDS.len()).prop_flat_map(|kind| (Just(names(kind)), of_kind(kind)))
}

fn picked(texts: &[String], items: &[usize]) -> Vec<String> {
    items.iter().map(|&item| texts[item].clone()).collect()
}

#[test]
fn every_metric_is_of_one_kind() {
    let mut listed: Vec<&str> = (0..KINDS.len()).flat_map(names).collect();
    let mut registered: Vec<&str> = METRICS.iter().map(|metric| metric.info().name).collect();
    listed.sort_unstable();
    registered.sort_unstable();
    assert_eq!(listed, registered);
}

proptest! {
    #[test]
    fn a_score_is_a_share_and_an_edit_rate_may_exceed_it((names, (predictions, references)) in any_lists()) {
        for name in names {
            let score = metric(name).unwrap().score(&predictions, &references).unwrap();
            let most = if ["wer", "cer", "per", "slot-value-cer"].contains(&name) { f64::MAX } else { 1.0 };
            prop_assert!((0.0..=most).contains(&score), "{}: {}", name, score);
        }
    }

    #[test]
    fn the_references_themselves_score_best((names, (_, references)) in any_lists()) {
        for name in names {
            let metric = metric(name).unwrap();
            let score = metric.score(&references, &references).unwrap();
            let best = f64::from(u8::from(metric.info().higher_is_better));
            prop_assert!((score - best).abs() < 1e-12, "{}: {}", name, score);
        }
    }

    #[test]
    fn the_order_of_the_items_does_not_matter(
        ((names, (predictions, references)), order) in any_lists().prop_flat_map(|lists| {
            let order: Vec<usize> = (0..lists.1.0.len()).collect();
            (Just(lists), Just(order).prop_shuffle())
        })
    ) {
        for name in names {
            let metric = metric(name).unwrap();
            let score = metric.score(&predictions, &references).unwrap();
            let shuffled = metric.score(&picked(&predictions, &order), &picked(&references, &order)).unwrap();
            // Means of unlike numbers are added in another order.
            prop_assert!((score - shuffled).abs() < 1e-12, "{}: {}, {}", name, score, shuffled);
        }
    }

    #[test]
    fn a_resample_scores_like_the_list_it_stands_for(
        ((names, (predictions, references)), items) in any_lists().prop_flat_map(|lists| {
            let count = lists.1.0.len();
            (Just(lists), prop::collection::vec(0..count, 1..60))
        })
    ) {
        for name in names {
            let metric = metric(name).unwrap();
            let resampled = metric.statistic(&predictions, &references).unwrap()(&items);
            let score = match metric.score(&picked(&predictions, &items), &picked(&references, &items)) {
                // A resample without one sort of trials.
                Err(MetricError::OneSided { .. }) => 0.0,
                score => score.unwrap(),
            };
            prop_assert!((resampled - score).abs() < 1e-12, "{}: {}, {}", name, resampled, score);
        }
    }

    #[test]
    fn labels_without_a_match_score_0((predictions, references) in of_kind(0)) {
        let others: Vec<String> = predictions.iter().map(|label| format!("other {label}")).collect();
        for name in names(0) {
            prop_assert_eq!(metric(name).unwrap().score(&others, &references).unwrap(), 0.0);
        }
    }

    #[test]
    fn the_names_of_the_classes_do_not_matter((predictions, references) in of_kind(0)) {
        // Upside down, so that the sorted order changes too.
        let renamed = |texts: &[String]| {
            texts.iter().map(|text| char::from(b'z' - (text.as_bytes()[0] - b'a')).to_string()).collect::<Vec<_>>()
        };
        for name in names(0) {
            let metric = metric(name).unwrap();
            let score = metric.score(&predictions, &references).unwrap();
            let other = metric.score(&renamed(&predictions), &renamed(&references)).unwrap();
            prop_assert!((score - other).abs() < 1e-12, "{}: {}, {}", name, score, other);
        }
    }

    #[test]
    fn only_the_order_of_trial_scores_matters((predictions, references) in of_kind(3)) {
        let steeper: Vec<String> =
            predictions.iter().map(|score| (score.parse::<f64>().unwrap() * 2.0).exp().to_string()).collect();
        for name in names(3) {
            let metric = metric(name).unwrap();
            prop_assert_eq!(metric.score(&steeper, &references), metric.score(&predictions, &references));
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
    let labels = ["0".to_owned(), "1".to_owned()];
    for metric in METRICS {
        assert_eq!(metric.score(&[], &[]), Err(MetricError::Empty));
        let mismatch = MetricError::LengthMismatch { predictions: 2, references: 1 };
        assert_eq!(metric.score(&labels, &labels[..1]), Err(mismatch.clone()));
        assert_eq!(metric.statistic(&labels, &labels[..1]).err(), Some(mismatch));
    }
}

#[test]
fn nothing_drawn_scores_0() {
    let labels = ["0".to_owned(), "1".to_owned()];
    for metric in METRICS {
        assert_eq!(metric.statistic(&labels, &labels).unwrap()(&[]), 0.0, "{}", metric.info().name);
    }
}
