//! From a folder to the manifests in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::manifest::find;
use crate::{DataError, Manifest};

/// The data sets of a folder: itself, where it has a manifest, else those of its folders that have one, sorted by
/// name.
///
/// # Errors
///
/// [`DataError::NoManifest`] says what was looked for; a manifest that cannot be read is an error too.
pub fn discover(dir: &Path) -> Result<Vec<Manifest>, DataError> {
    if dir.is_file() || find(dir).is_some() {
        return Ok(vec![Manifest::read(dir)?]);
    }
    let list = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect()
    };
    let mut folders = list().map_err(DataError::io("list", dir))?;
    folders.sort();
    let manifests: Vec<PathBuf> = folders.iter().filter_map(|folder| find(folder)).collect();
    if manifests.is_empty() {
        return Err(DataError::NoManifest { path: dir.to_owned() });
    }
    manifests.iter().map(|path| Manifest::read(path)).collect()
}
