//! Share of right answers.

use crate::confusion::FromConfusion;
use crate::{Confusion, MetricInfo};

/// The share of items whose label was predicted.
///
/// Of intents whose parts are written as one label (`action=activate; object=lights; location=none`) it is the intent
/// accuracy: an item counts when all parts are right.
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
