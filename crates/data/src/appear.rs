//! Folders that come into being whole: made under another name, then renamed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::DataError;

/// What `find` finds in a folder; where it finds nothing, the folder is made anew by `write`, which is given a folder of
/// another name to fill. A lock keeps two processes from doing so at the same time.
///
/// # Errors
///
/// Those of `write`, and [`DataError::Io`].
pub(crate) fn folder<T>(
    folder: &Path,
    find: impl FnOnce() -> Option<T>,
    write: impl FnOnce(&Path) -> Result<T, DataError>,
) -> Result<T, DataError> {
    let base = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(base).map_err(DataError::io("create", base))?;
    let lock = beside(folder, "lock");
    let held = fs::File::create(&lock).map_err(DataError::io("create", &lock))?;
    held.lock().map_err(DataError::io("lock", &lock))?;
    if let Some(found) = find() {
        return Ok(found);
    }
    // What a process left behind that was stopped; none is at work, as the lock is ours.
    let partial = beside(folder, "partial");
    for old in [&partial, folder] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(DataError::io("remove", old))?;
        }
    }
    fs::create_dir(&partial).map_err(DataError::io("create", &partial))?;
    let made = write(&partial).and_then(|made| {
        fs::rename(&partial, folder).map_err(DataError::io("rename", &partial))?;
        Ok(made)
    });
    if made.is_err() {
        // The first error is the one to report; what stays is removed by the next call.
        let _ = fs::remove_dir_all(&partial);
    }
    made
}

fn beside(folder: &Path, ending: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!("{name}.{ending}"))
}

/// A name that is one on every system and leads nowhere else.
pub(crate) fn safe(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let name: String =
        name.chars().take(80).map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    let name = name.trim_matches('.');
    if name.is_empty() { "_".to_owned() } else { name.to_owned() }
}

/// The first 16 hexadecimal digits of a hash: enough to tell folders apart.
pub(crate) fn short(digest: &[u8]) -> String {
    digest.iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_files_lead_nowhere_else() {
        for (name, expected) in [
            ("374-180298-0000", "374-180298-0000"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("..", "_"),
            ("", "_"),
            (".hidden.", "hidden"),
            ("C:\\a b", "C__a_b"),
            ("é\0/", "___"),
        ] {
            assert_eq!(safe(name), expected);
        }
        assert_eq!(safe(&"a".repeat(500)).len(), 80);
    }
}
