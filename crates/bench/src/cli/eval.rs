//! `eval`: scores a stored run on another manifest.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use sure_data::{Manifest, Row, Split};
use sure_metrics::metric;

use super::{
    Ended,
    common::{DeviceFlag, say, say_json},
};
use crate::{predictor::Predictor, rundir::RunFile};

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
        let card = run.config()?.task;
        let manifest = Manifest::read(&self.data)?;
        let has_splits = manifest.rows.iter().any(|row| row.fields.contains_key(&card.split));
        let wanted = |row: &&Row| {
            let split = row.fields.get(&card.split).and_then(|value| value.as_str());
            row.fields.contains_key(&card.label)
                && (!has_splits || split.and_then(Split::parse) == Some(Split::Test))
        };
        let rows: Vec<&Row> = manifest.rows.iter().filter(wanted).collect();
        if rows.is_empty() {
            bail!("{} has no test rows with the key `{}`", manifest.path.display(), card.label);
        }
        let references: Vec<String> = rows
            .iter()
            .map(|row| match &row.fields[&card.label] {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            })
            .collect();
        let predictor = Predictor::open(&self.run, self.device.resolve()?)?;
        let answers = rows
            .iter()
            .map(|row| Ok(predictor.predict(&row.audio)?.value))
            .collect::<Result<Vec<String>>>()?;
        let score = metric(&card.metric)?.score(&answers, &references)?;
        let scored = Scored { metrics: BTreeMap::from([(card.metric.clone(), score)]), n: rows.len() };
        if self.json {
            say_json(&scored)?;
        } else {
            say(&format!("{} {score:.4} (n = {})", card.metric, rows.len()));
        }
        Ok(Ended::Done)
    }
}
