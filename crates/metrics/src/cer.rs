//! Character error rate.

use crate::edit_rate::{edit_sums, rate};
use crate::{Metric, MetricError, MetricInfo, Statistic, Unit};

/// Character error rate: substituted, deleted and inserted characters over the characters of the references.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cer;

impl Metric for Cer {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            name: "cer",
            summary: "Character error rate: substituted, deleted and inserted characters over the characters of the references.",
            higher_is_better: false,
        }
    }

    fn statistic<'a>(
        &'a self,
        predictions: &'a [String],
        references: &'a [String],
    ) -> Result<Statistic<'a>, MetricError> {
        Ok(edit_sums(Unit::Character, predictions, references)?.statistic(rate))
    }
}
