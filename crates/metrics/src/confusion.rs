//! Counts of answers by label, the base of the F1 family.

use std::collections::BTreeMap;

use crate::metric::check_lists;
use crate::{Metric, MetricError, MetricInfo, Statistic};

/// What happened to one class.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ClassCounts {
    /// Items of the class that were predicted as the class.
    pub hits: usize,
    /// Items of the class.
    pub references: usize,
    /// Items that were predicted as the class.
    pub predictions: usize,
}

impl ClassCounts {
    /// Hits over references; 0 where the class has no references.
    pub fn recall(&self) -> f64 {
        ratio(self.hits, self.references)
    }

    /// The harmonic mean of precision and recall; 0 where the class was neither hit nor missed.
    pub fn f1(&self) -> f64 {
        ratio(2 * self.hits, self.references + self.predictions)
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// One-against-the-rest counts of every class that occurs in the references or the predictions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Confusion {
    /// The counts, in the order of the sorted labels; a class of which a resample drew nothing is all zeros.
    pub classes: Vec<ClassCounts>,
    /// How many items were counted.
    pub items: usize,
}

impl Confusion {
    /// How many items were predicted right.
    pub fn hits(&self) -> usize {
        self.classes.iter().map(|class| class.hits).sum()
    }

    /// Hits over items; 0 without items.
    pub fn hit_rate(&self) -> f64 {
        ratio(self.hits(), self.items)
    }

    /// The classes that occur in the references or the predictions of these items.
    pub fn occurring(&self) -> impl Iterator<Item = &ClassCounts> {
        self.classes.iter().filter(|class| class.references + class.predictions > 0)
    }
}

/// References and predictions as class numbers, so that a resample needs no texts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LabelPairs {
    classes: usize,
    pairs: Vec<(usize, usize)>,
}

impl LabelPairs {
    /// Numbers the labels that occur on either side, in sorted order.
    ///
    /// # Errors
    ///
    /// [`MetricError::Empty`] or [`MetricError::LengthMismatch`].
    pub fn new(predictions: &[String], references: &[String]) -> Result<Self, MetricError> {
        check_lists(predictions, references)?;
        let mut numbers: BTreeMap<&str, usize> =
            references.iter().chain(predictions).map(|label| (label.as_str(), 0)).collect();
        for (number, slot) in numbers.values_mut().enumerate() {
            *slot = number;
        }
        let pairs = references
            .iter()
            .zip(predictions)
            .map(|(reference, prediction)| (numbers[reference.as_str()], numbers[prediction.as_str()]))
            .collect();
        Ok(Self { classes: numbers.len(), pairs })
    }

    /// Counts the given items.
    ///
    /// # Panics
    ///
    /// When an index is not below the number of items.
    pub fn confusion(&self, items: impl IntoIterator<Item = usize>) -> Confusion {
        let mut classes = vec![ClassCounts::default(); self.classes];
        let mut count = 0;
        for item in items {
            let (reference, prediction) = self.pairs[item];
            classes[reference].references += 1;
            classes[prediction].predictions += 1;
            classes[reference].hits += usize::from(reference == prediction);
            count += 1;
        }
        Confusion { classes, items: count }
    }
}

/// A metric that needs nothing but the counts of a [`Confusion`].
pub(crate) trait FromConfusion: Sync {
    const INFO: MetricInfo;

    fn of(confusion: &Confusion) -> f64;
}

impl<T: FromConfusion> Metric for T {
    fn info(&self) -> MetricInfo {
        T::INFO
    }

    fn statistic<'a>(
        &'a self,
        predictions: &'a [String],
        references: &'a [String],
    ) -> Result<Statistic<'a>, MetricError> {
        let pairs = LabelPairs::new(predictions, references)?;
        Ok(Box::new(move |items| T::of(&pairs.confusion(items.iter().copied()))))
    }
}
