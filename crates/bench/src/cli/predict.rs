//! `predict`: answers for recordings.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use sure_data::Labels;
use sure_tasks::Prediction;
use sure_text::AlphabetKind;

use super::{
    Ended,
    common::{DeviceFlag, complain, say, say_json},
};
use crate::predictor::Predictor;

/// Say what a stored run hears in recordings. A file that cannot be read is reported and left out.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask predict --run run clip.wav
  cargo xtask predict --run run --json clips/*.flac")]
pub(super) struct Predict {
    /// The run's folder
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// The recordings
    #[arg(required = true)]
    audio: Vec<PathBuf>,
    #[command(flatten)]
    device: DeviceFlag,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Answer {
    audio: PathBuf,
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

impl Answer {
    fn new(audio: PathBuf, labels: &Labels, prediction: Prediction) -> Self {
        let Prediction { value, score } = prediction;
        let mut answer =
            Self { audio, prediction: value, score, labels: BTreeMap::new(), slots: None, text: None };
        match labels {
            Labels::Heads(_) => answer.labels = labels.parts(&answer.prediction).into_iter().collect(),
            Labels::Tokens(alphabet) if alphabet.kind() == AlphabetKind::Slots => {
                let tagged = sure_text::untag(&answer.prediction);
                let filled = |slot: sure_text::Slot| Filled { kind: slot.kind, value: slot.value };
                answer.slots = Some(tagged.slots.into_iter().map(filled).collect());
                answer.text = Some(tagged.text);
            }
            Labels::Classes(_) | Labels::Tokens(_) => {}
        }
        answer
    }

    /// As a person reads it: a transcript with its slots behind it.
    fn line(&self) -> String {
        let slots = self.slots.iter().flatten().map(|slot| format!("  [{}: {}]", slot.kind, slot.value));
        let text = self.text.as_ref().unwrap_or(&self.prediction);
        format!("{}\t{text}{}\t{:.3}", self.audio.display(), slots.collect::<String>(), self.score)
    }
}

impl Predict {
    pub(super) fn run(self) -> Result<Ended> {
        let predictor = Predictor::open(&self.run, self.device.resolve()?)?;
        let (mut answers, mut failed) = (Vec::new(), 0);
        for audio in self.audio {
            match predictor.predict(&audio) {
                Ok(prediction) => {
                    let answer = Answer::new(audio, predictor.labels(), prediction);
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
