//! `train`: one run on the user's own data; and the hidden verb that runs one planned cell.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use sure_records::{Outcome, RunRecord};
use sure_train::Observer;

use super::{
    Ended,
    common::{self, DeviceFlag, complain, say, say_json},
};
use crate::{
    cell::{CellOptions, is_interrupt, run_cell},
    embedded, environment,
    observe::{AbortAt, Bar, JsonLines},
    plan::{Choices, RateOverride, Request, Transcripts, plan},
    rundir::RunFile,
};

/// Adapt a backbone to a task on your own recordings.
///
/// The run's folder holds the trained values, the record and the predictions; `eval`, `predict` and `extract` take it
/// as --run. The same command resumes a run that was interrupted or killed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask train --task ks --method lora --backbone models/whisper-tiny.en --data words/manifest.jsonl --out run
  cargo xtask train --task ser --method linear --backbone B --data emotions --out run --max-steps 50
  cargo xtask train --task ks --method bottleneck --backbone B --data words --out run --lr 3e-4 --head-lr 1e-3")]
pub(super) struct Train {
    /// The task
    #[arg(long)]
    task: String,
    /// The method
    #[arg(long)]
    method: String,
    /// The pretrained model: a folder, a hub id, or random:FOLDER
    #[arg(long, value_name = "ID|DIR")]
    backbone: String,
    /// A manifest (JSONL or CSV), or a folder with one
    #[arg(long, value_name = "MANIFEST")]
    data: PathBuf,
    /// The run's folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The profile of the suite `sure` whose budget and learning rates are taken
    #[arg(long, default_value = embedded::GENERAL)]
    profile: String,
    /// The seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// At most N utterances a split
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// At most N training steps; 2 at least, as the first one of a warm-up changes nothing
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    max_steps: Option<u64>,
    #[command(flatten)]
    rates: RateOverride,
    /// auto, fp32 or bf16
    #[arg(long, default_value = "auto", value_name = "P")]
    precision: String,
    /// Where the project departs from the paper's code: whose choices to follow
    #[arg(long, value_enum, default_value_t)]
    compat: Choices,
    /// For text encoders: the data set's own transcripts, or what a recogniser wrote
    #[arg(long, value_enum, default_value_t)]
    transcripts: Transcripts,
    #[command(flatten)]
    device: DeviceFlag,
    /// Threads; their number is part of what makes runs equal to the byte [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Where outputs of the frozen part are kept, or "off" [default: cache/trunk in `$SURE_HOME`]
    #[arg(long, value_name = "off|DIR")]
    cache: Option<PathBuf>,
    /// Print the record as JSON
    #[arg(long)]
    json: bool,
    /// Kill the process at an event, as `step:7`: for tests of resuming
    #[arg(long, hide = true)]
    abort_at: Option<String>,
}

impl Train {
    pub(super) fn run(self) -> Result<Ended> {
        self.device.resolve()?;
        let request = Request {
            suite: "sure".to_owned(),
            profile: self.profile,
            tasks: vec![self.task],
            methods: vec![self.method],
            backbone: self.backbone,
            data: self.data,
            seeds: vec![self.seed],
            limit: self.limit,
            max_steps: self.max_steps,
            rates: self.rates,
            threads: self.threads.unwrap_or_else(environment::cores).max(1),
            precision: common::precision(&self.precision)?,
            device: self.device.device,
            cache: common::cache(self.cache.as_deref()),
            compat: self.compat,
            transcripts: self.transcripts,
        };
        let plan = plan(&request)?;
        if let [_, _, ..] = &plan.runs[..] {
            let sets: Vec<String> = plan.runs.iter().map(|run| run.cell.column()).collect();
            anyhow::bail!("--data holds several sets with the task: {}; name one of them", sets.join(", "));
        }
        let run = plan.runs.first().with_context(|| plan.refused.join("; "))?;
        for note in &plan.notes {
            complain(&format!("note: {note}"));
        }
        let folder = self.out;
        // A finished run of the same cell is not run again; another cell must not overwrite it.
        if RunFile::path(&folder).is_file() && RunFile::read(&folder)?.cell != run.cell {
            anyhow::bail!("{} holds another run; name a new folder, or delete it", folder.display());
        }
        if let Some(record) = finished(&folder)? {
            complain(&format!("this run is finished already; its record stands in {}", folder.display()));
            return finish(Ok(record), self.json);
        }
        run.write(&folder)?;
        let mut bar = Bar::new(&format!("{} {}", run.cell.column(), run.cell.method));
        let record = match &self.abort_at {
            None => run_cell(&folder, &CellOptions::default(), &mut bar),
            Some(point) => run_cell(&folder, &CellOptions::default(), &mut AbortAt::new(&mut bar, point)?),
        };
        bar.clear();
        finish(record, self.json)
    }
}

/// Run one planned cell.
#[derive(Debug, Args)]
pub(super) struct CellVerb {
    /// The cell's folder, with its run.json
    folder: PathBuf,
}

impl CellVerb {
    pub(super) fn run(self) -> Result<Ended> {
        let mut observer = JsonLines;
        let record = run_cell(&self.folder, &CellOptions::default(), &mut observer as &mut dyn Observer);
        match record {
            Ok(record) if record.outcome.is_ok() => Ok(Ended::Done),
            Ok(_) => Ok(Ended::Failed),
            Err(error) if is_interrupt(&error) => Ok(Ended::Interrupted),
            Err(error) => Err(error),
        }
    }
}

/// The record of a run that has ended well.
fn finished(folder: &Path) -> Result<Option<RunRecord>> {
    let path = folder.join("record.json");
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let record: RunRecord =
        serde_json::from_str(&text).with_context(|| format!("{} is damaged; delete it", path.display()))?;
    Ok(record.outcome.is_ok().then_some(record))
}

fn finish(record: Result<RunRecord>, json: bool) -> Result<Ended> {
    let record = match record {
        Err(error) if is_interrupt(&error) => {
            complain(&format!("{error:#}"));
            return Ok(Ended::Interrupted);
        }
        record => record?,
    };
    if json {
        say_json(&record)?;
    }
    if let Outcome::Error { message, .. } = &record.outcome {
        complain(&format!("failed: {message}"));
        return Ok(Ended::Failed);
    }
    if !json {
        for split in &record.scores {
            let range = split
                .interval
                .as_ref()
                .map(|interval| format!(" [{:.3}, {:.3}]", interval.low, interval.high));
            let score = &split.score;
            say(&format!("{:6} {} {:.3}{}", split.split, score.name, score.value, range.unwrap_or_default()));
        }
    }
    Ok(Ended::Done)
}
