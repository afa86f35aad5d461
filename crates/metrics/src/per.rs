//! Phone error rate: the word error rate of texts whose words are symbols of phones.

use crate::edit_rate::{edit_sums, rate};
use crate::{Metric, MetricError, MetricInfo, Statistic, Unit};

/// Phone error rate: substituted, deleted and inserted phones over the phones of the references.
#[derive(Clone, Copy, Debug, Default)]
pub struct Per;

impl Metric for Per {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            name: "per",
            summary: "Phone error rate: substituted, deleted and inserted phones over the phones of the references.",
            higher_is_better: false,
        }
    }

    fn statistic<'a>(
        &'a self,
        predictions: &'a [String],
        references: &'a [String],
    ) -> Result<Statistic<'a>, MetricError> {
        Ok(edit_sums(Unit::Phone, predictions, references)?.statistic(rate))
    }
}
