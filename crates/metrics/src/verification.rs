//! Speaker verification: equal error rate and detection cost of scored trials.
//!
//! A trial is a score and whether it is a target (the same speaker); higher scores speak for a target. Trials are
//! accepted from a threshold up, so that equal scores are accepted or refused together, and every threshold counts, also
//! the ones that accept all or none.

use std::fmt;

use crate::MetricError;
use crate::metric::check_lists;

/// The equal error rate: where the share of refused targets and of accepted nontargets cross as the threshold falls.
///
/// Between two thresholds both shares are interpolated linearly along the curve, as SUPERB (s3prl) does it; the value
/// on the convex hull of the curve, which other tools report, is lower or equal.
///
/// # Errors
///
/// [`MetricError::Empty`], [`MetricError::NotANumber`] for a score that is NaN, [`MetricError::OneSided`].
pub fn equal_error_rate(trials: &[(f64, bool)]) -> Result<f64, MetricError> {
    let trials = Trials::new(trials)?;
    Ok(trials.counts(0..trials.len()).equal_error_rate())
}

/// The least normalised detection cost over all thresholds, at a prior of targets, with both errors costing 1: the
/// minimum of `p · miss + (1 - p) · false alarm` over the cost of the better of accepting all and accepting none
/// (NIST SRE 2016, section 3).
///
/// # Errors
///
/// Those of [`equal_error_rate`], and [`MetricError::NoSuchPrior`] for a prior that is not between 0 and 1.
pub fn min_detection_cost(trials: &[(f64, bool)], target_prior: f64) -> Result<f64, MetricError> {
    if !(target_prior > 0.0 && target_prior < 1.0) {
        return Err(MetricError::NoSuchPrior { prior: target_prior });
    }
    let trials = Trials::new(trials)?;
    Ok(trials.counts(0..trials.len()).min_detection_cost(target_prior))
}

/// Trials with the place of their scores in the order of thresholds, so that a resample is not sorted again.
pub(crate) struct Trials {
    /// For every trial the number of its score among the different scores, the highest first.
    thresholds: Vec<usize>,
    targets: Vec<bool>,
    different: usize,
}

impl Trials {
    pub(crate) fn new(trials: &[(f64, bool)]) -> Result<Self, MetricError> {
        if trials.is_empty() {
            return Err(MetricError::Empty);
        }
        if let Some(item) = trials.iter().position(|(score, _)| score.is_nan()) {
            return Err(MetricError::NotANumber { item: item + 1, text: "NaN".to_owned() });
        }
        let targets: Vec<bool> = trials.iter().map(|&(_, target)| target).collect();
        for (side, label) in [(Side::Target, true), (Side::Nontarget, false)] {
            if !targets.contains(&label) {
                return Err(MetricError::OneSided { missing: side, trials: trials.len() });
            }
        }
        let mut order: Vec<usize> = (0..trials.len()).collect();
        // Nothing is NaN, so every pair is ordered; unlike `total_cmp` this holds -0 and 0 to be equal.
        order.sort_by(|&a, &b| trials[b].0.partial_cmp(&trials[a].0).unwrap_or(std::cmp::Ordering::Equal));
        let mut thresholds = vec![0; trials.len()];
        let mut different = 0;
        for (place, &item) in order.iter().enumerate() {
            if place == 0 || trials[order[place - 1]].0 != trials[item].0 {
                different += 1;
            }
            thresholds[item] = different - 1;
        }
        Ok(Self { thresholds, targets, different })
    }

    /// Reads scores and labels (`1` or `target`, `0` or `nontarget`).
    pub(crate) fn read(predictions: &[String], references: &[String]) -> Result<Self, MetricError> {
        check_lists(predictions, references)?;
        let pairs = predictions.iter().zip(references).enumerate();
        let trials = pairs.map(|(index, (prediction, reference))| {
            let score = prediction.trim().parse::<f64>().ok().filter(|score| !score.is_nan());
            let score =
                score.ok_or_else(|| MetricError::NotANumber { item: index + 1, text: prediction.clone() })?;
            let target = match reference.trim() {
                "1" | "target" => true,
                "0" | "nontarget" => false,
                _ => return Err(MetricError::NotATrial { item: index + 1, text: reference.clone() }),
            };
            Ok((score, target))
        });
        Self::new(&trials.collect::<Result<Vec<_>, _>>()?)
    }

