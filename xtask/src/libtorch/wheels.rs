//! A small libtorch for the CPU out of three wheels of the Python registry.
//!
//! The torch wheel of the registry is built for CUDA, but its `libtorch_cpu.so` needs only two small libraries of CUDA
//! to load, which have wheels of their own. The whole is 540 MB to download and 490 MB on disk, where torch with all it
//! asks for would be 2.7 GB and 4.7 GB. No Python is needed: a wheel is a zip archive.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::download::{self, Wanted};
use super::folder::{LINKER_SCRIPT, Libtorch};
use super::store::Store;
use super::{VERSION, python, unpack};
use crate::exit::Stop;

/// The libraries of CUDA that `libtorch_cpu.so` finds beside itself.
pub(crate) const NEIGHBOURS: [&str; 2] = ["libcupti.so.13", "libcudart.so.13"];

/// One pinned file of the registry.
#[derive(Debug)]
pub(crate) struct Wheel {
    project: &'static str,
    version: &'static str,
    file: &'static str,
    sha256: &'static str,
}

impl Wheel {
    /// The requirement as pip takes it.
    pub(crate) fn requirement(&self) -> String {
        format!("{}=={}", self.project, self.version)
    }
}

/// The three wheels. Any Python's torch wheel has the same libraries; one is pinned, so that one checksum fits.
pub(crate) const WHEELS: [Wheel; 3] = [
    Wheel {
        project: "torch",
        version: VERSION,
        file: "torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        sha256: "60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7",
    },
    Wheel {
        project: "nvidia-cuda-cupti",
        version: "13.0.85",
        file: "nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl",
        sha256: "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
    },
    Wheel {
        project: "nvidia-cuda-runtime",
        version: "13.0.96",
        file: "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
    },
];

/// Where wheels come from.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    /// A folder of the user with the wheels in it.
    pub(crate) folder: Option<&'a Path>,
    /// Whether nothing may be downloaded.
    pub(crate) offline: bool,
}

/// Stages the CPU-only folder. The caller holds the store's lock.
pub(crate) fn stage(store: &Store, sources: &Sources) -> Result<Libtorch> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Stop::Missing(format!(
            "libtorch is staged by itself on Linux with x86-64 only: install torch {VERSION} for python3, or name a \
             libtorch {VERSION} with --libtorch DIR"
        ))
        .into());
    }
    let downloads = store.downloads()?;
    let files = collect(&downloads, sources)?;
    let found = store.stage("cpu", |next| {
        let [torch, cupti, runtime] = &files;
        unpack::unpack(torch, next, place_torch)?;
        for (file, name) in [cupti, runtime].into_iter().zip(NEIGHBOURS) {
            let place = |path: &Path| path.ends_with(name).then(|| Path::new("lib").join(name));
            unpack::unpack(file, next, place)?;
        }
        fs::write(next.join("lib/libtorch.so"), LINKER_SCRIPT)?;
        Ok(())
    })?;
    // What was downloaded has served; a folder that the user named is left alone.
    for file in files.iter().filter(|file| file.starts_with(&downloads)) {
        fs::remove_file(file).with_context(|| format!("removing {}", file.display()))?;
    }
    Ok(found)
}

/// `torch/lib/libc10.so` to `lib/libc10.so`, and every header.
fn place_torch(path: &Path) -> Option<PathBuf> {
    let inner = path.strip_prefix("torch").ok()?;
    let libraries = ["lib/libtorch_cpu.so", "lib/libc10.so", "lib/libgomp.so.1"];
    let chosen = inner.starts_with("include") || libraries.iter().any(|name| inner == Path::new(name));
    chosen.then(|| inner.to_path_buf())
}

fn collect(downloads: &Path, sources: &Sources) -> Result<[PathBuf; 3]> {
    let mut files = WHEELS.each_ref().map(|wheel| downloads.join(wheel.file));
    if let Some(folder) = sources.folder {
        for (wheel, file) in WHEELS.iter().zip(&mut files) {
            *file = folder.join(wheel.file);
            if !file.is_file() {
                return Err(Stop::Missing(format!("{} is missing", file.display())).into());
            }
        }
    } else if sources.offline {
        if let Some(file) = files.iter().find(|file| !file.is_file()) {
            return Err(Stop::Missing(format!(
                "{} is missing and --offline forbids to download it: bring the three wheels with --wheels DIR",
                file.display()
            ))
            .into());
        }
    } else if let Err(error) = download(&files) {
        eprintln!("the registry did not give the wheels ({error:#}); trying pip");
        python::pip_download(&WHEELS, downloads).map_err(|pip| {
            Stop::Missing(format!(
                "libtorch could not be downloaded: {error:#}; {pip:#}. Bring the wheels from elsewhere: \
                 `{}`, then `cargo xtask setup --wheels DIR`",
                python::pip_command(&WHEELS)
            ))
        })?;
    }
    for (wheel, file) in WHEELS.iter().zip(&files) {
        verify(wheel, file)?;
    }
    Ok(files)
}

