//! The command line: one file a verb, one line in `Verb`.

mod bench;
mod common;
mod doctor;
mod download;
mod eval;
mod export;
mod extract;
mod import;
mod mini_corpus;
mod params;
mod perf;
mod predict;
mod pretrain;
mod registry;
mod report;
mod score;
mod train;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::{backbone::Missing, environment};

/// Find out which parameter-efficient way of adapting a frozen speech model works for your task.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Download(download::Download),
    Bench(bench::Bench),
    Report(report::Report),
    Train(train::Train),
    Pretrain(pretrain::Pretrain),
    MiniCorpus(mini_corpus::MiniCorpus),
    Doctor(doctor::Doctor),
    Eval(eval::Eval),
    Predict(predict::Predict),
    Extract(extract::Extract),
    Export(export::Export),
    Import(import::Import),
    Params(params::Params),
    Score(score::Score),
    Perf(perf::Perf),
    /// The adaptation methods.
    Methods(registry::List),
    /// The tasks.
    Tasks(registry::List),
    /// The families of backbones, and the checkpoints that have a card.
    Backbones(registry::List),
    /// The metrics.
    Metrics(registry::List),
    /// The suites.
    Suites(registry::List),
    /// The data sets, with their licences and how to get them.
    Datasets(registry::List),
    #[command(hide = true)]
    Cell(train::CellVerb),
}

/// How a verb ended, as an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All is well.
    Done,
    /// A cell or a check failed; the rest is done.
    Failed,
    /// Something that was wanted is not there; the rest is done.
    Missing,
    /// Interrupted; the same command resumes.
    Interrupted,
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Done => Self::SUCCESS,
            Ended::Failed => Self::from(1),
            Ended::Missing => Self::from(3),
            Ended::Interrupted => Self::from(130),
        }
    }
}

/// Parses the arguments of this process and does what they say.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("SURE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    environment::listen_for_interrupts();
    match cli.run() {
        Ok(ended) => ended.into(),
        Err(error) => {
            common::complain(&format!("error: {error:#}"));
            // What is missing has a code of its own; all else that stops a verb is usage or configuration.
            let missing = error.chain().any(|cause| cause.downcast_ref::<Missing>().is_some());
            ExitCode::from(if missing { 3 } else { 2 })
        }
    }
}

impl Cli {
    fn run(self) -> Result<Ended> {
        match self.verb {
            Verb::Download(verb) => verb.run(),
            Verb::Bench(verb) => verb.run(),
            Verb::Report(verb) => verb.run(),
            Verb::Train(verb) => verb.run(),
            Verb::Pretrain(verb) => verb.run(),
            Verb::MiniCorpus(verb) => verb.run(),
            Verb::Doctor(verb) => verb.run(),
            Verb::Eval(verb) => verb.run(),
            Verb::Predict(verb) => verb.run(),
            Verb::Extract(verb) => verb.run(),
            Verb::Export(verb) => verb.run(),
            Verb::Import(verb) => verb.run(),
            Verb::Params(verb) => verb.run(),
            Verb::Score(verb) => verb.run(),
            Verb::Perf(verb) => verb.run(),
            Verb::Methods(list) => list.methods(),
            Verb::Tasks(list) => list.tasks(),
            Verb::Backbones(list) => list.backbones(),
            Verb::Metrics(list) => list.metrics(),
            Verb::Suites(list) => list.suites(),
            Verb::Datasets(list) => list.datasets(),
            Verb::Cell(verb) => verb.run(),
        }
    }
}