    pub(crate) fn len(&self) -> usize {
        self.targets.len()
    }

    /// Counts the given trials.
    pub(crate) fn counts(&self, items: impl IntoIterator<Item = usize>) -> TrialCounts {
        let mut counts = TrialCounts { at: vec![(0, 0); self.different], targets: 0, nontargets: 0 };
        for item in items {
            let at = &mut counts.at[self.thresholds[item]];
            if self.targets[item] {
                at.0 += 1;
                counts.targets += 1;
            } else {
                at.1 += 1;
                counts.nontargets += 1;
            }
        }
        counts
    }
}

/// Which trials there are none of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// Trials of the same speaker.
    Target,
    /// Trials of two speakers.
    Nontarget,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Target => "target",
            Self::Nontarget => "nontarget",
        })
    }
}

/// How many trials have each score.
pub(crate) struct TrialCounts {
    /// Targets and nontargets at every threshold, the highest first.
    at: Vec<(usize, usize)>,
    targets: usize,
    nontargets: usize,
}

impl TrialCounts {
    /// Whether there is no rate to speak of: a resample can be without targets or without nontargets.
    fn is_one_sided(&self) -> bool {
        self.targets == 0 || self.nontargets == 0
    }

    /// The shares of refused targets and accepted nontargets, from the threshold that accepts none to the one that
    /// accepts all.
    fn rates(&self) -> impl Iterator<Item = (f64, f64)> {
        let accepted = self.at.iter().scan((0, 0), |accepted, at| {
            accepted.0 += at.0;
            accepted.1 += at.1;
            Some(*accepted)
        });
        std::iter::once((0, 0)).chain(accepted).map(|(targets, nontargets)| {
            (
                (self.targets - targets) as f64 / self.targets as f64,
                nontargets as f64 / self.nontargets as f64,
            )
        })
    }

    /// The equal error rate; 0 where one side is missing.
    pub(crate) fn equal_error_rate(&self) -> f64 {
        if self.is_one_sided() {
            return 0.0;
        }
        let mut before = (1.0, 0.0);
        for (misses, alarms) in self.rates() {
            let gap = alarms - misses;
            if gap >= 0.0 {
                // It was negative before; this is where it is zero on the line to here.
                let gap_before = before.1 - before.0;
                let share = -gap_before / (gap - gap_before);
                return before.1 + share * (alarms - before.1);
            }
            before = (misses, alarms);
        }
        // The last threshold refuses no target and accepts every nontarget, so the gap ends at 1.
        before.1
    }

