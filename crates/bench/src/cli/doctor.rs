//! `doctor --run`: proves a stored run in a fresh process. The machine's own check-up is xtask's.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;
use sure_data::{Reference, read_dataset};
use sure_records::PredictionRow;

use super::{
    Ended,
    common::{DeviceFlag, say, say_json},
};
use crate::{celldata::read_options, predictor::Predictor, rundir::RunFile};

/// Largest difference of a probability between the stored answer and the fresh one: the stored one was computed in a
/// padded batch, the fresh one alone.
const TOLERANCE: f64 = 1e-3;

/// Reload a run in this fresh process and prove that it answers as its record says.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  cargo xtask doctor --run run")]
pub(super) struct Doctor {
    /// The run's folder
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    #[command(flatten)]
    device: DeviceFlag,
    /// Print one JSON object: {ok, checks: [{name, ok, detail, mend}]}
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) fn run(self) -> Result<Ended> {
        let checked = self.check();
        let (ok, detail) = match &checked {
            Ok(detail) => (true, detail.clone()),
            Err(error) => (false, format!("{error:#}")),
        };
        let mend = if ok { "" } else { "train the run anew: what is stored cannot be trusted" };
        if self.json {
            let check = json!({"name": "reload", "ok": ok, "detail": detail, "mend": mend});
            say_json(&json!({"ok": ok, "checks": [check]}))?;
        } else {
            say(&format!("{}  reload  {detail}", if ok { "ok  " } else { "FAIL" }));
        }
        Ok(if ok { Ended::Done } else { Ended::Failed })
    }

    fn check(&self) -> Result<String> {
        let run = RunFile::read(&self.run)?;
        let predictor = Predictor::open(&self.run, self.device.resolve()?)?;
        let rows = stored_rows(&self.run)?;
        ensure!(!rows.is_empty(), "the run stored no answers");
        let config = run.config()?;
        let manifest = read_dataset(&run.data, &read_options(config.protocol))?.manifest;
        let (references, _) = config.task.references(&manifest, &run.labels)?;
        let asked: BTreeMap<&str, &Reference<'_>> =
            references.iter().map(|reference| (reference.row.id.as_str(), reference)).collect();
        for row in &rows {
            let asked = asked.get(row.id.as_str());
            let asked =
                asked.with_context(|| format!("{} is no longer in {}", row.id, run.data.display()))?;
            let fresh = predictor.of_row(asked)?;
            ensure!(
                fresh.value == row.prediction && (fresh.score - row.score).abs() < TOLERANCE,
                "{}: stored {} ({:.4}), now {} ({:.4})",
                row.id,
                row.prediction,
                row.score,
                fresh.value,
                fresh.score
            );
        }
        Ok(format!("{} stored answers given again", rows.len()))
    }
}

/// The answers that the run stored; its folder may have any name.
fn stored_rows(folder: &Path) -> Result<Vec<PredictionRow>> {
    let path = folder.join("predictions.jsonl");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} is not there: the run is not finished", path.display()))?;
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("reading {}", path.display())))
        .collect()
}
