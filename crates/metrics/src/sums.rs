//! Metrics that follow from sums over the items, so that a resample only adds numbers.

use crate::metric::check_lists;
use crate::{MetricError, Statistic};

/// What every item contributes to `N` sums.
pub(crate) struct Sums<const N: usize>(Vec<[f64; N]>);

impl<const N: usize> Sums<N> {
    /// Computes the parts of every item from its prediction and its reference, in this order.
    pub(crate) fn new(
        predictions: &[String],
        references: &[String],
        mut parts: impl FnMut(&str, &str) -> [f64; N],
    ) -> Result<Self, MetricError> {
        check_lists(predictions, references)?;
        Ok(Self(
            predictions
                .iter()
                .zip(references)
                .map(|(prediction, reference)| parts(prediction, reference))
                .collect(),
        ))
    }

    /// A value of the sums as a function of the items that take part.
    pub(crate) fn statistic<'a>(self, value: impl Fn([f64; N]) -> f64 + 'a) -> Statistic<'a> {
        Box::new(move |items| {
            let sums = items
                .iter()
                .fold([0.0; N], |sums, &item| std::array::from_fn(|index| sums[index] + self.0[item][index]));
            if items.is_empty() { 0.0 } else { value(sums) }
        })
    }
}
