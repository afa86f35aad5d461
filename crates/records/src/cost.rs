//! What a cell cost: times and memory, kept apart from its record.

use serde::{Deserialize, Serialize};

/// What a run cost: the ledger beside the score. Times differ from run to run, so it is a file of its own.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// From the first reading of data to the record, in seconds.
    pub seconds_total: f64,
    /// Filling or reading the cache of frozen outputs, in seconds.
    pub seconds_trunk: f64,
    /// Training steps, in seconds.
    pub seconds_train: f64,
    /// Evaluations on validation and test data, in seconds.
    pub seconds_eval: f64,
    /// Training and validation time over the steps taken, in seconds.
    pub seconds_per_step: f64,
    /// How many training steps were done.
    pub steps: u64,
    /// The largest resident memory of the process.
    pub peak_memory_bytes: u64,
    /// The adapter's file.
    pub adapter_bytes: u64,
    /// The head's file.
    pub head_bytes: u64,
}
