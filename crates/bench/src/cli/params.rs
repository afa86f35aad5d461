//! `params`: parameter counts from the configuration alone.

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use sure_tasks::{CtcHead, SequenceClassifier};
use sure_train::Regime;

use super::{
    Ended,
    common::{say, say_json},
};
use crate::{
    backbone::BackboneRef,
    model::{Start, adapt},
    presets,
};

/// Count a method's parameters on a backbone, from config.json alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask params --backbone models/whisper-tiny.en --method lora
  cargo xtask params --backbone models/whisper-tiny.en --method lora --task ks --classes 11 --json
  cargo xtask params --backbone models/wav2vec2-base --method conv --head ctc --classes 32
  cargo xtask params --backbone models/wav2vec2-base --method conv-2022 --frames 99      # clips of 2 s")]
pub(super) struct Params {
    /// The pretrained model: a folder with config.json, or a hub id
    #[arg(long, value_name = "ID|DIR")]
    backbone: String,
    /// The method
    #[arg(long)]
    method: String,
    /// Count this task's head too
    #[arg(long, requires = "classes", conflicts_with = "head")]
    task: Option<String>,
    /// Count a head of this kind too
    #[arg(long, requires = "classes")]
    head: Option<HeadKind>,
    /// How many labels or tokens the head has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=10_000_000))]
    classes: Option<i64>,
    /// Frames of a clip, for methods whose size depends on them [default: the preset's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=10_000))]
    frames: Option<i64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The kinds of heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HeadKind {
    /// One label a clip
    Classifier,
    /// One token a frame (CTC)
    Ctc,
}

#[derive(Debug, Serialize)]
struct Counted {
    backbone: u64,
    adapter: u64,
    head: u64,
    trainable: u64,
    total: u64,
    percent: f64,
    percent_with_head: f64,
}

impl Params {
    pub(super) fn run(self) -> Result<Ended> {
        if self.classes.is_some() && self.task.is_none() && self.head.is_none() {
            bail!("--classes counts a head: name its --task, or its --head");
        }
        let backbone = BackboneRef::find(&self.backbone)?.open_blank()?;
        let mut method = presets::method(&self.method)?;
        if let Some(frames) = self.frames {
            method.adapter = method.adapter.map(|config| config.with_frames(frames));
        }
        let (adapted, adapter) = adapt(&*backbone, &method, Start::Blank)?;
        let built = adapted.store.count();
        if built != adapter {
            bail!("the method declares {adapter} parameters and builds {built}");
        }
        let head = self.head_kind()?.map_or(0, |kind| {
            let (hidden, classes) = (backbone.anatomy().hidden(), self.classes.unwrap_or(1));
            match kind {
                HeadKind::Classifier => SequenceClassifier::count(hidden, classes),
                HeadKind::Ctc => CtcHead::count(hidden, classes),
            }
        });
        let regime = Regime::undisturbed(method.unfreeze);
        let unfrozen = regime.unfrozen(&*backbone).count();
        let backbone = backbone.store().count();
        let trainable = adapter + unfrozen + head;
        let total = backbone + adapter + head;
        let percent = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
        let counted = Counted {
            backbone,
            adapter,
            head,
            trainable,
            total,
            percent: percent(adapter, backbone),
            percent_with_head: percent(trainable, total),
        };
        if self.json {
            say_json(&counted)?;
        } else {
            say(&format!("backbone   {backbone:>13}"));
            say(&format!("adapter    {adapter:>13}  {:.3} % of the backbone", counted.percent));
            say(&format!("head       {head:>13}"));
            say(&format!("trainable  {trainable:>13}  {:.3} % of all", counted.percent_with_head));
            say(&format!("total      {total:>13}"));
        }
        Ok(Ended::Done)
    }

    /// The kind of head that was asked for, by itself or by a task.
    fn head_kind(&self) -> Result<Option<HeadKind>> {
        match &self.task {
            None => Ok(self.head),
            Some(task) => {
                let ctc = presets::task(task)?.kind.is_ctc();
                Ok(Some(if ctc { HeadKind::Ctc } else { HeadKind::Classifier }))
            }
        }
    }
}
