//! What cannot be scored.

use thiserror::Error;

use crate::Side;

/// Why a score could not be computed.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum MetricError {
    /// There is nothing to score.
    #[error("no items to score: at least one prediction with its reference is needed")]
    Empty,
    /// Predictions and references are not lists of the same items.
    #[error("{predictions} predictions for {references} references: both lists must name the same items")]
    LengthMismatch {
        /// How many predictions were given.
        predictions: usize,
        /// How many references were given.
        references: usize,
    },
    /// The registry has no metric of this name.
    #[error("no metric is called `{name}`; there are: {known}")]
    NoSuchMetric {
        /// The name that was asked for.
        name: String,
        /// The names that exist, separated by commas.
        known: String,
    },
    /// A bootstrap was asked for without resamples.
    #[error("a bootstrap needs at least one resample")]
    NoResamples,
    /// A spread over seeds needs at least two of them.
    #[error("an interval over seeds needs at least 2 values, not {values}")]
    TooFewValues {
        /// How many values were given.
        values: usize,
    },
    /// A score of a trial is no number.
    #[error(
        "prediction {item} is `{text}`, not a number: a trial is scored by one number, the higher the surer"
    )]
    NotANumber {
        /// Which item, counted from 1.
        item: usize,
        /// What stands there.
        text: String,
    },
    /// A label of a trial is neither of the two.
    #[error("reference {item} is `{text}`: a trial is labelled `1` or `target`, `0` or `nontarget`")]
    NotATrial {
        /// Which item, counted from 1.
        item: usize,
        /// What stands there.
        text: String,
    },
    /// All trials are of one sort.
    #[error("none of the {trials} trials is a {missing} trial: an error rate needs trials of both sorts")]
    OneSided {
        /// Which sort is missing.
        missing: Side,
        /// How many trials were given.
        trials: usize,
    },
    /// A prior probability that is none.
    #[error("a prior of targets of {prior} has no detection cost: it lies between 0 and 1, 0.01 by custom")]
    NoSuchPrior {
        /// The prior that was asked for.
        prior: f64,
    },
}
