//! F1 averaged over the classes, weighted by their support.

use crate::confusion::FromConfusion;
use crate::{Confusion, MetricInfo};

/// The mean of the F1 of every class, weighted by the class's share of the references.
#[derive(Clone, Copy, Debug, Default)]
pub struct WeightedF1;

impl FromConfusion for WeightedF1 {
    const INFO: MetricInfo = MetricInfo {
        name: "weighted-f1",
        summary: "The mean of the F1 of every class, weighted by the class's share of the references.",
        higher_is_better: true,
    };

    fn of(confusion: &Confusion) -> f64 {
        if confusion.items == 0 {
            return 0.0;
        }
        let sum: f64 = confusion.classes.iter().map(|class| class.references as f64 * class.f1()).sum();
        sum / confusion.items as f64
    }
}
