//! What cannot be scored.

use thiserror::Error;

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
}
