//! The state of a running cell on disk: one file, replaced atomically.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use sure_nn::{Checkpoint as Tensors, tch::Tensor};
use sure_records::{CheckResult, CurvePoint, write_atomic};

use crate::{AdamW, Model, TrainError};

/// Everything besides the tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Hash of the run's configuration: a checkpoint of another run is refused.
    pub(crate) run: String,
    /// Steps done.
    pub(crate) step: u64,
    /// Evaluations so far.
    pub(crate) curve: Vec<CurvePoint>,
    /// Sum of the losses since the last evaluation, and their number.
    pub(crate) loss_sum: f64,
    pub(crate) loss_count: u64,
    /// The best evaluation so far.
    pub(crate) best: Option<Best>,
    /// Evaluations since then.
    pub(crate) stale: usize,
    /// Clips that training has seen, and those of them that are too short for their answer.
    pub(crate) seen: u64,
    pub(crate) too_short: u64,
    /// What the doctor has proved so far.
    pub(crate) checks: Vec<CheckResult>,
}

/// The best evaluation so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Best {
    pub(crate) step: u64,
    pub(crate) score: f64,
    pub(crate) loss: f64,
}

impl Progress {
    pub(crate) fn new(run: &str) -> Self {
        Self {
            run: run.to_owned(),
            step: 0,
            curve: Vec::new(),
            loss_sum: 0.0,
            loss_count: 0,
            best: None,
            stale: 0,
            seen: 0,
            too_short: 0,
            checks: Vec::new(),
        }
    }
}

/// Writes trained values, best values, moments and progress to `path`.
pub(crate) fn save(
    path: &Path,
    model: &Model,
    best: &BTreeMap<String, Tensor>,
    optimiser: &AdamW,
    progress: &Progress,
) -> Result<(), TrainError> {
    let mut all = BTreeMap::new();
    for (group, tensors) in [("now", model.snapshot()), ("adamw", optimiser.state())] {
        all.extend(tensors.into_iter().map(|(name, tensor)| (format!("{group}/{name}"), tensor)));
    }
    all.extend(best.iter().map(|(name, tensor)| (format!("best/{name}"), tensor.shallow_clone())));
    let note = serde_json::to_string(progress)
        .map_err(|error| TrainError::BadCheckpoint { path: path.to_owned(), reason: error.to_string() })?;
    write_atomic(path, &Tensors::to_bytes(&all, Some(&note))?)?;
    Ok(())
}

/// Takes up the checkpoint at `path`: sets model and optimiser, returns the progress and the best values.
pub(crate) fn resume(
    path: &Path,
    run: &str,
    model: &Model,
    optimiser: &mut AdamW,
) -> Result<(Progress, BTreeMap<String, Tensor>), TrainError> {
    let bad = |reason: String| TrainError::BadCheckpoint { path: path.to_owned(), reason };
    let file = Tensors::open(&[path.to_owned()])?;
    let note = file.note().ok_or_else(|| bad("it has no progress".to_owned()))?;
    let progress: Progress = serde_json::from_str(note).map_err(|error| bad(error.to_string()))?;
    if progress.run != run {
        return Err(bad("it belongs to a run with another configuration".to_owned()));
    }
    let mut groups: BTreeMap<&str, BTreeMap<String, Tensor>> = BTreeMap::new();
    let all = file.read_all()?;
    for (name, tensor) in &all {
        let (group, name) = name.split_once('/').ok_or_else(|| bad(format!("unknown tensor {name}")))?;
        groups.entry(group).or_default().insert(name.to_owned(), tensor.shallow_clone());
    }
    let mut take = |group: &str| groups.remove(group).unwrap_or_default();
    model.restore(&take("now"))?;
    if !optimiser.restore(&take("adamw")) {
        return Err(bad("the optimiser's state does not fit".to_owned()));
    }
    Ok((progress, take("best")))
}
