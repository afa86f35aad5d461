//! `params`: parameter counts from the configuration alone.

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use sure_tasks::task_for;

use super::{
    Ended,
    common::{say, say_json},
};
use crate::{
    backbone::BackboneRef,
    model::{self, Start},
    presets,
};

/// Count a method's parameters on a backbone, from config.json alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask params --backbone models/whisper-tiny.en --method lora
  cargo xtask params --backbone models/whisper-tiny.en --method lora --task ks --classes 11 --json")]
pub(super) struct Params {
    /// The pretrained model: a folder with config.json, or a hub id
    #[arg(long, value_name = "ID|DIR")]
    backbone: String,
    /// The method
    #[arg(long)]
    method: String,
    /// Count this task's head too
    #[arg(long, requires = "classes")]
    task: Option<String>,
    /// How many labels the task has
    #[arg(long, requires = "task")]
    classes: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
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
        let backbone = BackboneRef::find(&self.backbone)?.open_blank()?;
        let method = presets::method(&self.method)?;
        let card = presets::task(self.task.as_deref().unwrap_or("ks"))?;
        let labels: Vec<String> = (0..self.classes.unwrap_or(2)).map(|label| label.to_string()).collect();
        let (model, declared) = model::build(backbone, &method, &*task_for(&card, &labels), Start::Blank)?;
        if model.adapted.store.count() != declared.adapter {
            bail!(
                "the method declares {} parameters and builds {}",
                declared.adapter,
                model.adapted.store.count()
            );
        }
        let backbone = model.backbone.store().count();
        let head = if self.task.is_some() { declared.head } else { 0 };
        let adapter = declared.adapter;
        let trainable = adapter + model.unfrozen.count() + head;
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
}
