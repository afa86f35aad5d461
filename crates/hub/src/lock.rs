//! Locks between processes, the same as those of `huggingface_hub`, so that Python and this program wait for each other.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::{HubError, Watch};

/// How often a lock that somebody else has is tried.
const STEP: Duration = Duration::from_millis(100);
/// How often a wait is said again.
const REMIND: Duration = Duration::from_secs(30);

/// A lock. It is given back when it goes, however the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock `path`, and waits while somebody else has it; `what` is what they are doing.
    ///
    /// # Errors
    ///
    /// [`HubError::Io`], [`HubError::Stopped`].
    pub fn take(path: &Path, what: &str, watch: &dyn Watch) -> Result<Self, HubError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(HubError::io("create", folder))?;
        }
        let mut said: Option<Instant> = None;
        loop {
            let file = File::options().create(true).truncate(false).write(true).read(true).open(path);
            let file = file.map_err(HubError::io("open the lock", path))?;
            match file.try_lock() {
                Ok(()) if is_same(&file, path) => return Ok(Self { _file: file }),
                // Somebody removed the lock file on leaving: what is held is a lock that nobody else sees.
                Ok(()) => continue,
                Err(TryLockError::WouldBlock) => {}
                // A file system without locks: each process has a partial file, and what appears appears whole.
                Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::Error(error)) => return Err(HubError::io("lock", path)(error)),
            }
            if said.is_none_or(|said| said.elapsed() > REMIND) {
                said = Some(Instant::now());
                watch.says(&format!(
                    "waiting for another process that is fetching {what} ({})",
                    path.display()
                ));
            }
            if watch.stops() {
                return Err(HubError::Stopped);
            }
            std::thread::sleep(STEP);
        }
    }
}

/// Whether the open file is still the one of that name.
#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(open), Ok(named)) = (file.metadata(), fs::metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// Whether the open file is still the one of that name: here an open file cannot be removed.
#[cfg(not(unix))]
fn is_same(_file: &File, _path: &Path) -> bool {
    true
}
