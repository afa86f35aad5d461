//! The file that remembers what was learned of recordings.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::{AudioFacts, DataError};

/// Raised when the same file gives other samples than before.
const VERSION: u32 = 1;

/// Facts of files, remembered.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memo {
    version: u32,
    files: BTreeMap<String, Entry>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    size: u64,
    mtime_ns: u64,
    facts: AudioFacts,
}

/// What a file looks like from outside.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    key: String,
    size: u64,
    mtime_ns: u64,
}

impl Stamp {
    /// `None` where the file cannot be looked at; decoding it will say why.
    pub(crate) fn of(path: &Path, rate_hz: u32, cut: Option<usize>) -> Option<Self> {
        let path = fs::canonicalize(path).ok()?;
        let data = fs::metadata(&path).ok()?;
        let mtime = data.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let cut = cut.map(|samples| format!(":{samples}")).unwrap_or_default();
        let key = format!("{}@{rate_hz}{cut}", path.to_str()?);
        Some(Self { key, size: data.len(), mtime_ns: u64::try_from(mtime.as_nanos()).ok()? })
    }
}

impl Default for Memo {
    fn default() -> Self {
        Self { version: VERSION, files: BTreeMap::new() }
    }
}

impl Memo {
    /// The memo in a file; an empty one where there is none, or none that this version wrote.
    pub(crate) fn read(path: &Path) -> Self {
        let memo = fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        memo.filter(|memo| memo.version == VERSION).unwrap_or_default()
    }

    pub(crate) fn get(&self, stamp: &Stamp) -> Option<AudioFacts> {
        let entry = self.files.get(&stamp.key)?;
        (entry.size == stamp.size && entry.mtime_ns == stamp.mtime_ns).then_some(entry.facts)
    }

    pub(crate) fn insert(&mut self, stamp: &Stamp, facts: AudioFacts) {
        let entry = Entry { size: stamp.size, mtime_ns: stamp.mtime_ns, facts };
        self.files.insert(stamp.key.clone(), entry);
    }

    /// Writes the memo whole or not at all, with what others have remembered since it was read.
    pub(crate) fn write(mut self, path: &Path) -> Result<(), DataError> {
        for (key, entry) in Self::read(path).files {
            self.files.entry(key).or_insert(entry);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let write = || {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer(&mut file, &self)?;
            file.flush()?;
            file.persist(path)?;
            Ok(())
        };
        write().map_err(DataError::io("write", path))
    }
}
