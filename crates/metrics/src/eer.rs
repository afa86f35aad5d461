//! Equal error rate.

use crate::verification::Trials;
use crate::{Metric, MetricError, MetricInfo, Statistic};

/// [`equal_error_rate`](crate::equal_error_rate) of trials whose predictions are scores (`0.73`) and whose references are
/// labels (`1` or `target`, `0` or `nontarget`).
///
/// A resample that draws trials of one sort alone scores 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Eer;

impl Metric for Eer {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            name: "eer",
            summary: "Equal error rate: refused targets against accepted nontargets, at the threshold where both are as frequent.",
            higher_is_better: false,
        }
    }

    fn statistic<'a>(
        &'a self,
        predictions: &'a [String],
        references: &'a [String],
    ) -> Result<Statistic<'a>, MetricError> {
        let trials = Trials::read(predictions, references)?;
        Ok(Box::new(move |items| trials.counts(items.iter().copied()).equal_error_rate()))
    }
}
