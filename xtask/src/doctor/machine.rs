//! What the doctor knows of a machine: gathered once, or made up by a test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::libtorch::{download, python};
use crate::workspace::Workspace;

/// A machine as the doctor sees it. What is slow to find out is a function, called only where it matters.
pub(super) struct Machine {
    /// The root of the checkout.
    pub(super) root: PathBuf,
    /// Where cargo puts what it builds; `None` where cargo did not say.
    pub(super) target_dir: Option<PathBuf>,
    /// The environment.
    pub(super) env: BTreeMap<String, String>,
    /// Whether a program can be run, by name or path.
    pub(super) has_program: Box<dyn Fn(&str) -> bool>,
    /// Whether some Python has pip.
    pub(super) has_pip: Box<dyn Fn() -> bool>,
    /// Whether the Python registry answers.
    pub(super) has_network: Box<dyn Fn() -> bool>,
    /// How many GPUs the NVIDIA driver shows; `None` without a driver.
    pub(super) gpus: Option<usize>,
    /// Whether the loader finds the driver's library, `libcuda.so.1`.
    pub(super) has_libcuda: bool,
}

impl Machine {
    /// This machine.
    pub(super) fn here(workspace: &Workspace) -> Self {
        let env: BTreeMap<String, String> = std::env::vars_os()
            .map(|(key, value)| (key.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect();
        let path = env.get("PATH").cloned().unwrap_or_default();
        Self {
            root: workspace.root().to_path_buf(),
            target_dir: workspace.target_dir().ok(),
            has_libcuda: has_libcuda(&env),
            has_program: Box::new(move |name| has_program(name, &path)),
            has_pip: Box::new(python::has_pip),
            has_network: Box::new(has_network),
            gpus: gpus(Path::new("/proc/driver/nvidia"), Path::new("/dev")),
            env,
        }
    }
}

fn has_program(name: &str, path: &str) -> bool {
    if name.contains('/') {
        return is_executable(Path::new(name));
    }
    std::env::split_paths(path).any(|folder| is_executable(&folder.join(name)))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file() || file.with_extension("exe").is_file()
}

fn has_network() -> bool {
    let answer = download::client().head("https://pypi.org/simple/torch/").call();
    answer.is_ok_and(|response| response.status().as_u16() < 500)
}

/// Containers often show the devices without the driver's folder, and virtual machines of Windows neither.
fn gpus(driver: &Path, devices: &Path) -> Option<usize> {
    let count = |folder: &Path, fits: fn(&str) -> bool| {
        fs::read_dir(folder).map_or(0, |entries| {
            entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(fits)).count()
        })
    };
    let numbered = count(devices, |name| {
        name.strip_prefix("nvidia")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    });
    let listed = count(&driver.join("gpus"), |_| true);
    let windows = usize::from(devices.join("dxg").exists());
    (driver.exists() || numbered + windows > 0).then_some(numbered.max(listed).max(windows))
}

fn has_libcuda(env: &BTreeMap<String, String>) -> bool {
    const NAME: &str = "libcuda.so.1";
    let listed = ["ldconfig", "/sbin/ldconfig"].iter().any(|program| {
        let output = Command::new(program).arg("-p").output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(NAME))
    });
    let path = env.get("LD_LIBRARY_PATH").map(String::as_str).unwrap_or_default();
    let usual = ["/usr/lib/wsl/lib", "/usr/local/nvidia/lib64", "/usr/lib64", "/usr/lib/x86_64-linux-gnu"];
    listed
        || std::env::split_paths(path)
            .chain(usual.into_iter().map(PathBuf::from))
            .any(|folder| folder.join(NAME).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_counted_by_devices_or_by_the_drivers_list() {
        let folder = tempfile::tempdir().unwrap();
        let (driver, devices) = (folder.path().join("nvidia"), folder.path().join("dev"));
        fs::create_dir_all(&devices).unwrap();
        assert_eq!(gpus(&driver, &devices), None);
        for name in ["nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"] {
            fs::write(devices.join(name), "").unwrap();
        }
        assert_eq!(gpus(&driver, &devices), Some(2));
        fs::create_dir_all(driver.join("gpus/0000:01:00.0")).unwrap();
        assert_eq!(gpus(&driver, &folder.path().join("none")), Some(1));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_is_executable_and_in_the_path() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        let file = folder.path().join("c++");
        fs::write(&file, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(!has_program("c++", &path));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(has_program("c++", &path));
        assert!(has_program(file.to_str().unwrap(), ""));
    }
}