    /// The least normalised detection cost; 0 where one side is missing.
    pub(crate) fn min_detection_cost(&self, target_prior: f64) -> f64 {
        if self.is_one_sided() {
            return 0.0;
        }
        let cost = |(misses, alarms)| target_prior * misses + (1.0 - target_prior) * alarms;
        self.rates().map(cost).fold(f64::INFINITY, f64::min) / target_prior.min(1.0 - target_prior)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(targets: &[f64], nontargets: &[f64]) -> Vec<(f64, bool)> {
        let labelled =
            |scores: &[f64], target| scores.iter().map(|&score| (score, target)).collect::<Vec<_>>();
        [labelled(targets, true), labelled(nontargets, false)].concat()
    }

    #[test]
    fn separated_scores_have_no_error_and_reversed_ones_nothing_else() {
        let right = trials(&[0.8, 0.9], &[0.1, 0.2, 0.3]);
        assert_eq!(equal_error_rate(&right), Ok(0.0));
        assert_eq!(min_detection_cost(&right, 0.01), Ok(0.0));
        let reversed = trials(&[0.1, 0.2], &[0.8, 0.9]);
        assert_eq!(equal_error_rate(&reversed), Ok(1.0));
        // Accepting none costs as much as the prior, which is the unit.
        assert_eq!(min_detection_cost(&reversed, 0.01), Ok(1.0));
    }

    #[test]
    fn a_crossing_on_a_threshold_is_read_off() {
        // Above 0.5: one target of four refused, one nontarget of four accepted.
        let four = trials(&[0.9, 0.8, 0.7, 0.2], &[0.6, 0.3, 0.1, 0.0]);
        assert_eq!(equal_error_rate(&four), Ok(0.25));
    }

    #[test]
    fn a_crossing_between_thresholds_is_interpolated() {
        // All scores are equal: from (1, 0) straight to (0, 1).
        assert_eq!(equal_error_rate(&trials(&[0.5, 0.5, 0.5], &[0.5])), Ok(0.5));
        // From misses 1/3 and alarms 0 to misses 0 and alarms 1/2: 1/3 (1 - t) = t/2 at t = 2/5.
        let rate = equal_error_rate(&trials(&[0.9, 0.8, 0.5], &[0.5, 0.1])).unwrap();
        assert!((rate - 0.2).abs() < 1e-15, "{rate}");
    }

    #[test]
    fn the_cost_weighs_the_errors_by_the_prior() {
        // The best threshold refuses the low target and accepts nobody else: 0.01 * 1/4 over 0.01.
        let four = trials(&[0.9, 0.8, 0.7, 0.2], &[0.6, 0.3, 0.1, 0.0]);
        assert_eq!(min_detection_cost(&four, 0.01), Ok(0.25));
        // Where targets are the rule it is better to accept the high nontargets: 0.01 * 2/4 over 0.01.
        assert!((min_detection_cost(&four, 0.99).unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_set_of_trials_is_refused() {
        assert_eq!(equal_error_rate(&[]), Err(MetricError::Empty));
        let nan = equal_error_rate(&[(0.1, true), (f64::NAN, false)]);
        assert_eq!(nan, Err(MetricError::NotANumber { item: 2, text: "NaN".to_owned() }));
        let missing = |missing| Err(MetricError::OneSided { missing, trials: 1 });
        assert_eq!(equal_error_rate(&[(0.1, true)]), missing(Side::Nontarget));
        assert_eq!(min_detection_cost(&[(0.1, false)], 0.01), missing(Side::Target));
        for prior in [0.0, 1.0, -1.0, f64::NAN] {
            let refused = min_detection_cost(&[(0.1, true), (0.0, false)], prior);
            assert!(matches!(refused, Err(MetricError::NoSuchPrior { .. })), "{prior}: {refused:?}");
        }
    }

    #[test]
    fn infinite_scores_are_scores() {
        assert_eq!(equal_error_rate(&[(f64::INFINITY, true), (f64::NEG_INFINITY, false)]), Ok(0.0));
    }

    #[test]
    fn zeros_of_either_sign_are_one_threshold() {
        assert_eq!(equal_error_rate(&[(0.0, true), (-0.0, false)]), Ok(0.5));
    }

    #[test]
    fn texts_are_read_and_what_cannot_be_read_is_named() {
        let read = |predictions: &[&str], references: &[&str]| {
            let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
            Trials::read(&texts(predictions), &texts(references)).err().map(|error| error.to_string())
        };
        assert_eq!(read(&["0.5", " -1e3 "], &["target", "0"]), None);
        assert_eq!(
            read(&["0.5", "loud"], &["1", "0"]).unwrap(),
            "prediction 2 is `loud`, not a number: a trial is scored by one number, the higher the surer"
        );
        assert_eq!(
            read(&["0.5", "nan"], &["1", "0"]).unwrap(),
            "prediction 2 is `nan`, not a number: a trial is scored by one number, the higher the surer"
        );
        assert_eq!(
            read(&["0.5", "0.1"], &["1", "no"]).unwrap(),
            "reference 2 is `no`: a trial is labelled `1` or `target`, `0` or `nontarget`"
        );
        assert_eq!(
            read(&["0.5", "0.1"], &["1", "1"]).unwrap(),
            "none of the 2 trials is a nontarget trial: an error rate needs trials of both sorts"
        );
    }
}
