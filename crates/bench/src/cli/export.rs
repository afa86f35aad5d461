//! `export`: a trained model in the format of others.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use sure_nn::tch::Device;

use super::{Ended, common::say_files};
use crate::{
    interchange::{export_hf, export_peft},
    rundir::Opened,
};

/// Write a trained model for Python: LoRA for peft, or a whole checkpoint with the update merged for transformers.
///
/// The head goes along, under the names of `Wav2Vec2ForSequenceClassification`, `Wav2Vec2ForCTC` (with its vocabulary) and
/// their kin; with --no-head the files fit the
/// bare encoder (`AutoModel`; for Whisper, whose bare model has a decoder, still the class with a head).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask export --run run --format peft --out adapter     # PeftModel.from_pretrained(model, \"adapter\")
  cargo xtask export --run run --format hf --out merged        # AutoModelForAudioClassification.from_pretrained(\"merged\")
  cargo xtask export --run asr-run --format hf --out merged    # AutoModelForCTC, AutoTokenizer.from_pretrained(\"merged\")")]
pub(super) struct Export {
    /// The run's folder, or one that `import` made
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// The format
    #[arg(long)]
    format: Format,
    /// Leave the head out
    #[arg(long)]
    no_head: bool,
    /// A new folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An adapter of peft (LoRA alone)
    Peft,
    /// A checkpoint of transformers, merged (lora, finetune, linear)
    Hf,
}

impl Export {
    pub(super) fn run(self) -> Result<Ended> {
        let opened = Opened::open(&self.run, Device::Cpu)?;
        let files = match self.format {
            Format::Peft => export_peft(opened, !self.no_head, &self.out)?,
            Format::Hf => export_hf(opened, !self.no_head, &self.out)?,
        };
        say_files(&files, self.json)?;
        Ok(Ended::Done)
    }
}