fn download(files: &[PathBuf; 3]) -> Result<()> {
    let client = download::client();
    for (wheel, file) in WHEELS.iter().zip(files) {
        if !file.is_file() {
            let url = resolve(&client, wheel)?;
            download::fetch(&client, &Wanted { url: &url, sha256: Some(wheel.sha256) }, file)?;
        }
    }
    Ok(())
}

/// The address of a wheel, by the registry's index in its JSON form (PEP 691), which mirrors have too.
fn resolve(client: &ureq::Agent, wheel: &Wheel) -> Result<String> {
    let index = std::env::var("PIP_INDEX_URL").unwrap_or_else(|_| "https://pypi.org/simple".into());
    let page = format!("{}/{}/", index.trim_end_matches('/'), wheel.project);
    let mut response = client
        .get(&page)
        .header("Accept", "application/vnd.pypi.simple.v1+json")
        .call()
        .with_context(|| format!("asking {page}"))?;
    anyhow::ensure!(response.status().as_u16() == 200, "{page} answered HTTP {}", response.status());
    let text = response.body_mut().read_to_string().with_context(|| format!("reading {page}"))?;
    find_url(&text, wheel.file).with_context(|| format!("{page} does not list {}", wheel.file))
}

fn find_url(index: &str, file: &str) -> Option<String> {
    let index: serde_json::Value = serde_json::from_str(index).ok()?;
    let entry = index["files"].as_array()?.iter().find(|entry| entry["filename"] == file)?;
    Some(entry["url"].as_str()?.to_owned()).filter(|url| url.starts_with("http"))
}

fn verify(wheel: &Wheel, file: &Path) -> Result<()> {
    let found = download::sha256(file)?;
    if found != wheel.sha256 {
        return Err(Stop::Failed(format!(
            "{} has SHA-256 {found}, wanted {}: remove it and run setup again",
            file.display(),
            wheel.sha256
        ))
        .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_torch_only_what_the_cpu_needs_is_unpacked() {
        let place = |path: &str| place_torch(Path::new(path)).map(|path| path.display().to_string());
        assert_eq!(place("torch/lib/libc10.so").as_deref(), Some("lib/libc10.so"));
        assert_eq!(place("torch/include/ATen/ATen.h").as_deref(), Some("include/ATen/ATen.h"));
        for path in ["torch/lib/libtorch.so", "torch/lib/libtorch_cuda.so", "torch/version.py", "x/include/y"]
        {
            assert_eq!(place(path), None, "{path}");
        }
    }

    #[test]
    fn the_address_comes_from_the_index() {
        let index = r#"{"files": [{"filename": "a.whl", "url": "https://x/a.whl"}, {"filename": "b", "url": "../b"}]}"#;
        assert_eq!(find_url(index, "a.whl").as_deref(), Some("https://x/a.whl"));
        assert_eq!(find_url(index, "b"), None);
        assert_eq!(find_url("<html>", "a.whl"), None);
    }

    #[test]
    fn wheels_that_are_not_there_are_named() {
        let home = tempfile::tempdir().unwrap();
        for folder in [None, Some(home.path())] {
            let sources = Sources { folder, offline: true };
            let error = stage(&Store::at(home.path()), &sources).unwrap_err();
            assert_eq!(Stop::code(&error), 3, "{error}");
        }
    }

    #[test]
    fn a_wheel_with_other_bytes_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for wheel in &WHEELS {
            fs::write(folder.path().join(wheel.file), "no wheel").unwrap();
        }
        let sources = Sources { folder: Some(folder.path()), offline: true };
        let error = collect(folder.path(), &sources).unwrap_err();
        assert!(error.to_string().contains("SHA-256"), "{error}");
    }
}
