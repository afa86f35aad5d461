//! `bench`: runs the missing cells of a suite, then prints the table.

use std::{path::PathBuf, time::Instant};

use anyhow::Result;
use clap::Args;
use sure_records::{Store, Table, TableFormat};

use super::{Ended, common};
use crate::{
    backbone::Missing,
    cli::common::{DeviceFlag, complain, say},
    environment,
    plan::{Choices, RateOverride, Request, plan},
    pool,
};

/// Run a benchmark suite: every task on every set with every method, then print the table.
///
/// Finished cells are never run again; a killed or interrupted run goes on where it stopped.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask bench --suite sure --backbone models/whisper-tiny.en --data speech
  cargo xtask bench --suite sure --tasks ks/digits,ser --methods linear,lora --seeds 3 --backbone B --data D
  cargo xtask bench --suite sure --backbone B --data D --limit 20 --max-steps 5     # a quick look")]
pub(super) struct Bench {
    /// The suite
    #[arg(long, default_value = "sure")]
    suite: String,
    /// Its profile
    #[arg(long, default_value = "mini")]
    profile: String,
    /// Tasks, or task/set, separated by commas [default: the profile's]
    #[arg(long, value_delimiter = ',')]
    tasks: Vec<String>,
    /// Methods, separated by commas [default: the profile's]
    #[arg(long, value_delimiter = ',')]
    methods: Vec<String>,
    /// The pretrained model: a folder, a hub id, or random:FOLDER
    #[arg(long, value_name = "ID|DIR")]
    backbone: Option<String>,
    /// A folder with a manifest, or a folder of such folders
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Run with seeds 0 to N-1
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// At most N utterances a split, for a quick look
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// At most N training steps, for a quick look; 2 at least, as the first one of a warm-up changes nothing
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    max_steps: Option<u64>,
    /// Cells at a time; they share the cores
    #[arg(long, default_value_t = 1, value_name = "N")]
    jobs: usize,
    /// auto, fp32 or bf16
    #[arg(long, default_value = "auto", value_name = "P")]
    precision: String,
    /// Where the project departs from the paper's code: whose choices to follow
    #[arg(long, value_enum, default_value_t)]
    compat: Choices,
    #[command(flatten)]
    device: DeviceFlag,
    /// Where outputs of the frozen part are kept, or "off" [default: cache/trunk in `$SURE_HOME`]
    #[arg(long, value_name = "off|DIR")]
    cache: Option<PathBuf>,
    /// Where results are kept [default: runs/SUITE-PROFILE in `$SURE_HOME`]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the records as JSON instead of the table
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub(super) fn run(self) -> Result<Ended> {
        let start = Instant::now();
        let (Some(backbone), Some(data)) = (self.backbone, self.data) else {
            return Err(Missing(
                "bench needs --backbone (a folder with config.json and model.safetensors, for example from \
                 `hf download openai/whisper-tiny.en --local-dir whisper-tiny.en`) and --data (a \
                 folder with a manifest.jsonl whose lines name audio, split and labels)"
                    .to_owned(),
            )
            .into());
        };
        self.device.resolve()?;
        let jobs = self.jobs.max(1);
        let request = Request {
            suite: self.suite,
            profile: self.profile,
            tasks: self.tasks,
            methods: self.methods,
            backbone,
            data,
            seeds: (0..self.seeds).collect(),
            limit: self.limit,
            max_steps: self.max_steps,
            rates: RateOverride::default(),
            threads: (environment::cores() / jobs).max(1),
            precision: common::precision(&self.precision)?,
            device: self.device.device,
            cache: common::cache(self.cache.as_deref()),
            compat: self.compat,
        };
        let default =
            || environment::sure_home().join("runs").join(format!("{}-{}", request.suite, request.profile));
        let out = self.out.unwrap_or_else(default);
        let plan = plan(&request)?;
        for refused in &plan.refused {
            complain(&format!("left out: {refused}"));
        }
        for note in &plan.notes {
            complain(&format!("note: {note}"));
        }
        let store = Store::open(&out)?;
        let records = pool::run_cells(&plan.runs, &store, jobs)?;
        let interrupted = records.iter().any(Option::is_none);
        let records: Vec<_> = records.into_iter().flatten().collect();
        if self.json {
            common::say_json(&records)?;
        } else {
            say(&Table::build(&records, Some(&store))?.render(TableFormat::Terminal));
            say(&format!(
                "{} cells in {:.1} s; records in {}",
                records.len(),
                start.elapsed().as_secs_f64(),
                out.display()
            ));
        }
        let failed: Vec<_> = records.iter().filter(|record| !record.outcome.is_ok()).collect();
        for record in &failed {
            if let sure_records::Outcome::Error { message, .. } = &record.outcome {
                let cell = &record.cell;
                complain(&format!("failed: {} {} seed {}: {message}", cell.column(), cell.method, cell.seed));
            }
        }
        for missing in &plan.missing {
            complain(&format!("not there: {missing}"));
        }
        Ok(match (interrupted, failed.is_empty(), plan.missing.is_empty()) {
            (true, ..) => Ended::Interrupted,
            (false, false, _) => Ended::Failed,
            (false, true, false) => Ended::Missing,
            (false, true, true) => Ended::Done,
        })
    }
}
