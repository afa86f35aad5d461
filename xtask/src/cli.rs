//! The command line of xtask.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{fuzz, setup};

/// The one door of the project: sets libtorch up, builds `sure`, runs it; tests and checks the code.
#[derive(Debug, Parser)]
#[command(
    name = "xtask",
    bin_name = "cargo xtask",
    after_help = crate::forward::help(),
    disable_help_subcommand = true,
    disable_version_flag = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    /// The verb.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs of xtask itself, and all others.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Find or stage libtorch and link it into this checkout.
    #[command(after_help = SETUP_EXAMPLES)]
    Setup(setup::Request),
    /// Say what this machine lacks and how to mend it.
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(Doctor),
    /// Set libtorch up where it is missing, then run every test.
    #[command(after_help = TEST_EXAMPLES)]
    Test(CargoArguments),
    /// Run every check of the project, cheapest first: fmt, tidy, layers, clippy, test, doc.
    Ci,
    /// Feed the readers of untrusted files with invented ones (nightly compiler, cargo-fuzz).
    #[command(after_help = FUZZ_EXAMPLES)]
    Fuzz(fuzz::Request),
    /// Check which crate depends on which against xtask/layers.toml.
    Layers,
    /// Check the house rules that no compiler knows.
    Tidy,
    /// Anything else goes to `sure`.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Print one JSON object: {ok, checks: [{name, ok, detail, mend}]}.
    #[arg(long)]
    pub(crate) json: bool,
    /// Look for what CUDA needs too.
    #[arg(long)]
    pub(crate) cuda: bool,
    /// The device that is going to be used: auto, cpu, cuda, cuda:N.
    #[arg(long, value_name = "D", default_value = "auto", value_parser = parse_device)]
    pub(crate) device: Device,
    /// Reload this run in a fresh process and prove it (`sure doctor --run`).
    #[arg(long, value_name = "DIR")]
    pub(crate) run: Option<PathBuf>,
}

/// The device that `doctor` is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    /// Whatever is there, the CPU at least.
    Auto,
    /// The CPU.
    Cpu,
    /// One GPU, by its number.
    Cuda(usize),
}

impl fmt::Display for Device {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => out.write_str("auto"),
            Self::Cpu => out.write_str("cpu"),
            Self::Cuda(number) => write!(out, "cuda:{number}"),
        }
    }
}

fn parse_device(text: &str) -> Result<Device, String> {
    match text {
        "auto" => return Ok(Device::Auto),
        "cpu" => return Ok(Device::Cpu),
        "cuda" => return Ok(Device::Cuda(0)),
        _ => {}
    }
    let number = text.strip_prefix("cuda:").and_then(|number| number.parse().ok());
    number.map(Device::Cuda).ok_or_else(|| "expected auto, cpu, cuda or cuda:N".into())
}

/// Arguments for `cargo test`.
#[derive(Debug, Args)]
pub(crate) struct CargoArguments {
    /// Handed to `cargo test` as they are; without -p every crate is tested.
    #[arg(last = true, value_name = "CARGO ARGUMENTS")]
    pub(crate) arguments: Vec<OsString>,
}

const SETUP_EXAMPLES: &str = "\
Without options libtorch is looked for in this order: LIBTORCH or LIBTORCH_USE_PYTORCH, the user's data folder
($SURE_HOME), Python's torch, the official archive, three wheels of the Python registry (540 MB).

Examples:
  cargo xtask setup
  cargo xtask setup --libtorch ~/libtorch
  cargo xtask setup --archive libtorch-shared-with-deps-2.13.0+cpu.zip
  cargo xtask setup --wheels ~/wheels --offline
  cargo xtask setup --cuda";

const DOCTOR_EXAMPLES: &str = "\
Exit code 0 where all is well, 3 where something is missing.

Examples:
  cargo xtask doctor
  cargo xtask doctor --device cuda:0 --json
  cargo xtask doctor --run runs/ks-lora";

const FUZZ_EXAMPLES: &str = "\
Exit code 1 where something was found, 3 where the nightly compiler or cargo-fuzz is missing.

Examples:
  cargo xtask fuzz
  cargo xtask fuzz pickle --seconds 60";

const TEST_EXAMPLES: &str = "\
Examples:
  cargo xtask test
  cargo xtask test -- -p sure-audio resample";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn devices_are_read_as_sure_reads_them() {
        assert_eq!(parse_device("auto"), Ok(Device::Auto));
        assert_eq!(parse_device("cuda"), Ok(Device::Cuda(0)));
        assert_eq!(parse_device("cuda:3"), Ok(Device::Cuda(3)));
        for wrong in ["gpu", "cpu:0", "auto:0", "cuda:", "cuda:x"] {
            assert!(parse_device(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_verb_keeps_all_its_arguments() {
        let cli = Cli::try_parse_from(["xtask", "bench", "--suite", "sure", "--help"]).unwrap();
        let Verb::Other(words) = cli.verb else { panic!("{cli:?}") };
        assert_eq!(words, ["bench", "--suite", "sure", "--help"]);
    }

    #[test]
    fn the_help_names_every_verb() {
        let help = Cli::command().render_help().to_string();
        for verb in ["setup", "doctor", "test", "ci", "fuzz", "layers", "tidy", "bench", "extract", "perf"] {
            assert!(help.contains(&format!("  {verb} ")), "{verb} is not in\n{help}");
        }
    }
}
