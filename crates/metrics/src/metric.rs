//! The seam of the metrics.

use serde::Serialize;

use crate::{METRICS, MetricError, Score};

/// What a metric is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct MetricInfo {
    /// The name in the registry, in kebab case.
    pub name: &'static str,
    /// What it measures, in one sentence.
    pub summary: &'static str,
    /// Whether more of it is better.
    pub higher_is_better: bool,
}

/// A score as a function of the items that take part, given by their indices (an item may occur several times).
pub type Statistic<'a> = Box<dyn Fn(&[usize]) -> f64 + 'a>;

/// A pure function from predictions and references to one number.
///
/// # For implementers
///
/// `statistic` checks that both lists are equally long and not empty, and reads every text once, so that a resample
/// only adds numbers.
pub trait Metric: Sync {
    /// What the metric is.
    fn info(&self) -> MetricInfo;

    /// The score as a function of the items that take part, for resampling. An empty selection scores zero.
    ///
    /// # Errors
    ///
    /// [`MetricError::Empty`] or [`MetricError::LengthMismatch`], and where a metric reads more than labels from the
    /// texts, what it cannot read.
    fn statistic<'a>(
        &'a self,
        predictions: &'a [String],
        references: &'a [String],
    ) -> Result<Statistic<'a>, MetricError>;

    /// Scores `predictions` against `references`, item by item: the statistic of all items.
    ///
    /// # Errors
    ///
    /// Those of [`Metric::statistic`].
    fn score(&self, predictions: &[String], references: &[String]) -> Result<f64, MetricError> {
        let statistic = self.statistic(predictions, references)?;
        Ok(statistic(&(0..references.len()).collect::<Vec<_>>()))
    }

    /// [`Metric::score`] with its name, direction and count.
    ///
    /// # Errors
    ///
    /// Those of [`Metric::score`].
    fn evaluate(&self, predictions: &[String], references: &[String]) -> Result<Score, MetricError> {
        let info = self.info();
        Ok(Score {
            name: info.name.to_owned(),
            value: self.score(predictions, references)?,
            unit: "ratio".to_owned(),
            higher_is_better: info.higher_is_better,
            n: references.len(),
        })
    }
}

/// Whether the lists can name the same items: equally long, and not empty.
pub(crate) fn check_lists(predictions: &[String], references: &[String]) -> Result<(), MetricError> {
    if predictions.len() != references.len() {
        return Err(MetricError::LengthMismatch {
            predictions: predictions.len(),
            references: references.len(),
        });
    }
    if references.is_empty() { Err(MetricError::Empty) } else { Ok(()) }
}

/// The metric called `name`.
///
/// # Errors
///
/// [`MetricError::NoSuchMetric`], which lists the names that exist.
pub fn metric(name: &str) -> Result<&'static dyn Metric, MetricError> {
    METRICS.iter().copied().find(|metric| metric.info().name == name).ok_or_else(|| {
        MetricError::NoSuchMetric {
            name: name.to_owned(),
            known: METRICS.iter().map(|metric| metric.info().name).collect::<Vec<_>>().join(", "),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_found_by_its_own_name_and_has_a_summary() {
        for listed in METRICS {
            let info = listed.info();
            assert_eq!(metric(info.name).unwrap().info(), info);
            assert!(info.summary.ends_with('.'), "{}", info.name);
        }
    }

    #[test]
    fn an_unknown_name_lists_what_exists() {
        let message = metric("f1").err().unwrap().to_string();
        assert_eq!(
            message,
            "no metric is called `f1`; there are: accuracy, weighted-f1, macro-f1, micro-f1, uar, wer, cer, per, slot-type-f1, slot-value-cer, slot-edit-f1-full, eer, min-dcf"
        );
    }

    #[test]
    fn a_score_carries_its_name_direction_and_count() {
        let labels = ["a".to_owned(), "b".to_owned()];
        let score = metric("accuracy").unwrap().evaluate(&labels, &labels).unwrap();
        assert_eq!((score.name.as_str(), score.value, score.unit.as_str()), ("accuracy", 1.0, "ratio"));
        assert!(score.higher_is_better);
        assert_eq!(score.n, 2);
    }
}
