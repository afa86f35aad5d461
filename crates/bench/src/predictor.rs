//! A stored run, or a published checkpoint with a CTC head, ready to answer.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use sure_data::{Labels, Reference, TaskCard, TaskInput, TaskKind, Written};
use sure_nn::{
    Cx, Input, Prepared,
    tch::{self, Device},
};
use sure_tasks::{Prediction, Task, task_for};
use sure_text::{Alphabet, Normalizer};
use sure_train::{Model, Regime};
use sure_zoo::{Compat, published_ctc};

use crate::{
    backbone::BackboneRef,
    model::{self, Start},
    presets,
    rundir::RunFile,
};

/// The method that leaves the backbone as it is and puts nothing in.
const HEAD_ALONE: &str = "linear";

/// A trained model with its task.
#[derive(Debug)]
pub struct Predictor {
    model: Model,
    task: Box<dyn Task>,
    card: TaskCard,
    labels: Labels,
    device: Device,
    /// What is done to an answer that no training text shaped.
    finish: [Normalizer; 2],
}

impl Predictor {
    /// Loads the run in `folder`.
    ///
    /// # Errors
    /// When a file is missing or damaged, or the backbone has changed.
    pub fn open(folder: &Path, device: Device) -> Result<Self> {
        let run = RunFile::read(folder)?;
        let model = run.load_model(folder, device)?;
        let (task, card) = (run.task()?, run.config()?.task);
        Ok(Self { model, task, card, labels: run.labels, device, finish: [Normalizer::None; 2] })
    }

    /// The published checkpoint `backbone` with the CTC head that it carries, for the task of `card`. Its answers are
    /// brought to the form of the card's texts, or with the normaliser `none` given as its tokenizer writes them.
    ///
    /// # Errors
    /// When the checkpoint has no such head, or the task is another one.
    pub fn published(backbone: &BackboneRef, card: TaskCard, device: Device) -> Result<Self> {
        let speech_to_text = card.kind == TaskKind::Characters && card.input == TaskInput::Speech;
        ensure!(
            speech_to_text,
            "a published CTC head writes transcripts; the task {} is another one",
            card.name
        );
        if backbone.random {
            bail!(
                "{}: with random weights there is no published head; train one with `train`",
                backbone.name
            );
        }
        let head = published_ctc(&backbone.folder).with_context(|| format!("opening {}", backbone.name))?;
        let words = head.vocabulary;
        // Lower case where the tokenizer or the task writes so: then it is known what the head can say.
        let lower = words.lower_case || card.normalizer != Normalizer::None;
        let cased = |token: String| if lower { token.to_lowercase() } else { token };
        let tokens = words.tokens.into_iter().map(cased).collect();
        let alphabet = Alphabet::published(tokens, words.blank, words.unknown, words.delimiter)?;
        let labels = Labels::Tokens(alphabet);
        let task = task_for(&TaskCard { scoring: Normalizer::None, ..card.clone() }, &labels);
        let method = presets::method(HEAD_ALONE)?;
        let regime = Regime::undisturbed(method.unfreeze);
        let network = backbone.open(device, Compat::Sure)?;
        let (model, _) = model::build(network, &method, &*task, regime, Start::Blank)?;
        let values = [("head.tokens.weight", head.weight), ("head.tokens.bias", head.bias)];
        let values = values.map(|(name, value)| (name.to_owned(), value));
        model.restore(&values.into()).with_context(|| format!("putting the head of {} in", backbone.name))?;
        let finish = [card.normalizer, card.scoring];
        Ok(Self { model, task, card, labels, device, finish })
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
        let Prediction { value, score } =
            self.task.decode(&logits, &[written]).pop().context("the task gave no answer")?;
        let value = self.finish.iter().fold(value, |value, rule| rule.apply(&value));
        Ok(Prediction { value, score })
    }
}
