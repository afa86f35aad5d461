//! `eval`: scores a stored run on another manifest.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use sure_metrics::metric;

use super::{
    Ended,
    common::{DeviceFlag, complain, say, say_json},
};
use crate::{celldata::read_options, model::RunConfig, predictor::Predictor, rundir::RunFile};

/// Score a stored run on a manifest: its test rows, or all rows where there are no splits.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  cargo xtask eval --run run --data other/manifest.jsonl --json")]
pub(super) struct Eval {
    /// The run's folder
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
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
    pub(super) fn run(self) -> Result<Ended> {
        let run = RunFile::read(&self.run)?;
        let RunConfig { task: card, protocol, .. } = run.config()?;
        let options = read_options(protocol);
        let manifest = sure_data::read_dataset(&self.data, &options)?.manifest;
        let (rows, mut notes) = card.references(&manifest, &run.labels)?;
        if let Some(seconds) = card.max_seconds {
            notes.push(format!("the run left out recordings longer than {seconds} s; here all are scored"));
        }
        for note in notes {
            complain(&format!("note: {note}"));
        }
        if rows.is_empty() {
            bail!("{} has no test rows with the key `{}`", manifest.path.display(), card.label);
        }
        let predictor = Predictor::open(&self.run, self.device.resolve()?)?;
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
