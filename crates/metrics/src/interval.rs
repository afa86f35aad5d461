//! Intervals: bootstrap over items, paired bootstrap, Student over runs.

use serde::{Deserialize, Serialize};

use crate::student::two_sided_quantile;
use crate::{MetricError, SplitMix64};

/// The share of resamples, or of the sampling distribution, that every interval here covers.
const LEVEL: f64 = 0.95;

/// A confidence interval.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The confidence level, 0.95 for 95 %.
    pub level: f64,
}

impl Interval {
    /// Half the distance between the ends.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// How far two systems lie apart on the same items.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PairedDifference {
    /// The difference over all items as they are.
    pub mean: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end of its 95 % interval.
    pub high: f64,
}

impl PairedDifference {
    /// Whether the interval holds zero: the items do not tell the two systems apart.
    pub fn is_tie(&self) -> bool {
        self.low <= 0.0 && 0.0 <= self.high
    }
}

/// The 95 % percentile bootstrap over items: `statistic` is called with `samples` resamples of `0..n_items`, drawn with
/// replacement by [`SplitMix64`] from `seed`.
///
/// # Errors
///
/// [`MetricError::Empty`] without items, [`MetricError::NoResamples`] without resamples.
pub fn bootstrap(
    n_items: usize,
    samples: usize,
    seed: u64,
    mut statistic: impl FnMut(&[usize]) -> f64,
) -> Result<Interval, MetricError> {
    if n_items == 0 {
        return Err(MetricError::Empty);
    }
    if samples == 0 {
        return Err(MetricError::NoResamples);
    }
    let mut random = SplitMix64::new(seed);
    let mut items = vec![0; n_items];
    let mut values: Vec<f64> = (0..samples)
        .map(|_| {
            items.fill_with(|| random.below(n_items));
            statistic(&items)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - LEVEL) / 2.0;
    Ok(Interval { low: quantile(&values, tail), high: quantile(&values, 1.0 - tail), level: LEVEL })
}

/// The paired bootstrap: like [`bootstrap`], of the `difference` between two systems on the same resampled items.
///
/// # Errors
///
/// Those of [`bootstrap`].
pub fn paired_bootstrap(
    n_items: usize,
    samples: usize,
    seed: u64,
    mut difference: impl FnMut(&[usize]) -> f64,
) -> Result<PairedDifference, MetricError> {
    let interval = bootstrap(n_items, samples, seed, &mut difference)?;
    let all: Vec<usize> = (0..n_items).collect();
    Ok(PairedDifference { mean: difference(&all), low: interval.low, high: interval.high })
}

/// The 95 % interval of the mean of independent runs, from Student's t: mean ± t · s / √n.
///
/// # Errors
///
/// [`MetricError::TooFewValues`] with fewer than two values.
pub fn t_interval(values: &[f64]) -> Result<Interval, MetricError> {
    if values.len() < 2 {
        return Err(MetricError::TooFewValues { values: values.len() });
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let half = two_sided_quantile(LEVEL, values.len() - 1) * (variance / count).sqrt();
    Ok(Interval { low: mean - half, high: mean + half, level: LEVEL })
}

/// The value below which a `share` of the sorted values lies, interpolated linearly.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(values: &[f64]) -> impl Fn(&[usize]) -> f64 + '_ {
        |items| items.iter().map(|&item| values[item]).sum::<f64>() / items.len() as f64
    }

    #[test]
    fn the_bootstrap_of_a_share_is_near_the_normal_interval() {
        let values: Vec<f64> = (0..400).map(|item| f64::from(u8::from(item % 4 != 0))).collect();
        let interval = bootstrap(400, 2000, 7, mean_of(&values)).unwrap();
        // 0.75 ± 1.96 · sqrt(0.75 · 0.25 / 400)
        assert!((interval.low - 0.7076).abs() < 0.006, "{interval:?}");
        assert!((interval.high - 0.7924).abs() < 0.006, "{interval:?}");
        assert_eq!(interval.level, 0.95);
    }

    #[test]
    fn the_bootstrap_repeats_itself_and_depends_on_its_seed() {
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        let of_seed = |seed| bootstrap(50, 200, seed, mean_of(&values)).unwrap();
        assert_eq!(of_seed(1), of_seed(1));
        assert_ne!(of_seed(1), of_seed(2));
    }

    #[test]
    fn a_constant_difference_is_no_tie_and_a_wavering_one_is() {
        let better = paired_bootstrap(40, 200, 3, |_| 0.1).unwrap();
        assert_eq!((better.mean, better.is_tie()), (0.1, false));
        let values: Vec<f64> = (0..40).map(|item| if item % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let wavering = paired_bootstrap(40, 200, 3, mean_of(&values)).unwrap();
        assert_eq!((wavering.mean, wavering.is_tie()), (0.0, true));
    }

    #[test]
    fn the_interval_over_seeds_is_students() {
        let interval = t_interval(&[1.0, 2.0, 3.0]).unwrap();
        // 4.302653 / sqrt(3)
        assert!((interval.half_width() - 2.484_138).abs() < 1e-6, "{interval:?}");
        assert!((interval.low - (2.0 - 2.484_138)).abs() < 1e-6);
        assert_eq!(t_interval(&[0.5, 0.5]).unwrap().half_width(), 0.0);
    }

    #[test]
    fn too_little_to_resample_is_an_error() {
        assert_eq!(bootstrap(0, 10, 0, |_| 0.0), Err(MetricError::Empty));
        assert_eq!(bootstrap(1, 0, 0, |_| 0.0), Err(MetricError::NoResamples));
        assert_eq!(t_interval(&[1.0]), Err(MetricError::TooFewValues { values: 1 }));
    }

    #[test]
    fn quantiles_are_interpolated() {
        assert_eq!(quantile(&[0.0, 1.0, 2.0, 3.0], 0.5), 1.5);
        assert_eq!(quantile(&[5.0], 0.975), 5.0);
    }
}
