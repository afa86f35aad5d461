//! F1 averaged over the classes.

use crate::confusion::FromConfusion;
use crate::{Confusion, MetricInfo};

/// The plain mean of the F1 of every class that occurs in the references or the predictions.
#[derive(Clone, Copy, Debug, Default)]
pub struct MacroF1;

impl FromConfusion for MacroF1 {
    const INFO: MetricInfo = MetricInfo {
        name: "macro-f1",
        summary: "The plain mean of the F1 of every class that occurs in the references or the predictions.",
        higher_is_better: true,
    };

    fn of(confusion: &Confusion) -> f64 {
        let (sum, classes) = confusion
            .occurring()
            .fold((0.0, 0_usize), |(sum, classes), class| (sum + class.f1(), classes + 1));
        if classes == 0 { 0.0 } else { sum / classes as f64 }
    }
}
