//! The state of a running iteration on disk: one file, replaced atomically.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use sure_nn::{Checkpoint, Store, tch::Tensor};
use sure_records::write_atomic;

use super::PretrainPoint;
use crate::{AdamW, TrainError};

/// Everything besides the tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Hash of recipe and data: a checkpoint of another run is refused.
    pub(super) run: String,
    /// Steps done.
    pub(super) step: u64,
    /// Validations so far.
    pub(super) curve: Vec<PretrainPoint>,
    /// Sum of the losses since the last validation, and their number.
    pub(super) loss_sum: f64,
    pub(super) loss_count: u64,
    /// Seconds of training, of all processes that took part.
    pub(super) seconds: f64,
}

impl Progress {
    pub(super) fn new(run: &str) -> Self {
        Self { run: run.to_owned(), step: 0, curve: Vec::new(), loss_sum: 0.0, loss_count: 0, seconds: 0.0 }
    }

    /// Writes the values of `stores`, the moments and the progress to `path`.
    pub(super) fn save(
        &self,
        path: &Path,
        stores: &[(&str, &Store)],
        optimiser: &AdamW,
    ) -> Result<(), TrainError> {
        let mut all: BTreeMap<String, Tensor> = BTreeMap::new();
        for (group, store) in stores {
            all.extend(store.snapshot().into_iter().map(|(name, value)| (format!("{group}/{name}"), value)));
        }
        all.extend(optimiser.state().into_iter().map(|(name, value)| (format!("adamw/{name}"), value)));
        let note = serde_json::to_string(self).map_err(|error| TrainError::BadCheckpoint {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        write_atomic(path, &Checkpoint::to_bytes(&all, Some(&note))?)?;
        Ok(())
    }

    /// Takes up the file at `path`, where there is one.
    pub(super) fn resume(
        path: &Path,
        run: &str,
        stores: &[(&str, &Store)],
        optimiser: &mut AdamW,
    ) -> Result<Self, TrainError> {
        if !path.is_file() {
            return Ok(Self::new(run));
        }
        let bad = |reason: String| TrainError::BadCheckpoint { path: path.to_owned(), reason };
        let file = Checkpoint::open(&[path.to_owned()])?;
        let progress: Self =
            serde_json::from_str(file.note().unwrap_or_default()).map_err(|error| bad(error.to_string()))?;
        if progress.run != run {
            return Err(bad("it belongs to another recipe or other data".to_owned()));
        }
        let mut groups: BTreeMap<&str, BTreeMap<String, Tensor>> = BTreeMap::new();
        let all = file.read_all()?;
        for (name, tensor) in &all {
            let (group, name) = name.split_once('/').ok_or_else(|| bad(format!("unknown tensor {name}")))?;
            groups.entry(group).or_default().insert(name.to_owned(), tensor.shallow_clone());
        }
        for (group, store) in stores {
            let values = groups.remove(group).unwrap_or_default();
            let fits = |(name, param): (&str, &sure_nn::Param)| {
                values.get(name).is_some_and(|value| value.size() == param.tensor.size())
            };
            if !store.iter().all(fits) {
                return Err(bad(format!("the weights of the {group} do not fit")));
            }
            store.restore(&values);
        }
        if !optimiser.restore(&groups.remove("adamw").unwrap_or_default()) {
            return Err(bad("the optimiser's state does not fit".to_owned()));
        }
        Ok(progress)
    }
}
