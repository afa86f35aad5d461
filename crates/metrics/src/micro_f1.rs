//! F1 over all items at once.

use crate::confusion::FromConfusion;
use crate::{Confusion, MetricInfo};

/// F1 over the pooled hits and misses of all classes; with one label an item it equals accuracy.
#[derive(Clone, Copy, Debug, Default)]
pub struct MicroF1;

impl FromConfusion for MicroF1 {
    const INFO: MetricInfo = MetricInfo {
        name: "micro-f1",
        summary: "F1 over the pooled hits and misses of all classes; with one label an item it equals accuracy.",
        higher_is_better: true,
    };

    fn of(confusion: &Confusion) -> f64 {
        // Every miss is one false positive and one false negative, so precision, recall and F1 are the hit rate.
        confusion.hit_rate()
    }
}
