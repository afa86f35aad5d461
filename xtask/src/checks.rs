//! `test` and `ci`: cargo's checks and ours, with their times.

use std::ffi::OsString;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::exit::Stop;
use crate::workspace::Workspace;
use crate::{layers, setup, tidy};

/// `cargo xtask test`: libtorch where it is missing, then every test.
pub(crate) fn test(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    setup::ensure_quietly(workspace)?;
    let start = Instant::now();
    let result = execute(test_command(workspace, names_packages(arguments))?.args(arguments));
    eprintln!("cargo test took {:.0} s", start.elapsed().as_secs_f64());
    result
}

/// `cargo xtask ci`: every check, also after one has failed, and what became of each.
pub(crate) fn ci(workspace: &Workspace) -> Result<()> {
    type Check = fn(&Workspace) -> Result<()>;
    let checks: [(&str, Check); 6] = [
        ("fmt", |workspace| execute(workspace.cargo().args(["fmt", "--all", "--check"]))),
        ("tidy", tidy::run),
        ("layers", layers::run),
        ("clippy", |workspace| {
            // From here on libtorch is compiled against.
            setup::ensure_quietly(workspace)?;
            let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
            execute(workspace.cargo().args(arguments))
        }),
        ("test", |workspace| execute(&mut test_command(workspace, false)?)),
        ("doc", |workspace| {
            let arguments = ["doc", "--workspace", "--no-deps"];
            execute(workspace.cargo().args(arguments).env("RUSTDOCFLAGS", "-D warnings"))
        }),
    ];
    let mut summary = Vec::new();
    for (name, check) in checks {
        eprintln!("== {name}");
        let start = Instant::now();
        let result = check(workspace);
        if let Err(error) = &result {
            eprintln!("{error:#}");
        }
        summary.push((name, start.elapsed().as_secs_f64(), result.is_ok()));
    }
    println!("\n{:<8} {:>8}  result", "check", "time");
    for (name, seconds, passed) in &summary {
        println!("{name:<8} {seconds:>6.1} s  {}", if *passed { "passed" } else { "FAILED" });
    }
    let failed: Vec<&str> = summary.iter().filter(|(.., passed)| !passed).map(|(name, ..)| *name).collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Stop::Failed(format!("failed: {}", failed.join(", "))).into())
    }
}

/// Whether the arguments for cargo choose packages, which `--workspace` would overrule.
fn names_packages(arguments: &[OsString]) -> bool {
    let words = arguments.iter().map(|word| word.to_string_lossy());
    words.take_while(|word| word != "--").any(|word| word.starts_with("-p") || word.starts_with("--package"))
}

/// `cargo test` of every crate, or of `some` that arguments will name. Where the run paths of `.cargo/config.toml` cannot lead to libtorch (flags or a target
/// folder of the user's own), the loader is told.
fn test_command(workspace: &Workspace, some: bool) -> Result<Command> {
    let mut command = workspace.cargo();
    command.arg("test");
    if !some {
        command.arg("--workspace");
    }
    let flags = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_ENCODED_RUSTDOCFLAGS"];
    let replaced = flags.iter().any(|name| std::env::var_os(name).is_some());
    if replaced || workspace.target_dir()?.parent() != Some(workspace.root()) {
        let mut path = workspace.libtorch().join("lib").into_os_string();
        if let Some(old) = std::env::var_os("LD_LIBRARY_PATH") {
            path.push(":");
            path.push(old);
        }
        command.env("LD_LIBRARY_PATH", path);
    }
    Ok(command)
}

fn execute(command: &mut Command) -> Result<()> {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    let line = format!("cargo {}", words.join(" "));
    let status = command.status().with_context(|| format!("running {line}"))?;
    if status.success() { Ok(()) } else { Err(Stop::Failed(format!("{line} failed ({status})")).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_package_takes_the_place_of_the_workspace() {
        let names = |words: &[&str]| names_packages(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(names(&["-p", "sure-audio", "resample"]) && names(&["--package=sure-nn"]));
        assert!(!names(&[]) && !names(&["resample"]) && !names(&["--", "-p"]));
    }
}
