//! What a usable libtorch folder is, and what can be wrong with one.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{VERSION, elf};

/// The file whose first line torch-sys compares with the version it wants.
pub(crate) const VERSION_FILE: &str = "build-version";

/// The linker script that stands in for `libtorch.so` in a folder of the CPU alone: `-ltorch` then resolves when we
/// link, and nothing of that name is wanted when we run.
pub(crate) const LINKER_SCRIPT: &str =
    "/* GNU ld script: CPU-only stand-in for libtorch.so */\nINPUT(-ltorch_cpu)\n";

/// Headers that torch-sys includes first; a folder that lacks one was not unpacked to the end.
const HEADERS: [&str; 3] =
    ["include/torch/csrc/api/include/torch/torch.h", "include/ATen/ATen.h", "include/c10/core/ScalarType.h"];

/// A libtorch that can be linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Libtorch {
    /// The folder with `lib` and `include`, links resolved.
    pub(crate) dir: PathBuf,
    /// Whether it can compute on CUDA.
    pub(crate) cuda: bool,
}

impl fmt::Display for Libtorch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flavour = if self.cuda { "CPU and CUDA" } else { "CPU" };
        write!(out, "libtorch {VERSION} ({flavour}) in {}", self.dir.display())
    }
}

/// Why a folder is not a libtorch that can be linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no such folder.
    Absent { dir: PathBuf },
    /// A file is missing, empty or cut short.
    Incomplete { file: PathBuf, what: &'static str },
    /// It is another version.
    Version { dir: PathBuf, found: String },
    /// It was compiled for the C++ ABI before C++11.
    Abi { file: PathBuf },
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent { dir } => write!(out, "no libtorch at {}", dir.display()),
            Self::Incomplete { file, what } => write!(out, "{} is {what}", file.display()),
            Self::Version { dir, found } => {
                write!(out, "found libtorch {found} in {}, wanted {VERSION}", dir.display())
            }
            Self::Abi { file } => {
                write!(out, "found the C++ ABI before C++11 in {}, wanted C++11 (`__cxx11`)", file.display())
            }
        }
    }
}

/// Checks a folder that is to be linked: whole, of the wanted version and ABI, with its `build-version`.
pub(crate) fn inspect(dir: &Path) -> Result<Libtorch, Fault> {
    let found = inspect_contents(dir)?;
    let marker = dir.join(VERSION_FILE);
    if marker.is_file() { Ok(found) } else { Err(Fault::Incomplete { file: marker, what: "missing" }) }
}

/// Checks a folder that may lack `build-version`, which Python's torch and builds from source do not have.
pub(crate) fn inspect_contents(dir: &Path) -> Result<Libtorch, Fault> {
    let Ok(resolved) = dir.canonicalize() else {
        return Err(Fault::Absent { dir: dir.to_path_buf() });
    };
    let core = dir.join("lib").join(library("c10"));
    for name in ["torch_cpu", "c10", "torch"] {
        check_file(&dir.join("lib").join(library(name)))?;
    }
    for header in HEADERS {
        check_file(&dir.join(header))?;
    }
    if is_linker_script(&dir.join("lib").join(library("torch"))) {
        for neighbour in super::wheels::NEIGHBOURS {
            check_file(&dir.join("lib").join(neighbour))?;
        }
    }
    let found = version(dir).unwrap_or_else(|| "of unknown version".into());
    if found.split('+').next() != Some(VERSION) {
        return Err(Fault::Version { dir: resolved, found });
    }
    if cfg!(target_os = "linux") && !elf::has_cxx11_abi(&core).unwrap_or(false) {
        return Err(Fault::Abi { file: core });
    }
    Ok(Libtorch { cuda: resolved.join("lib").join(library("torch_cuda")).is_file(), dir: resolved })
}

/// The version that a folder says it has: `build-version`, else Python's `version.py`, else the header.
fn version(dir: &Path) -> Option<String> {
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).ok();
    if let Some(text) = read(VERSION_FILE) {
        return Some(text.trim().to_owned());
    }
    if let Some(text) = read("version.py") {
        let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
        return Some(line.trim_matches(['\'', '"']).to_owned());
    }
    let header = read("include/torch/headeronly/version.h")
        .or_else(|| read("include/torch/csrc/api/include/torch/version.h"))?;
    let number = |part: &str| {
        let start = format!("#define TORCH_VERSION_{part} ");
        header.lines().find_map(|line| line.strip_prefix(&start)).map(str::trim)
    };
    Some(format!("{}.{}.{}", number("MAJOR")?, number("MINOR")?, number("PATCH")?))
}

