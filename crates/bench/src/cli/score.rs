//! `score`: a metric alone, on text files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use sure_metrics::metric;

use super::{
    Ended,
    common::{say, say_json},
};

/// Compute a metric from two text files, one item a line.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  cargo xtask score accuracy --ref labels.txt --hyp answers.txt")]
pub(super) struct Score {
    /// The metric; see `cargo xtask metrics`
    metric: String,
    /// The right answers
    #[arg(long = "ref", value_name = "F")]
    reference: PathBuf,
    /// The answers to score
    #[arg(long = "hyp", value_name = "F")]
    hypothesis: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Score {
    pub(super) fn run(self) -> Result<Ended> {
        let metric = metric(&self.metric)?;
        let references = lines(&self.reference)?;
        let value = metric.score(&lines(&self.hypothesis)?, &references)?;
        let n = references.len();
        if self.json {
            say_json(&json!({"metric": metric.info().name, "value": value, "n": n}))?;
        } else {
            say(&format!("{} {value:.4} (n = {n})", metric.info().name));
        }
        Ok(Ended::Done)
    }
}

fn lines(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}
