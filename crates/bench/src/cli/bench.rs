//! `bench`: runs the missing cells of a suite, then prints the table.

use std::{num::NonZeroUsize, path::PathBuf, time::Instant};

use anyhow::Result;
use clap::Args;
use sure_records::{Store, Table};

use super::{Ended, common};
use crate::{
    cli::common::{DeviceFlag, complain, say},
    embedded, environment,
    plan::{Choices, RateOverride, Request, Transcripts, plan},
    pool, presets,
};

/// Run a benchmark suite: every task on every set with every method, then print the table.
///
/// Finished cells are never run again; a killed or interrupted run goes on where it stopped. Without --data it runs on the
/// corpus that comes with the repository, without --backbone with the model that was trained for it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask bench --suite sure
  cargo xtask bench --suite sure --limit 8 --max-steps 3                            # a quick look
  cargo xtask bench --suite sure --backbone models/whisper-tiny.en --data speech
  cargo xtask bench --suite sure --tasks ks/digits,ser --methods linear,lora --seeds 3 --backbone B --data D")]
pub(super) struct Bench {
    /// The suite
    #[arg(long, default_value = "sure")]
    suite: String,
    /// Its profile: mini is for the embedded corpus alone [default: mini without --data, else small]
    #[arg(long)]
    profile: Option<String>,
    /// Tasks, or task/set, separated by commas [default: the profile's]
    #[arg(long, value_delimiter = ',')]
    tasks: Vec<String>,
    /// Methods, separated by commas [default: the profile's]
    #[arg(long, value_delimiter = ',')]
    methods: Vec<String>,
    /// The pretrained model: a folder, a hub id, nano-hubert, or random: and one of these [default: nano-hubert; in
    /// profile paper its own]
    #[arg(long, value_name = "ID|DIR")]
    backbone: Option<String>,
    /// A folder with a manifest, or a folder of such folders [default: the embedded corpus, datasets/mini;
    /// in profile paper what `download` fetched]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Run with seeds 0 to N-1
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// At most N utterances a split, for a quick look
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// At most N training steps, for a quick look; 2 at least, as the first one of a warm-up changes nothing;
    /// a warm-up in steps takes a third of them at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    max_steps: Option<u64>,
    /// Cells at a time [default: 1; in profile mini as many as there are cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Threads of each cell, a part of what makes it the same cell [default: the cores shared by the jobs; in profile mini 1]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
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
        let suite = presets::suite(&self.suite)?;
        let chosen = embedded::choose(&suite, self.profile, self.data, self.backbone)?;
        let data = chosen.data.map_or_else(embedded::corpus, Ok)?;
        self.device.resolve()?;
        let shares = suite.profile(&chosen.profile)?.shares(environment::cores(), self.jobs, self.threads);
        if let Some(said) = &chosen.said {
            complain(said);
        }
        let request = Request {
            suite: self.suite,
            profile: chosen.profile,
            tasks: self.tasks,
            methods: self.methods,
            backbone: chosen.backbone,
            data,
            seeds: (0..self.seeds).collect(),
            limit: self.limit,
            max_steps: self.max_steps,
            rates: RateOverride::default(),
            threads: shares.threads,
            precision: common::precision(&self.precision)?,
            device: self.device.device,
            cache: common::cache(self.cache.as_deref()),
            compat: self.compat,
            transcripts: self.transcripts,
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
        let pool::Ran { records, before } = pool::run_cells(&plan.runs, &store, shares.jobs)?;
        let interrupted = records.iter().any(Option::is_none);
        let records: Vec<_> = records.into_iter().flatten().collect();
        if self.json {
            common::say_json(&records)?;
        } else {
            say(&Table::build(&records, Some(&store))?.terminal(environment::columns()));
            say(&format!(
                "{} cells ({} run now, {before} there already) in {:.1} s; records in {}",
                records.len(),
                records.len() - before,
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