/// The file name of a shared library on this system.
fn library(name: &str) -> String {
    format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

fn check_file(file: &Path) -> Result<(), Fault> {
    let fault = |what| Fault::Incomplete { file: file.to_path_buf(), what };
    let length = file.metadata().map_err(|_| fault("missing"))?.len();
    if length == 0 {
        return Err(fault("empty"));
    }
    match elf::whole_length(file) {
        Ok(Some(whole)) if length < whole => Err(fault("cut short")),
        Ok(_) => Ok(()),
        Err(_) => Err(fault("unreadable")),
    }
}

fn is_linker_script(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.len() == LINKER_SCRIPT.len() as u64)
}

/// Writes a folder with every file that a CPU-only libtorch must have.
#[cfg(test)]
pub(crate) fn write_fake(dir: &Path, version: &str, cxx11: bool) {
    std::fs::create_dir_all(dir.join("lib")).unwrap();
    for name in ["libtorch_cpu.so", "libc10.so"].into_iter().chain(super::wheels::NEIGHBOURS) {
        std::fs::write(dir.join("lib").join(name), elf::fake(256, cxx11)).unwrap();
    }
    std::fs::write(dir.join("lib/libtorch.so"), LINKER_SCRIPT).unwrap();
    for header in HEADERS {
        let path = dir.join(header);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "#pragma once\n").unwrap();
    }
    std::fs::write(dir.join(VERSION_FILE), format!("{version}\n")).unwrap();
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn fake() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        write_fake(folder.path(), VERSION, true);
        folder
    }

    #[test]
    fn a_whole_folder_is_accepted_with_or_without_the_build_tag() {
        let folder = fake();
        assert!(!inspect(folder.path()).unwrap().cuda);
        fs::write(folder.path().join(VERSION_FILE), "2.13.0+cpu").unwrap();
        inspect(folder.path()).unwrap();
        fs::write(folder.path().join("lib/libtorch_cuda.so"), "x").unwrap();
        assert!(inspect(folder.path()).unwrap().cuda);
    }

    #[test]
    fn every_missing_file_is_named() {
        let files = [
            "lib/libtorch_cpu.so",
            "lib/libtorch.so",
            "lib/libcupti.so.13",
            "lib/libcudart.so.13",
            VERSION_FILE,
        ];
        for name in files.into_iter().chain(HEADERS) {
            let folder = fake();
            fs::remove_file(folder.path().join(name)).unwrap();
            // Without build-version the version is unknown, unless another file says it.
            fs::write(folder.path().join("version.py"), "__version__ = '2.13.0+cu130'\n").unwrap();
            let fault = inspect(folder.path()).unwrap_err();
            assert_eq!(fault, Fault::Incomplete { file: folder.path().join(name), what: "missing" });
        }
    }

    #[test]
    fn an_empty_and_a_cut_library_are_refused() {
        let folder = fake();
        let path = folder.path().join("lib/libtorch_cpu.so");
        fs::write(&path, &elf::fake(256, true)[..200]).unwrap();
        assert_eq!(
            inspect(folder.path()).unwrap_err(),
            Fault::Incomplete { file: path.clone(), what: "cut short" }
        );
        fs::write(&path, "").unwrap();
        assert_eq!(inspect(folder.path()).unwrap_err(), Fault::Incomplete { file: path, what: "empty" });
    }

    #[test]
    fn another_version_is_named_beside_the_wanted_one() {
        let folder = tempfile::tempdir().unwrap();
        write_fake(folder.path(), "2.12.1+cpu", true);
        let message = inspect(folder.path()).unwrap_err().to_string();
        assert!(message.contains("2.12.1+cpu") && message.contains(VERSION), "{message}");
    }

    #[test]
    fn the_old_abi_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        write_fake(folder.path(), VERSION, false);
        assert!(matches!(inspect(folder.path()), Err(Fault::Abi { .. })));
    }

    #[test]
    fn a_folder_without_its_marker_is_known_by_its_header() {
        let folder = fake();
        fs::remove_file(folder.path().join(VERSION_FILE)).unwrap();
        fs::create_dir_all(folder.path().join("include/torch/headeronly")).unwrap();
        let header =
            "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 13\n#define TORCH_VERSION_PATCH 0\n";
        fs::write(folder.path().join("include/torch/headeronly/version.h"), header).unwrap();
        inspect_contents(folder.path()).unwrap();
        assert!(inspect(folder.path()).is_err());
    }

    #[test]
    fn no_folder_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(inspect(&folder.path().join("none")), Err(Fault::Absent { .. })));
    }
}
