//! Output, and flags that several verbs share.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::json;
use sure_nn::{DeviceChoice, tch::Device};

use crate::plan;

/// Writes a line to standard output. A reader that has gone away is no error.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Writes a line to standard error.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes a value as JSON to standard output.
pub(super) fn say_json(value: &impl Serialize) -> Result<()> {
    say(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Says which files were written: as `{files}`, or one a line.
pub(super) fn say_files(files: &[PathBuf], json: bool) -> Result<()> {
    if json {
        return say_json(&json!({"files": files}));
    }
    for file in files {
        say(&file.display().to_string());
    }
    Ok(())
}

/// `--device auto|cpu|cuda[:N]`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct DeviceFlag {
    /// Where to compute: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto", value_name = "D")]
    pub(super) device: DeviceChoice,
}

impl DeviceFlag {
    pub(super) fn resolve(&self) -> Result<Device> {
        self.device.resolve().map_err(|error| match error {
            sure_nn::DeviceError::Unknown(_) => error.into(),
            _ => crate::backbone::Missing(error.to_string()).into(),
        })
    }
}

/// `--precision auto|fp32|bf16`.
pub(super) fn precision(text: &str) -> Result<String> {
    match text {
        "auto" | "fp32" => Ok("fp32".to_owned()),
        "bf16" => bail!("--precision bf16 is not available yet; fp32 is"),
        _ => bail!("unknown precision {text:?}: auto, fp32 and bf16 are known"),
    }
}

/// `--cache off|DIR`: the folder, or `None` for off.
pub(super) fn cache(flag: Option<&Path>) -> Option<PathBuf> {
    match flag {
        Some(path) if path == Path::new("off") => None,
        Some(path) => Some(path.to_owned()),
        None => Some(plan::default_cache()),
    }
}
