//! A whole archive into a folder.

use std::{io::Write, ops::ControlFlow, path::Path};

use crate::{
    ArchiveError, Limits, NameFault, Progress,
    name::{inside, shown},
    place::Place,
    walk::{Entry, Kind, walk},
};

/// What an archive held.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Unpacked {
    /// Files that were written.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Unpacks an archive into a folder, which is there and empty. `progress` is called often, at least every 64 KiB, and may
/// end it.
///
/// After an error the folder holds a part of the archive: unpack into a folder of another name, and rename it when all
/// went well.
///
/// # Errors
/// [`ArchiveError`]; nothing outside `into` has been touched then either.
pub fn unpack(
    archive: &Path,
    into: &Path,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Unpacked, ArchiveError> {
    let mut place = Place::new(into)?;
    let mut unpacked = Unpacked::default();
    walk(archive, limits, progress, &mut |entry| write(entry, &mut place, &mut unpacked))?;
    Ok(unpacked)
}

fn write(
    entry: &mut Entry<'_, '_>,
    place: &mut Place<'_>,
    unpacked: &mut Unpacked,
) -> Result<(), ArchiveError> {
    let name = |fault| ArchiveError::Name {
        archive: entry.meter.archive.to_owned(),
        entry: shown(entry.name),
        fault,
    };
    let path = inside(entry.name, entry.meter.limits.name).map_err(name)?;
    let archive = entry.meter.archive.to_owned();
    match &entry.kind {
        Kind::Folder => place.folder(&path, entry.meter),
        Kind::File if path.is_empty() => Err(name(NameFault::Empty)),
        Kind::File => {
            let (path, mut file) = place.file(&path, entry.meter)?;
            unpacked.bytes += entry.copy(&mut |bytes| {
                file.write_all(bytes).map_err(|source| ArchiveError::Write { path: path.clone(), source })
            })?;
            unpacked.files += 1;
            Ok(())
        }
        Kind::Link(target) => {
            Err(ArchiveError::Link { archive, entry: shown(entry.name), target: shown(target) })
        }
        Kind::Special(what) => Err(ArchiveError::Special { archive, entry: shown(entry.name), what }),
    }
}
