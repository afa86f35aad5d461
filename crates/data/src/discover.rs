//! From a folder to the data sets in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::DataError;
use crate::manifest::find;
use crate::readers::{READERS, ReadOptions, Reading, read_dataset};

/// The data sets of a folder: itself, where it has a manifest or the layout of a published set, else those of its folders
/// that have one, sorted by name.
///
/// # Errors
///
/// [`DataError::NoManifest`] says what was looked for; a data set that cannot be read is an error too.
pub fn discover(dir: &Path, options: &ReadOptions) -> Result<Vec<Reading>, DataError> {
    if is_set(dir) {
        return Ok(vec![read_dataset(dir, options)?]);
    }
    let list = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect()
    };
    let mut folders = list().map_err(DataError::io("list", dir))?;
    folders.sort();
    folders.retain(|folder| folder.is_dir() && is_set(folder));
    if folders.is_empty() {
        // A folder in a folder in a folder, as zip files unpack; or the error that lists what was looked for.
        return Ok(vec![read_dataset(dir, options)?]);
    }
    folders.iter().map(|folder| read_dataset(folder, options)).collect()
}

fn is_set(path: &Path) -> bool {
    path.is_file() || find(path).is_some() || READERS.iter().any(|reader| reader.detect(path))
}
