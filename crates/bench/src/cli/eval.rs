//! `eval`: scores a stored run, or a published CTC head, on another manifest.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use sure_data::{Protocol, TaskCard};
use sure_metrics::metric;

use super::{
    Ended,
    common::{DeviceFlag, complain, say, say_json},
};
use crate::{
    backbone::BackboneRef, celldata::read_options, model::RunConfig, predictor::Predictor, presets,
    rundir::RunFile,
};

/// Score a stored run on a manifest: its test rows, or all rows where there are no splits.
///
/// With --backbone and --task it is the checkpoint itself that is scored, with the CTC head with which it was published.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask eval --run run --data other/manifest.jsonl --json
  cargo xtask eval --backbone facebook/wav2vec2-base-960h --task asr --data other/manifest.jsonl")]
pub(super) struct Eval {
    /// The run's folder
    #[arg(long, value_name = "DIR", required_unless_present = "backbone", conflicts_with = "backbone")]
    run: Option<PathBuf>,
    /// A checkpoint with a CTC head: its folder, or its id on the hub
    #[arg(long, value_name = "ID", requires = "task")]
    backbone: Option<String>,
    /// The task that the checkpoint shall do: its key, normaliser and metrics
    #[arg(long, value_name = "TASK", requires = "backbone")]
    task: Option<String>,
    /// A manifest, or a folder with one
    #[arg(long, value_name = "MANIFEST")]
    data: PathBuf,
    #[command(flatten)]
    device: DeviceFlag,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Scored {
    #[serde(flatten)]
    metrics: BTreeMap<String, f64>,
    n: usize,
}

impl Eval {
    /// What answers, with its task and the rules by which the data are read.
    fn predictor(&self) -> Result<(Predictor, TaskCard, Protocol)> {
        let device = self.device.resolve()?;
        match (&self.run, &self.backbone, &self.task) {
            (Some(folder), ..) => {
                let RunConfig { task: card, protocol, .. } = RunFile::read(folder)?.config()?;
                Ok((Predictor::open(folder, device)?, card, protocol))
            }
            (None, Some(backbone), Some(task)) => {
                let card = presets::task(task)?;
                let predictor = Predictor::published(&BackboneRef::find(backbone)?, card.clone(), device)?;
                Ok((predictor, card, Protocol::Sure))
            }
            _ => bail!("name a run with --run, or a checkpoint with --backbone and --task"),
        }
    }

    pub(super) fn run(self) -> Result<Ended> {
        let (predictor, card, protocol) = self.predictor()?;
        let options = read_options(protocol);
        let manifest = sure_data::read_dataset(&self.data, &options)?.manifest;
        let (rows, mut notes) = card.references(&manifest, predictor.labels())?;
        if let Some(seconds) = card.max_seconds.filter(|_| self.run.is_some()) {
            notes.push(format!("the run left out recordings longer than {seconds} s; here all are scored"));
        }
        for note in notes {
            complain(&format!("note: {note}"));
        }
        if rows.is_empty() {
            bail!("{} has no test rows with the key `{}`", manifest.path.display(), card.label);
        }
        let answers =
            rows.iter().map(|row| Ok(predictor.of_row(row)?.value)).collect::<Result<Vec<String>>>()?;
        let references: Vec<String> =
            rows.into_iter().map(|row| card.scoring.apply(&row.reference)).collect();
        let metrics = card
            .metrics()
            .map(|name| Ok((name.clone(), metric(name)?.score(&answers, &references)?)))
            .collect::<Result<Vec<(String, f64)>>>()?;
        let n = references.len();
        if self.json {
            let metrics = metrics.into_iter().collect();
            say_json(&Scored { metrics, n })?;
        } else {
            for (name, score) in &metrics {
                say(&format!("{name} {score:.4} (n = {n})"));
            }
        }
        Ok(Ended::Done)
    }
}
