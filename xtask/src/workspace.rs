//! The checkout that xtask works on, and cargo run inside it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// Variables that choose another libtorch. Cargo's own `[env]` table sets `LIBTORCH` for every child; a child that had
/// another value would build torch-sys again, so xtask's children never see what the user set.
pub(crate) const LIBTORCH_VARIABLES: [&str; 4] =
    ["LIBTORCH", "LIBTORCH_USE_PYTORCH", "LIBTORCH_INCLUDE", "LIBTORCH_LIB"];

/// What `cargo run` adds for xtask alone. Build scripts that watch one of these would run again below xtask.
const CARGO_RUN_VARIABLES: [&str; 7] = [
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "OUT_DIR",
];

/// The root of the checkout.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The checkout whose xtask this is: cargo says it at run time, for a target folder may be shared by clones.
    pub(crate) fn here() -> Self {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        Self { root: manifest.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf) }
    }

    /// The folder of the workspace's Cargo.toml.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The link to libtorch, which `.cargo/config.toml` names as `LIBTORCH`.
    pub(crate) fn libtorch(&self) -> PathBuf {
        self.root.join("libtorch")
    }

    /// Cargo at the root, with the environment it would have if it were called by hand.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        command.current_dir(&self.root);
        scrub(&mut command);
        command
    }

    /// Where cargo puts what it builds: `CARGO_TARGET_DIR`, `build.target-dir` and the default in one answer.
    pub(crate) fn target_dir(&self) -> Result<PathBuf> {
        let target = &self.metadata()?["target_directory"];
        Ok(PathBuf::from(target.as_str().context("cargo metadata names no target_directory")?))
    }

    /// `cargo metadata` of the members alone, without network.
    pub(crate) fn metadata(&self) -> Result<serde_json::Value> {
        let output = self
            .cargo()
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .output()
            .context("running cargo metadata")?;
        anyhow::ensure!(
            output.status.success(),
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        serde_json::from_slice(&output.stdout).context("reading the answer of cargo metadata")
    }
}

/// Takes away what only xtask should see.
pub(crate) fn scrub(command: &mut Command) {
    for name in LIBTORCH_VARIABLES.iter().chain(&CARGO_RUN_VARIABLES) {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") {
            command.env_remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace_manifest() {
        let manifest = std::fs::read_to_string(Workspace::here().root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }

    #[test]
    fn a_cargo_child_gets_neither_a_package_nor_a_libtorch_of_its_parent() {
        let command = Workspace::here().cargo();
        let removed: Vec<_> = command.get_envs().filter(|(_, value)| value.is_none()).collect();
        for name in ["LIBTORCH", "CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
            assert!(removed.iter().any(|(key, _)| *key == name), "{name} is passed on");
        }
    }
}
