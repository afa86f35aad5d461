//! The one door: sets libtorch up, builds `sure` and forwards every other verb to it; tests, checks, CI.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "xtask speaks to the person at the terminal")]

mod checks;
mod cli;
mod doctor;
mod exit;
mod forward;
mod fuzz;
mod layers;
mod libtorch;
mod setup;
mod tidy;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::cli::{Cli, Verb};
use crate::exit::Stop;
use crate::workspace::Workspace;

fn main() -> ExitCode {
    let cli = Cli::parse_from(arguments(std::env::args_os().collect()));
    match run(cli.verb) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(Stop::code(&error))
        }
    }
}

/// `help VERB` is `VERB --help`, for the verbs of `sure` too; a bare `help` is `--help`.
fn arguments(mut words: Vec<OsString>) -> Vec<OsString> {
    if words.get(1).is_some_and(|word| word == "help") {
        words.remove(1);
        words.push("--help".into());
    }
    words
}

fn run(verb: Verb) -> Result<u8> {
    let workspace = Workspace::here();
    match verb {
        Verb::Setup(request) => setup::run(&workspace, &request)?,
        Verb::Doctor(request) => return doctor::run(&workspace, &request),
        Verb::Test(arguments) => checks::test(&workspace, &arguments.arguments)?,
        Verb::Ci => checks::ci(&workspace)?,
        Verb::Fuzz(request) => fuzz::run(&workspace, &request)?,
        Verb::Layers => layers::run(&workspace)?,
        Verb::Tidy => tidy::run(&workspace)?,
        Verb::Other(words) => return forward::run(&workspace, &words),
    }
    Ok(0)
}
