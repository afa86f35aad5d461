//! From a folder to the data sets in it.

use std::path::{Path, PathBuf};

use crate::DataError;
use crate::readers::{ReadOptions, Reading, Tally, What, find, read_dataset};

/// The data sets of a folder: itself, where it has a manifest or the layout of a published set, else those of its folders
/// that have one, sorted by name. Folders with one folder in them stand for that one.
///
/// Folders in which nothing was found are passed over; a note of the first reading, [`What::PassedOver`], names them.
///
/// # Errors
///
/// [`DataError::UnknownLayout`] says what was looked for; a data set that cannot be read is an error too.
pub fn discover(dir: &Path, options: &ReadOptions) -> Result<Vec<Reading>, DataError> {
    let found = find::all(dir)?;
    if found.places.is_empty() {
        // The error that lists what was looked for.
        return Ok(vec![read_dataset(dir, options)?]);
    }
    let mut readings: Vec<Reading> =
        found.places.iter().map(|place| place.read(options)).collect::<Result<_, _>>()?;
    let name = |path: &PathBuf| path.strip_prefix(dir).unwrap_or(path).display().to_string();
    let passed_over: Tally = found.passed_over.iter().map(name).collect();
    if let Some(first) = readings.first_mut() {
        first.notes.extend(passed_over.note(What::PassedOver));
    }
    Ok(readings)
}
