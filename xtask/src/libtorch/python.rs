//! Python, where the machine has it: its torch, and its pip.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::folder::{self, Fault, Libtorch};
use super::VERSION;
use super::store::Store;
use super::wheels::Wheel;


/// The interpreters that are asked, in this order.
const INTERPRETERS: [&str; 2] = ["python3", "python"];

/// Tags of the one platform whose wheels are pinned; pip matches them literally.
const PIP_PLATFORM: [&str; 14] = [
    "--only-binary=:all:",
    "--python-version=3.11",
    "--implementation=cp",
    "--abi=cp311",
    "--abi=abi3",
    "--abi=none",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_27_x86_64",
    "--platform=manylinux_2_25_x86_64",
    "--platform=manylinux_2_24_x86_64",
    "--platform=manylinux_2_17_x86_64",
    "--platform=manylinux2014_x86_64",
    "--platform=manylinux2010_x86_64",
    "--platform=linux_x86_64",
];

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
    arguments.extend(wheels.iter().map(Wheel::requirement));
    pip(&arguments)
}

/// The command that a user may give on another machine.
pub(crate) fn pip_command(wheels: &[Wheel]) -> String {
    let wanted: Vec<String> = wheels.iter().map(Wheel::requirement).collect();
    format!("pip download --no-deps --dest DIR {} {}", PIP_PLATFORM.join(" "), wanted.join(" "))
}

/// Stages torch with everything it needs for CUDA: the same neighbourhood of folders that pip makes, so that the
/// libraries find each other by their own run paths. The caller holds the store's lock.
pub(crate) fn stage_cuda(store: &Store) -> Result<Libtorch> {
    store.stage("cuda", |next| {
        let site = next.join("site");
        let mut arguments: Vec<String> = ["install", "--no-compile", "--target"].map(String::from).into();
        arguments.extend([site.display().to_string(), format!("torch=={VERSION}")]);
        pip(&arguments)?;
        for name in ["lib", "include"] {
            std::os::unix::fs::symlink(Path::new("site/torch").join(name), next.join(name))?;
        }
        Ok(())
    })
}

fn pip(arguments: &[String]) -> Result<()> {
    let interpreter = interpreter_with_pip().context("no python3 with pip in PATH")?;
    let status = Command::new(interpreter)
        .args(["-m", "pip"])
        .args(arguments.first())
        .args(PIP_PLATFORM)
        .args(&arguments[1..])
        // The verb's own output alone goes to stdout.
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("running {interpreter} -m pip"))?;
    ensure!(status.success(), "{interpreter} -m pip {} failed ({status})", arguments[0]);
    Ok(())
}
