//! `predict`: answers for recordings.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

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
}

impl Predict {
    pub(super) fn run(self) -> Result<Ended> {
        let predictor = Predictor::open(&self.run, self.device.resolve()?)?;
        let (mut answers, mut failed) = (Vec::new(), 0);
        for audio in self.audio {
            match predictor.predict(&audio) {
                Ok(prediction) => {
                    if !self.json {
                        let (value, score) = (&prediction.value, prediction.score);
                        say(&format!("{}\t{value}\t{score:.3}", audio.display()));
                    }
                    answers.push(Answer { audio, prediction: prediction.value, score: prediction.score });
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
