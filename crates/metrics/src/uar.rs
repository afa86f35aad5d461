//! Unweighted average recall.

use crate::confusion::FromConfusion;
use crate::{ClassCounts, Confusion, MetricInfo};

/// Unweighted average recall: the plain mean of the recall of every class that occurs in the references.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uar;

impl FromConfusion for Uar {
    const INFO: MetricInfo = MetricInfo {
        name: "uar",
        summary: "Unweighted average recall: the plain mean of the recall of every class that occurs in the references.",
        higher_is_better: true,
    };

    fn of(confusion: &Confusion) -> f64 {
        let recalls: Vec<f64> =
            confusion.classes.iter().filter(|class| class.references > 0).map(ClassCounts::recall).collect();
        if recalls.is_empty() { 0.0 } else { recalls.iter().sum::<f64>() / recalls.len() as f64 }
    }
}
