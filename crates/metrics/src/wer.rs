//! Word error rate.

use crate::edit_rate::{edit_sums, rate};
use crate::{Metric, MetricError, MetricInfo, Statistic, Unit};

/// Word error rate: substituted, deleted and inserted words over the words of the references.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wer;

impl Metric for Wer {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            name: "wer",
            summary: "Word error rate: substituted, deleted and inserted words over the words of the references.",
            higher_is_better: false,
        }
    }

    fn statistic<'a>(
        &'a self,
        predictions: &'a [String],
        references: &'a [String],
    ) -> Result<Statistic<'a>, MetricError> {
        Ok(edit_sums(Unit::Word, predictions, references)?.statistic(rate))
    }
}
