//! `fuzz`: the readers of untrusted files, fed with changed and invented ones by libFuzzer, on a nightly compiler.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::exit::Stop;
use crate::workspace::Workspace;

/// The package of the targets, outside the workspace.
const FOLDER: &str = "tests/fuzz";
/// Most memory of a target, in MiB, and most seconds for one input: more is a finding.
const MEMORY_MIB: u32 = 2048;
const INPUT_SECONDS: u32 = 30;
/// Longest input, in bytes.
const LONGEST: u32 = 16 << 10;

/// What to feed, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Request {
    /// One of the targets; without it all, one after the other.
    #[arg(value_enum, value_name = "TARGET")]
    target: Option<Target>,
    /// Seconds for each target.
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

/// The targets; files of these names lie in `fuzz_targets`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Target {
    /// Recordings, decoded.
    Audio,
    /// Archives, unpacked.
    Archive,
    /// Weights as PyTorch saves them, in both forms.
    Pickle,
    /// Weights as safetensors.
    Safetensors,
}

impl Target {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// `cargo xtask fuzz`.
pub(crate) fn run(workspace: &Workspace, request: &Request) -> Result<()> {
    need(
        Command::new("cargo").args(["+nightly", "--version"]),
        "fuzzing needs a nightly compiler: rustup toolchain install nightly --profile minimal",
    )?;
    need(
        Command::new("cargo").args(["fuzz", "--version"]),
        "fuzzing needs cargo-fuzz: cargo install cargo-fuzz",
    )?;
    let targets = request.target.map_or_else(|| Target::value_variants().to_vec(), |target| vec![target]);
    let mut failed = Vec::new();
    for target in targets {
        let name = target.name();
        eprintln!("== {name}, {} s", request.seconds);
        let status =
            command(workspace.root(), &name, request.seconds)?.status().context("running cargo fuzz")?;
        if !status.success() {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let list = failed.join(", ");
    Err(Stop::Failed(format!(
        "findings in {list}; they lie in {FOLDER}/artifacts, and CONTRIBUTING.md says what to do"
    ))
    .into())
}

/// Runs a command for its exit status alone.
fn need(command: &mut Command, mend: &str) -> Result<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if status.is_ok_and(|status| status.success()) {
        Ok(())
    } else {
        Err(Stop::Missing(mend.to_owned()).into())
    }
}

/// The run of one target. What it invents goes to a folder that is not committed; the committed corpus is read too.
fn command(root: &Path, target: &str, seconds: u64) -> Result<Command> {
    let folder = root.join(FOLDER);
    let invented = folder.join("target/corpus").join(target);
    std::fs::create_dir_all(&invented).with_context(|| format!("creating {}", invented.display()))?;
    let mut command = Command::new("cargo");
    // The check for leaks at the end hangs or fails where processes may not be traced.
    command.env("ASAN_OPTIONS", "detect_leaks=0");
    command.current_dir(root).args(["+nightly", "fuzz", "run", "--fuzz-dir"]).arg(&folder).arg(target);
    command.arg(invented).arg(folder.join("corpus").join(target)).arg("--");
    let flags = [
        format!("-max_total_time={seconds}"),
        format!("-rss_limit_mb={MEMORY_MIB}"),
        format!("-timeout={INPUT_SECONDS}"),
        format!("-max_len={LONGEST}"),
        "-print_final_stats=1".to_owned(),
    ];
    command.args(flags.map(OsString::from));
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_file_a_corpus_and_a_place_in_the_manifest() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FOLDER);
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        for target in Target::value_variants() {
            let name = target.name();
            assert!(folder.join(format!("fuzz_targets/{name}.rs")).is_file(), "{name}");
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
            assert!(std::fs::read_dir(folder.join("corpus").join(&name)).unwrap().count() > 5, "{name}");
        }
    }

    #[test]
    fn the_committed_corpus_stays_small() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FOLDER).join("corpus");
        let size = |folder: &Path| -> u64 {
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
        };
        let total: u64 = std::fs::read_dir(corpus).unwrap().map(|target| size(&target.unwrap().path())).sum();
        assert!(total < 300_000, "{total} bytes");
    }
}
