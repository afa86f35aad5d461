//! A stored run, ready to answer.

use std::path::Path;

use anyhow::{Context, Result};
use sure_data::{Labels, Reference, TaskCard, TaskInput, TaskKind, Written};
use sure_nn::{
    Cx, Input, Prepared,
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
    card: TaskCard,
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
        Ok(Self { task: run.task()?, card: run.config()?.task, labels: run.labels, model, device })
    }

    /// What the task chooses from.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What the task is done from.
    pub fn input(&self) -> TaskInput {
        self.card.input
    }

    /// The answer for one recording.
    ///
    /// # Errors
    /// When it cannot be read or used.
    pub fn predict(&self, audio: &Path) -> Result<Prediction> {
        let backbone = &*self.model.backbone;
        let wave = sure_audio::load(audio, backbone.rate_hz())?;
        // Of a longer recording the task looks at so many first samples.
        let cut = self.card.cut_samples(backbone.rate_hz());
        let kept = cut.unwrap_or(usize::MAX).min(wave.samples.len());
        let clip = backbone
            .preparer()
            .prepare(&wave.samples[..kept])
            .with_context(|| format!("reading {}", audio.display()))?;
        self.answer(clip, None)
    }

    /// The answer for one text, as it is; where words are labelled, as the task's normaliser leaves them.
    ///
    /// # Errors
    /// When the backbone cannot read it.
    pub fn read(&self, text: &str) -> Result<Prediction> {
        let preparer = self.model.backbone.preparer();
        let labels_words = self.card.kind == TaskKind::Tags;
        let text = if labels_words { self.card.normalizer.apply(text) } else { text.to_owned() };
        let clip = preparer.prepare_text(&text)?;
        let mut written = Written::new(text);
        if labels_words {
            let pieces = preparer.pieces(&written.text)?;
            written = written.with_pieces(&pieces);
        }
        self.answer(clip, Some(&written))
    }

    /// The answer for a row with a right answer: from its text where the run reads, else from its recording.
    ///
    /// # Errors
    /// As [`Predictor::predict`] and [`Predictor::read`].
    pub fn of_row(&self, row: &Reference<'_>) -> Result<Prediction> {
        match &row.written {
            Some(written) => self.read(&written.text).with_context(|| format!("reading {}", row.row.id)),
            None => self.predict(&row.row.audio),
        }
    }

    fn answer(&self, clip: Prepared, written: Option<&Written>) -> Result<Prediction> {
        let _guard = tch::no_grad_guard();
        let input = Input::collate(&[clip], self.device);
        let logits = self.model.logits_of(&input, &Cx::eval());
        self.task.decode(&logits, &[written]).pop().context("the task gave no answer")
    }
}
