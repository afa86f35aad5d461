//! Which data set a folder holds, and which its folders hold.
//!
//! A manifest or a layout of folders says by names whose it is. Parquet files say so by their columns only, however deep
//! they lie, so that a folder of several sets looks like the first of them that has such files. Therefore they stand for
//! a folder only where no folder in it holds another set.

use std::path::{Path, PathBuf};

use super::files::{Entry, folders};
use super::hub::{Columns, first_columns};
use super::unpack::UNPACKED;
use super::{READERS, ReadOptions, Reader, Reading};
use crate::{DataError, Manifest, manifest};

/// How deep a set may lie in folders that hold one folder each: a zip file unpacks to a folder in a folder in a folder.
const DEPTH: usize = 4;

/// A data set that was found and is not read yet.
#[derive(Clone)]
pub(crate) struct Place {
    /// The folder, or the manifest.
    pub(crate) path: PathBuf,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Manifest,
    /// The layout of a reader, by names.
    Tree(&'static dyn Reader),
    /// The parquet files of a reader, by their columns.
    Hub(&'static dyn Reader),
}

/// What a folder holds.
#[derive(Default)]
pub(crate) struct Found {
    /// The sets, sorted by name.
    pub(crate) places: Vec<Place>,
    /// Folders beside them in which nothing was found.
    pub(crate) passed_over: Vec<PathBuf>,
}

impl Place {
    pub(crate) fn read(&self, options: &ReadOptions) -> Result<Reading, DataError> {
        match self.kind {
            Kind::Manifest => {
                let manifest = Manifest::read_into(&self.path, options.unpack_into.as_deref())?;
                Ok(Reading { manifest, notes: Vec::new() })
            }
            Kind::Tree(reader) | Kind::Hub(reader) => reader.read(&self.path, options),
        }
    }

    fn is_of(&self, reader: &dyn Reader) -> bool {
        matches!(self.kind, Kind::Tree(own) | Kind::Hub(own) if own.name() == reader.name())
    }
}

/// The one set of a folder: its own, or that of the only folder in it.
pub(crate) fn alone(path: &Path) -> Result<Option<Place>, DataError> {
    follow(path, |folder| match by_names(folder) {
        Some(place) => Ok(Some(place)),
        None => by_columns(folder),
    })
}

/// The sets of a folder: its own, else those of its folders.
pub(crate) fn all(path: &Path) -> Result<Found, DataError> {
    let found = follow(path, |folder| {
        let found = here(folder)?;
        Ok((!found.places.is_empty()).then_some(found))
    });
    Ok(found?.unwrap_or_default())
}

/// What `look` finds in a folder, else in the only folder in it. Files beside that, such as the archive that it comes
/// from, do not matter.
fn follow<T>(
    path: &Path,
    look: impl Fn(&Path) -> Result<Option<T>, DataError>,
) -> Result<Option<T>, DataError> {
    let mut folder = path.to_owned();
    for _ in 0..DEPTH {
        let found = look(&folder)?;
        if found.is_some() {
            return Ok(found);
        }
        let mut inner = inner(&folder)?;
        match (inner.pop(), inner.pop()) {
            (Some(only), None) => folder = only.path,
            _ => break,
        }
    }
    Ok(None)
}

fn here(folder: &Path) -> Result<Found, DataError> {
    let mut found = Found::default();
    if let Some(place) = by_names(folder) {
        // What the layout of a set does not explain may be another set; its own parts are no sets, or the same one.
        if let Kind::Tree(reader) = place.kind {
            for entry in inner(folder)? {
                found.places.extend(alone(&entry.path)?.filter(|other| !other.is_of(reader)));
            }
        }
        found.places.insert(0, place);
        return Ok(found);
    }
    if let Some(place) = by_columns(folder)? {
        let without = inner(folder)?.into_iter().filter(|entry| first_columns(&entry.path) == Columns::None);
        return Ok(Found { passed_over: without.map(|entry| entry.path).collect(), places: vec![place] });
    }
    for entry in inner(folder)? {
        match alone(&entry.path)? {
            Some(place) => found.places.push(place),
            // A model that lies beside its data is not missed among them.
            None if entry.path.join("config.json").is_file() => {}
            None => found.passed_over.push(entry.path),
        }
    }
    Ok(found)
}

/// The folders that may hold a set: not what was unpacked from the parquet files of one.
fn inner(folder: &Path) -> Result<Vec<Entry>, DataError> {
    let mut inner = folders(folder)?;
    inner.retain(|entry| !entry.name.ends_with(UNPACKED));
    Ok(inner)
}

fn by_names(path: &Path) -> Option<Place> {
    let kind = if path.is_file() || manifest::find(path).is_some() {
        Kind::Manifest
    } else {
        Kind::Tree(READERS.iter().find(|reader| reader.detect(path))?.to_owned())
    };
    Some(Place { path: path.to_owned(), kind })
}

/// The set whose parquet files are in a folder, where there is nothing else.
fn by_columns(folder: &Path) -> Result<Option<Place>, DataError> {
    let reader_of = |columns: &[String]| {
        let knows = |reader: &&&dyn Reader| {
            let wanted = reader.columns();
            !wanted.is_empty() && wanted.iter().all(|column| columns.iter().any(|name| name == column))
        };
        READERS.iter().find(knows).copied()
    };
    let mut reader: Option<&'static dyn Reader> = None;
    let inner = inner(folder)?;
    let folders = inner.iter().map(|entry| entry.path.as_path());
    // A file of the folder's own goes before those of its folders.
    for path in std::iter::once(folder).chain(folders) {
        let columns = match first_columns(path) {
            Columns::Named(columns) => columns,
            // Of a damaged file nobody knows whose it is; who reads it says so.
            Columns::Damaged | Columns::None => continue,
        };
        match (reader, reader_of(&columns)) {
            (None, Some(found)) => reader = Some(found),
            (Some(reader), Some(found)) if reader.name() == found.name() => {}
            _ => return Ok(None),
        }
    }
    let Some(reader) = reader else { return Ok(None) };
    for entry in &inner {
        if follow(&entry.path, |folder| Ok(by_names(folder)))?.is_some() {
            return Ok(None);
        }
    }
    Ok(Some(Place { path: folder.to_owned(), kind: Kind::Hub(reader) }))
}
