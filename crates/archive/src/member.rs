//! One file of an archive.

use std::{io::Write, ops::ControlFlow, path::Path};

use crate::{
    ArchiveError, Limits, Progress,
    name::shown,
    walk::{Kind, walk},
};

/// One file of an archive, in memory. `name` is the whole name, as the archive has it.
///
/// # Errors
/// Those of [`copy_member`].
pub fn member(archive: &Path, name: &str, limits: &Limits) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    copy_member(archive, name, limits, &mut bytes, &mut |_| ControlFlow::Continue(()))?;
    Ok(bytes)
}

/// Copies one file of an archive to `out`, and returns its bytes. Names and links of other entries do not matter. A tar
/// archive is read to its end, which counts against the limits; of a zip archive the file alone is.
///
/// # Errors
/// When there is no such file, two of the name, or it is no file; when the archive is damaged or passes a limit; when
/// `out` fails. Something may have been written then.
pub fn copy_member(
    archive: &Path,
    name: &str,
    limits: &Limits,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<u64, ArchiveError> {
    let mut found = None;
    walk(archive, limits, progress, &mut |entry| {
        if entry.name != name.as_bytes() {
            return Ok(());
        }
        if found.is_some() {
            let entry = shown(entry.name);
            return Err(ArchiveError::Collision { archive: archive.to_owned(), entry });
        }
        match &entry.kind {
            Kind::File => {
                found = Some(entry.copy(&mut |bytes| {
                    let path = Path::new(name).to_owned();
                    out.write_all(bytes).map_err(|source| ArchiveError::Write { path, source })
                })?);
                Ok(())
            }
            Kind::Link(target) => Err(ArchiveError::Link {
                archive: archive.to_owned(),
                entry: shown(entry.name),
                target: shown(target),
            }),
            Kind::Folder => Ok(()),
            Kind::Special(what) => {
                Err(ArchiveError::Special { archive: archive.to_owned(), entry: shown(entry.name), what })
            }
        }
    })?;
    found
        .ok_or_else(|| ArchiveError::NoMember { archive: archive.to_owned(), member: shown(name.as_bytes()) })
}
