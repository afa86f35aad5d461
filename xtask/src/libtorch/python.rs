//! Python, where the machine has it: its torch, and its pip.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::VERSION;
use super::folder::{self, Fault, Libtorch};
use super::store::{self, Store};
use super::wheels::Wheel;

/// The interpreters that are asked, in this order.
const INTERPRETERS: [&str; 2] = ["python3", "python"];

/// What makes pip choose the pinned files whatever Python it runs in.
const PIP_PYTHON: [&str; 5] =
    ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=none"];

/// The platforms of the three pinned wheels.
const WHEEL_PLATFORMS: [&str; 3] = ["manylinux_2_28_x86_64", "manylinux_2_25_x86_64", "manylinux2014_x86_64"];

/// The torch of the Python in `PATH`: its folder, or what is wrong with it; `None` where there is no torch.
///
/// It is looked at, not imported, which would take seconds and can fail for reasons of Python.
pub(crate) fn torch() -> Option<(PathBuf, Result<Libtorch, Fault>)> {
    const FIND: &str = "import importlib.util as u; s = u.find_spec('torch'); \
                        print(s.submodule_search_locations[0] if s and s.submodule_search_locations else '')";
    INTERPRETERS.iter().find_map(|interpreter| {
        // Not where we are: `-c` looks for modules in the working folder too.
        let output = Command::new(interpreter).current_dir("/").args(["-c", FIND]).output().ok()?;
        let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
        folder.is_dir().then(|| {
            let found = folder::inspect_contents(&folder);
            (folder, found)
        })
    })
}

/// Whether some interpreter has pip.
pub(crate) fn has_pip() -> bool {
    interpreter_with_pip().is_some()
}

fn interpreter_with_pip() -> Option<&'static str> {
    INTERPRETERS.into_iter().find(|interpreter| {
        let output = Command::new(interpreter).args(["-m", "pip", "--version"]).output();
        output.is_ok_and(|output| output.status.success())
    })
}

/// Lets pip download wheels: it knows mirrors, proxies and certificates that only its configuration names.
pub(crate) fn pip_download(wheels: &[Wheel], folder: &Path) -> Result<()> {
    let mut arguments: Vec<String> = vec!["download".into(), "--no-deps".into(), "--dest".into()];
    arguments.push(folder.display().to_string());
    arguments.extend(flags(WHEEL_PLATFORMS.into_iter().map(String::from)));
    arguments.extend(wheels.iter().map(Wheel::requirement));
    pip(&arguments)
}

/// The command that a user may give on another machine.
pub(crate) fn pip_command(wheels: &[Wheel]) -> String {
    let wanted: Vec<String> = wheels.iter().map(Wheel::requirement).collect();
    let flags: Vec<String> = flags(WHEEL_PLATFORMS.into_iter().map(String::from)).collect();
    format!("pip download --no-deps --dest DIR {} {}", flags.join(" "), wanted.join(" "))
}

fn flags(platforms: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    PIP_PYTHON.into_iter().map(String::from).chain(platforms.map(|platform| format!("--platform={platform}")))
}

/// Every platform whose wheels run where torch's own does. pip matches them literally and knows of no "or older".
fn all_platforms() -> impl Iterator<Item = String> {
    let older = (5..=28).rev().map(|minor| format!("manylinux_2_{minor}_x86_64"));
    older.chain(["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"].map(String::from))
}

/// Stages torch with everything it needs for CUDA: the same neighbourhood of folders that pip makes, so that the
/// libraries find each other by their own run paths. The caller holds the store's lock.
pub(crate) fn stage_cuda(store: &Store) -> Result<Libtorch> {
    store.stage("cuda", |next| {
        let site = next.join("site");
        let mut arguments: Vec<String> = ["install", "--no-compile", "--target"].map(String::from).into();
        arguments.push(site.display().to_string());
        arguments.extend(flags(all_platforms()));
        arguments.push(format!("torch=={VERSION}"));
        pip(&arguments)?;
        for name in ["lib", "include"] {
            store::symlink(&Path::new("site/torch").join(name), &next.join(name))?;
        }
        Ok(())
    })
}

fn pip(arguments: &[String]) -> Result<()> {
    let interpreter = interpreter_with_pip().context("no python3 with pip in PATH")?;
    let status = Command::new(interpreter)
        .args(["-m", "pip"])
        .args(arguments)
        // The verb's own output alone goes to stdout.
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("running {interpreter} -m pip"))?;
    ensure!(status.success(), "{interpreter} -m pip {} failed ({status})", arguments[0]);
    Ok(())
}
