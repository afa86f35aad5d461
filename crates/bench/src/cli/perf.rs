//! `perf`: paired benchmarks against Python.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{
    Ended,
    common::{say, say_json},
};
use crate::perf;

/// Measure ours against Python (transformers + peft) on this machine: A B A B, medians and ratios.
///
/// The Python side needs an environment with the packages of crates/bench/perf/requirements.txt.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  python3 -m venv peer && peer/bin/pip install -r crates/bench/perf/requirements.txt
  cargo xtask perf --python peer/bin/python --backbone models/whisper-tiny.en
  cargo xtask perf --python peer/bin/python --filter wav2vec2
  cargo xtask perf --python peer/bin/python --filter extract --audio recordings --backbone models/whisper-tiny.en")]
pub(super) struct Perf {
    /// Only rows whose name contains S
    #[arg(long, value_name = "S", default_value = "")]
    filter: String,
    /// The Python with the peer's packages
    #[arg(long, value_name = "F", default_value = "python3")]
    python: PathBuf,
    /// A Whisper folder; without it the rows of that family are left out
    #[arg(long, value_name = "DIR")]
    backbone: Option<PathBuf>,
    /// A folder of recordings at 16 kHz; without it the rows of extract are left out
    #[arg(long, value_name = "DIR")]
    audio: Option<PathBuf>,
    /// So many of them
    #[arg(long, value_name = "N", default_value_t = 500)]
    clips: usize,
    /// Rounds of A and B
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Threads on either side [default: all cores]
    #[arg(long)]
    threads: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Serve one side of the comparison over standard input
    #[arg(long, hide = true)]
    serve: bool,
}

impl Perf {
    pub(super) fn run(self) -> Result<Ended> {
        if self.serve {
            perf::serve()?;
            return Ok(Ended::Done);
        }
        let threads = self.threads.unwrap_or_else(crate::environment::cores);
        let setting = perf::Setting {
            python: self.python,
            backbone: self.backbone,
            rounds: self.rounds.max(1),
            threads,
            audio: self.audio,
            clips: self.clips,
        };
        let rows = perf::compare(&setting, &self.filter)?;
        if self.json {
            say_json(&rows)?;
            return Ok(Ended::Done);
        }
        say("row                        ours        Python      speed  (min..max)      peak memory");
        for row in rows {
            say(&format!(
                "{:24} {:8.1} ms {:10.1} ms {:8.2}  ({:.2}..{:.2}) {:8.2}",
                row.name,
                row.ours_s * 1e3,
                row.peer_s * 1e3,
                row.ratio,
                row.ratio_min,
                row.ratio_max,
                row.ours_peak_bytes as f64 / row.peer_peak_bytes.max(1) as f64,
            ));
        }
        Ok(Ended::Done)
    }
}
