//! `predict`: answers for recordings, or for texts.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use sure_data::{Labels, Manifest, Protocol, RECOGNISED, Row, Split, TaskCard, TaskInput, read_dataset};
use sure_records::write_atomic;
use sure_tasks::Prediction;
use sure_text::{AlphabetKind, Normalizer};

use super::{
    Ended,
    common::{DeviceFlag, complain, say, say_json},
};
use crate::{
    backbone::BackboneRef, cell::absolute, celldata::read_options, environment, predictor::Predictor, presets,
};

/// The task that a published CTC head does.
const TRANSCRIPTS: &str = "asr";

/// Say what a stored run hears in recordings, or reads in texts. A file that cannot be read is reported and left out.
///
/// With --backbone it is the checkpoint itself that answers, by the CTC head with which it was published: a transcript, in
/// the letters of its own vocabulary, without any training.
///
/// With --data it writes a manifest anew, with what the run heard in each recording that is not for training under the
/// key `recognised`: a text encoder is tested on that with `bench --transcripts recognised`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask predict --run run clip.wav
  cargo xtask predict --run run --json clips/*.flac
  cargo xtask predict --backbone facebook/wav2vec2-base-960h clip.wav
  cargo xtask predict --run reader --text 'turn the lights on'       # a run of a text encoder
  cargo xtask predict --run asr --data orders --out heard/orders/manifest.jsonl
  cargo xtask bench --suite sure --data heard --backbone sentence-transformers/all-MiniLM-L6-v2 --transcripts recognised")]
pub(super) struct Predict {
    /// The run's folder
    #[arg(long, value_name = "DIR", required_unless_present = "backbone", conflicts_with = "backbone")]
    run: Option<PathBuf>,
    /// A checkpoint with a CTC head: its folder, or its id on the hub
    #[arg(long, value_name = "ID")]
    backbone: Option<String>,
    /// The recordings
    #[arg(required_unless_present_any = ["text", "data"], conflicts_with_all = ["text", "data"])]
    audio: Vec<PathBuf>,
    /// A text, for the run of a text encoder; may be given several times
    #[arg(long, value_name = "TEXT", conflicts_with = "data")]
    text: Vec<String>,
    /// A manifest or a data set whose recordings are to be recognised
    #[arg(long, value_name = "MANIFEST", requires = "out")]
    data: Option<PathBuf>,
    /// The manifest to write
    #[arg(long, value_name = "F.jsonl", requires = "data")]
    out: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceFlag,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    audio: Option<PathBuf>,
    /// The text that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<String>,
    prediction: String,
    score: f64,
    /// The parts of a joint answer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    /// The slots of a transcript, and the transcript without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    slots: Option<Vec<Filled>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// A slot with its value.
#[derive(Debug, Serialize)]
struct Filled {
    kind: String,
    value: String,
}

/// What is asked about.
#[derive(Debug)]
enum Asked {
    Recording(PathBuf),
    Text(String),
}

impl Answer {
    fn new(asked: Asked, labels: &Labels, prediction: Prediction) -> Self {
        let (audio, read) = match asked {
            Asked::Recording(path) => (Some(path), None),
            Asked::Text(text) => (None, Some(text)),
        };
        let Prediction { value: prediction, score } = prediction;
        let mut answer =
            Self { audio, read, prediction, score, labels: BTreeMap::new(), slots: None, text: None };
        match labels {
            Labels::Heads(_) => answer.labels = labels.parts(&answer.prediction).into_iter().collect(),
            Labels::Tokens(alphabet) if alphabet.kind() != AlphabetKind::Slots => {}
            Labels::Tokens(_) | Labels::Slots(_) => {
                let tagged = sure_text::untag(&answer.prediction);
                let filled = |slot: sure_text::Slot| Filled { kind: slot.kind, value: slot.value };
                answer.slots = Some(tagged.slots.into_iter().map(filled).collect());
                answer.text = Some(tagged.text);
            }
            Labels::Classes(_) => {}
        }
        answer
    }

    /// As a person reads it: a transcript with its slots behind it.
    fn line(&self) -> String {
        let slots = self.slots.iter().flatten().map(|slot| format!("  [{}: {}]", slot.kind, slot.value));
        let text = self.text.as_ref().unwrap_or(&self.prediction);
        let asked = self.audio.as_ref().map(|path| path.display().to_string());
        let asked = asked.or_else(|| self.read.clone()).unwrap_or_default();
        format!("{asked}\t{text}{}\t{:.3}", slots.collect::<String>(), self.score)
    }
}

impl Predict {
    fn predictor(&self) -> Result<Predictor> {
        let device = self.device.resolve()?;
        match (&self.run, &self.backbone) {
            (Some(run), _) => Predictor::open(run, device),
            (None, Some(backbone)) => {
                // In the form of the task where a text encoder reads it, else as the checkpoint writes.
                let card = presets::task(TRANSCRIPTS)?;
                let normalizer = if self.data.is_some() { card.normalizer } else { Normalizer::None };
                let card = TaskCard { normalizer, ..card };
                Predictor::published(&BackboneRef::find(backbone)?, card, device)
            }
            (None, None) => bail!("name a run with --run, or a checkpoint with --backbone"),
        }
    }

    pub(super) fn run(self) -> Result<Ended> {
        let predictor = self.predictor()?;
        if let (Some(data), Some(out)) = (&self.data, &self.out) {
            return recognise(&predictor, data, out, self.json);
        }
        let hears = predictor.input() == TaskInput::Speech;
        if hears != self.text.is_empty() {
            let (takes, not) = if hears { ("recordings", "--text") } else { ("--text", "recordings") };
            bail!("the backbone of this run takes {takes}, not {not}");
        }
        if self.text.iter().any(|text| text.trim().is_empty()) {
            bail!("--text: there is nothing to read");
        }
        let recordings = self.audio.into_iter().map(Asked::Recording);
        let (mut answers, mut failed) = (Vec::new(), 0);
        for asked in recordings.chain(self.text.into_iter().map(Asked::Text)) {
            let answered = match &asked {
                Asked::Recording(path) => predictor.predict(path),
                Asked::Text(text) => predictor.read(text),
            };
            match answered {
                Ok(prediction) => {
                    let answer = Answer::new(asked, predictor.labels(), prediction);
                    if !self.json {
                        say(&answer.line());
                    }
                    answers.push(answer);
                }
                Err(error) => {
                    complain(&format!("failed: {error:#}"));
                    failed += 1;
                }
            }
        }
        if self.json {
            say_json(&answers)?;
        }
        Ok(if failed == 0 { Ended::Done } else { Ended::Failed })
    }
}

/// Writes the data set's rows to `out` with what the run heard in those that are not for training.
fn recognise(predictor: &Predictor, data: &Path, out: &Path, json: bool) -> Result<Ended> {
    let Labels::Tokens(alphabet) = predictor.labels() else {
        bail!("--data wants transcripts, and this run gives labels");
    };
    if alphabet.kind() != AlphabetKind::Characters {
        bail!("--data wants transcripts in letters, as runs of the task asr give them");
    }
    let manifest = read_dataset(data, &read_options(Protocol::Sure))?.manifest;
    let (mut text, mut heard, mut failed) = (String::new(), 0_usize, 0_usize);
    for row in &manifest.rows {
        if environment::interrupted() {
            return Ok(Ended::Interrupted);
        }
        let recognised = if is_training(row) {
            None
        } else {
            match predictor.predict(&row.audio) {
                Ok(prediction) => {
                    heard += 1;
                    Some(prediction.value)
                }
                Err(error) => {
                    complain(&format!("failed: {error:#}"));
                    failed += 1;
                    None
                }
            }
        };
        text += &serde_json::to_string(&line(&manifest, row, recognised)?)?;
        text.push('\n');
    }
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    write_atomic(out, text.as_bytes())?;
    let rows = manifest.rows.len();
    if json {
        say_json(&serde_json::json!({"file": out, "rows": rows, "recognised": heard}))?;
    } else {
        say(&format!("{heard} of {rows} recordings recognised; the manifest is {}", out.display()));
    }
    Ok(if failed == 0 { Ended::Done } else { Ended::Failed })
}

fn is_training(row: &Row) -> bool {
    row.fields.get("split").and_then(Value::as_str).and_then(Split::parse) == Some(Split::Train)
}

/// The row with an absolute path: the manifest moves, and what was packed is unpacked.
fn line(
    manifest: &Manifest,
    row: &Row,
    recognised: Option<String>,
) -> Result<serde_json::Map<String, Value>> {
    let mut fields = row.fields.clone();
    for packed in ["start", "samples"] {
        fields.shift_remove(packed);
    }
    let audio = absolute(&row.audio)?;
    let audio =
        audio.to_str().with_context(|| format!("{}: a path is not UTF-8", manifest.path.display()))?;
    fields.insert("audio".to_owned(), audio.into());
    fields.insert("id".to_owned(), row.id.clone().into());
    if let Some(recognised) = recognised {
        fields.insert(RECOGNISED.to_owned(), recognised.into());
    }
    Ok(fields)
}
