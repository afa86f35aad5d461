//! Detection cost.

use crate::verification::Trials;
use crate::{Metric, MetricError, MetricInfo, Statistic};

/// The customary prior of targets: that of NIST SRE and the papers on `VoxCeleb`.
const TARGET_PRIOR: f64 = 0.01;

/// [`min_detection_cost`](crate::min_detection_cost) at a prior of 0.01, of trials as [`Eer`](crate::Eer) reads them.
///
/// A resample that draws trials of one sort alone scores 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct MinDcf;

impl Metric for MinDcf {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            name: "min-dcf",
            summary: "Least normalised detection cost over all thresholds, with one trial in 100 a target and both errors costing 1.",
            higher_is_better: false,
        }
    }

    fn statistic<'a>(
        &'a self,
        predictions: &'a [String],
        references: &'a [String],
    ) -> Result<Statistic<'a>, MetricError> {
        let trials = Trials::read(predictions, references)?;
        Ok(Box::new(move |items| trials.counts(items.iter().copied()).min_detection_cost(TARGET_PRIOR)))
    }
}
