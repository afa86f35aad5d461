//! Share of right answers.

use crate::confusion::FromConfusion;
use crate::{Confusion, MetricInfo};

/// The share of items whose label was predicted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Accuracy;

impl FromConfusion for Accuracy {
    const INFO: MetricInfo = MetricInfo {
        name: "accuracy",
        summary: "The share of items whose label was predicted.",
        higher_is_better: true,
    };

    fn of(confusion: &Confusion) -> f64 {
        confusion.hit_rate()
    }
}
