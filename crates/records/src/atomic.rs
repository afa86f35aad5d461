//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::RecordsError;
use crate::owner::{Owner, token};

/// After this long a temporary file of another machine is taken for dead: no write here lasts a minute.
const ABANDONED: Duration = Duration::from_hours(1);

/// Writes a file so that a reader sees all of it or nothing, also after a power cut: to a temporary file in the same
/// folder, which is flushed to the disk, renamed, and the folder flushed. Temporary files that dead writers of the same
/// file left behind are removed.
///
/// # Errors
///
/// [`RecordsError::Io`] with the path at fault.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), RecordsError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(RecordsError::io("write", path)(io::ErrorKind::InvalidFilename.into()));
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    remove_leftovers(folder, name);
    let temporary = Temporary(folder.join(temporary_name(name, &Owner::this_process())));
    let write = || -> io::Result<()> {
        let mut file = File::create_new(&temporary.0)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary.0, path)?;
        sync_folder(folder)
    };
    write().map_err(RecordsError::io("write", path))
}

/// A temporary file that goes with its name: after a successful rename there is nothing left to remove.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn temporary_name(name: &str, owner: &Owner) -> String {
    format!(".{name}.{}.{}.{}.tmp", owner.realm, owner.pid, token())
}

/// The writer of a temporary file of `name`, read from the temporary file's name.
fn writer(name: &str, candidate: &str) -> Option<Owner> {
    let middle = candidate.strip_prefix('.')?.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(".tmp")?;
    let mut parts = middle.split('.');
    let (realm, pid, _token) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Some(Owner { host: String::new(), realm: realm.to_owned(), pid: pid.parse().ok()? })
}

// Tidying is never a reason to fail: what cannot be listed or removed stays.
fn remove_leftovers(folder: &Path, name: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Some(owner) = entry.file_name().to_str().and_then(|candidate| writer(name, candidate)) else {
            continue;
        };
        let age = entry.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
        if owner.is_dead() || age.is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    // Elsewhere folders cannot be opened as files; the rename itself is ordered by the file system's journal.
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.json");
        write_atomic(&path, b"first").unwrap();
        write_atomic(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names(folder.path()), ["record.json"]);
    }

    #[test]
    fn leftovers_of_dead_writers_go_and_those_of_living_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let living = Owner::this_process();
        let dead = Owner { pid: u32::MAX, ..living.clone() };
        let foreign = Owner { realm: "another".into(), ..dead.clone() };
        for owner in [&living, &dead, &foreign] {
            fs::write(folder.path().join(temporary_name("record.json", owner)), b"half").unwrap();
        }
        fs::write(folder.path().join(temporary_name("cost.json", &dead)), b"another file's").unwrap();
        write_atomic(&folder.path().join("record.json"), b"whole").unwrap();
        let left = names(folder.path());
        let of = |name: &str| left.iter().filter_map(|left| writer(name, left)).collect::<Vec<_>>();
        let pids: Vec<(String, u32)> =
            of("record.json").into_iter().map(|owner| (owner.realm, owner.pid)).collect();
        assert_eq!(pids.len(), 2, "{left:?}");
        assert!(pids.contains(&(living.realm, living.pid)) && pids.contains(&("another".into(), u32::MAX)));
        assert_eq!(of("cost.json").len(), 1);
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_atomic(&folder.path().join("none/record.json"), b"").unwrap_err();
        assert!(error.to_string().ends_with("none/record.json"), "{error}");
    }
}
