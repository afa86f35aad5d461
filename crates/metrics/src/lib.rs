//! Pure functions from decoded predictions to scores.
//!
//! A [`Metric`] turns two equally long lists, predictions and references, into one number. The registry is
//! [`METRICS`]; [`metric`] finds one by name. [`bootstrap`], [`paired_bootstrap`] and [`t_interval`] say how far a
//! score can be trusted.

mod accuracy;
mod cer;
mod confusion;
mod edit_distance;
mod edit_rate;
mod eer;
mod error;
mod interval;
mod macro_f1;
mod metric;
mod micro_f1;
mod min_dcf;
mod per;
mod random;
mod score;
mod slot_edit_f1_full;
mod slot_type_f1;
mod slot_value_cer;
mod slots;
mod student;
mod sums;
mod uar;
mod verification;
mod weighted_f1;
mod wer;

pub use accuracy::Accuracy;
pub use cer::Cer;
pub use confusion::{ClassCounts, Confusion, LabelPairs};
pub use edit_distance::{Alignment, EditCounts, Op, align, edit_distance};
pub use edit_rate::{Unit, edit_counts};
pub use eer::Eer;
pub use error::MetricError;
pub use interval::{Interval, PairedDifference, bootstrap, paired_bootstrap, t_interval};
pub use macro_f1::MacroF1;
pub use metric::{Metric, MetricInfo, Statistic, metric};
pub use micro_f1::MicroF1;
pub use min_dcf::MinDcf;
pub use per::Per;
pub use random::SplitMix64;
pub use score::Score;
pub use slot_edit_f1_full::SlotEditF1Full;
pub use slot_type_f1::SlotTypeF1;
pub use slot_value_cer::SlotValueCer;
pub use slots::{Slot, slots};
pub use uar::Uar;
pub use verification::{Side, equal_error_rate, min_detection_cost};
pub use weighted_f1::WeightedF1;
pub use wer::Wer;

/// Every metric that can be named in a task card or on the command line.
pub const METRICS: &[&dyn Metric] = &[
    &Accuracy,
    &WeightedF1,
    &MacroF1,
    &MicroF1,
    &Uar,
    &Wer,
    &Cer,
    &Per,
    &SlotTypeF1,
    &SlotValueCer,
    &SlotEditF1Full,
    &Eer,
    &MinDcf,
];
