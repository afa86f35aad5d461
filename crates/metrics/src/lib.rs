//! Pure functions from decoded predictions to scores.
//!
//! A [`Metric`] turns two equally long lists, predictions and references, into one number. The registry is
//! [`METRICS`]; [`metric`] finds one by name. [`bootstrap`], [`paired_bootstrap`] and [`t_interval`] say how far a
//! score can be trusted.

mod accuracy;
mod confusion;
mod error;
mod interval;
mod macro_f1;
mod metric;
mod micro_f1;
mod random;
mod score;
mod student;
mod uar;
mod weighted_f1;

pub use accuracy::Accuracy;
pub use confusion::{ClassCounts, Confusion, LabelPairs};
pub use error::MetricError;
pub use interval::{Interval, PairedDifference, bootstrap, paired_bootstrap, t_interval};
pub use macro_f1::MacroF1;
pub use metric::{Metric, MetricInfo, Statistic, metric};
pub use micro_f1::MicroF1;
pub use random::SplitMix64;
pub use score::Score;
pub use uar::Uar;
pub use weighted_f1::WeightedF1;

/// Every metric that can be named in a task card or on the command line.
pub const METRICS: &[&dyn Metric] = &[&Accuracy, &WeightedF1, &MacroF1, &MicroF1, &Uar];
