//! A stored run, ready to answer.

use std::path::Path;

use anyhow::{Context, Result};
use sure_data::Labels;
use sure_nn::{
    Cx, Input,
    tch::{self, Device},
};
use sure_tasks::{Prediction, Task};
use sure_train::Model;

use crate::rundir::RunFile;

/// A trained model with its task.
#[derive(Debug)]
pub struct Predictor {
    model: Model,
    task: Box<dyn Task>,
    /// How many first samples of a recording the task looks at.
    cut: Option<usize>,
    labels: Labels,
    device: Device,
}

impl Predictor {
    /// Loads the run in `folder`.
    ///
    /// # Errors
    /// When a file is missing or damaged, or the backbone has changed.
    pub fn open(folder: &Path, device: Device) -> Result<Self> {
        let run = RunFile::read(folder)?;
        let model = run.load_model(folder, device)?;
        let cut = run.config()?.task.cut_samples(model.backbone.rate_hz());
        Ok(Self { task: run.task()?, cut, labels: run.labels, model, device })
    }

    /// What the task chooses from.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The answer for one recording.
    ///
    /// # Errors
    /// When it cannot be read or used.
    pub fn predict(&self, audio: &Path) -> Result<Prediction> {
        let backbone = &*self.model.backbone;
        let wave = sure_audio::load(audio, backbone.rate_hz())?;
        let kept = self.cut.unwrap_or(usize::MAX).min(wave.samples.len());
        let clip = backbone
            .preparer()
            .prepare(&wave.samples[..kept])
            .with_context(|| format!("reading {}", audio.display()))?;
        let _guard = tch::no_grad_guard();
        let input = Input::collate(&[clip], self.device);
        let logits = self.model.logits_of(&input, &Cx::eval());
        self.task.decode(&logits).pop().context("the task gave no answer")
    }
}
