//! What of a run is done: a folder `<out>.partial` with a line for each finished batch, which a second call of the same
//! command goes on from.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use sure_records::{Claim, ClaimState, write_atomic};

/// The lines.
const JOURNAL: &str = "journal.jsonl";
/// Who writes has this claim.
const CLAIM: &str = "extract";
/// Data files and folders begin so.
pub(super) const DATA: &str = "data";

/// The first line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    /// Stands for everything that the states depend on.
    key: String,
}

/// A finished batch. A clip without states is not noted: a later call tries it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Where the data file ends with it.
    pub(super) end: End,
    /// The clips that were written.
    pub(super) kept: Vec<Kept>,
}

/// The end of a data file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    /// The file's number, from 0.
    pub(super) shard: usize,
    /// Bytes at its beginning that are left for a header.
    pub(super) reserved: u64,
    /// Bytes of data behind them.
    pub(super) data: u64,
}

/// Where the states of a clip are: its layers follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) clip: usize,
    /// Real frames.
    pub(super) frames: i64,
    /// Width of the hidden states.
    pub(super) hidden: i64,
    pub(super) shard: usize,
    /// The first byte, from the end of the header.
    pub(super) at: u64,
    /// The recording as it was when it was decoded.
    pub(super) stamp: Stamp,
}

/// Size of a file in bytes and time of change in nanoseconds: another recording under an old name has another one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp(u64, u64);

impl Stamp {
    pub(super) fn of(path: &Path) -> Self {
        let Ok(about) = fs::metadata(path) else { return Self::default() };
        let changed = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self(about.len(), changed.map_or(0, |time| time.as_nanos() as u64))
    }
}

/// The folder of an unfinished run, and the right to write there.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    key: String,
    file: File,
    /// The finished batches, in order.
    pub(super) entries: Vec<Entry>,
    /// Whether something was there that could not be used.
    pub(super) began_anew: bool,
    _claim: Claim,
}

impl Journal {
    /// Opens or makes the folder for `out`. What is there under another `key` is removed.
    pub(super) fn open(out: &Path, key: &str) -> Result<Self> {
        let folder = folder_for(out)?;
        refuse_foreign(&folder)?;
        let claim = match Claim::acquire(&folder, CLAIM)? {
            ClaimState::Mine(claim) => claim,
            ClaimState::Theirs { host, pid, .. } => {
                bail!("process {pid} on {host} is writing {} at this moment", out.display())
            }
        };
        let path = folder.join(JOURNAL);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let Some((entries, whole)) = read(&text, key) else {
            let file = begin(&folder, key)?;
            let began_anew = !text.is_empty();
            return Ok(Self {
                folder,
                key: key.to_owned(),
                file,
                entries: Vec::new(),
                began_anew,
                _claim: claim,
            });
        };
        let file = append_to(&path)?;
        // A line that was being written when the process ended goes.
        file.set_len(whole as u64).with_context(|| format!("opening {}", path.display()))?;
        Ok(Self { folder, key: key.to_owned(), file, entries, began_anew: false, _claim: claim })
    }

    /// Forgets what is there.
    pub(super) fn begin_anew(&mut self) -> Result<()> {
        self.file = begin(&self.folder, &self.key)?;
        self.entries.clear();
        self.began_anew = true;
        Ok(())
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Notes a batch whose data is on the disk.
    pub(super) fn note(&mut self, entry: Entry) -> Result<()> {
        let line = format!("{}\n", serde_json::to_string(&entry)?);
        let write = |file: &mut File| file.write_all(line.as_bytes()).and_then(|()| file.sync_data());
        write(&mut self.file).with_context(|| format!("writing to {}", self.folder.display()))?;
        self.entries.push(entry);
        Ok(())
    }

    /// Takes all away: the states are where they belong.
    pub(super) fn remove(self) -> Result<()> {
        let folder = self.folder.clone();
        drop(self);
        fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))
    }
}

/// An empty folder with the first line of a journal.
fn begin(folder: &Path, key: &str) -> Result<File> {
    empty(folder)?;
    let path = folder.join(JOURNAL);
    let head = format!("{}\n", serde_json::to_string(&Head { key: key.to_owned() })?);
    write_atomic(&path, head.as_bytes())?;
    append_to(&path)
}

fn append_to(path: &Path) -> Result<File> {
    OpenOptions::new().append(true).open(path).with_context(|| format!("opening {}", path.display()))
}

/// `<out>.partial`.
pub(super) fn folder_for(out: &Path) -> Result<PathBuf> {
    let name = out.file_name().with_context(|| format!("--out {} has no name", out.display()))?;
    let mut name = name.to_owned();
    name.push(".partial");
    Ok(out.with_file_name(name))
}

/// The entries of a journal under `key`, and how many bytes are whole lines.
fn read(text: &str, key: &str) -> Option<(Vec<Entry>, usize)> {
    let (head, mut rest) = text.split_once('\n')?;
    let head: Head = serde_json::from_str(head).ok()?;
    if head.key != key {
        return None;
    }
    let mut entries = Vec::new();
    while let Some((line, after)) = rest.split_once('\n') {
        let Ok(entry) = serde_json::from_str(line) else { break };
        entries.push(entry);
        rest = after;
    }
    Some((entries, text.len() - rest.len()))
}

/// A folder of this name that somebody else uses is left alone.
fn refuse_foreign(folder: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for name in entries.flatten().map(|entry| entry.file_name()) {
        let name = name.to_string_lossy();
        let is_ours = is_data(&name) || [JOURNAL, CLAIM, "."].iter().any(|ours| name.starts_with(ours));
        ensure!(is_ours, "{} holds {name}, which is none of ours; move it away", folder.display());
    }
    Ok(())
}

/// Whether a name is that of data: `data`, `data-0`, `data.parquet`. Hidden files are the claim's and those of atomic
/// writing.
fn is_data(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(DATA) else { return false };
    let number = rest.strip_prefix('-').unwrap_or_default();
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    rest.is_empty() || rest == ".parquet" || is_number
}

/// Removes data and journal, and leaves the claim.
fn empty(folder: &Path) -> Result<()> {
    let removing = || format!("emptying {}", folder.display());
    for entry in fs::read_dir(folder).with_context(removing)? {
        let entry = entry.with_context(removing)?;
        let (name, path) = (entry.file_name(), entry.path());
        if name == JOURNAL {
            fs::remove_file(&path).with_context(removing)?;
        } else if is_data(&name.to_string_lossy()) {
            let is_folder = entry.file_type().with_context(removing)?.is_dir();
            if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
                .with_context(removing)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(clip: usize) -> Entry {
        let end = End { shard: 0, reserved: 64, data: 8 };
        let kept = Kept { clip, frames: 1, hidden: 2, shard: 0, at: 0, stamp: Stamp(5, 6) };
        Entry { end, kept: vec![kept] }
    }

    #[test]
    fn what_was_noted_is_found_again_and_a_torn_line_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.safetensors");
        let mut journal = Journal::open(&out, "key").unwrap();
        journal.note(entry(0)).unwrap();
        journal.file.write_all(br#"{"batch": 1, "end"#).unwrap();
        drop(journal);
        let mut again = Journal::open(&out, "key").unwrap();
        assert_eq!((again.entries.len(), again.began_anew), (1, false));
        again.note(entry(1)).unwrap();
        drop(again);
        let third = Journal::open(&out, "key").unwrap();
        assert_eq!(third.entries, [entry(0), entry(1)]);
        third.remove().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn another_key_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let mut journal = Journal::open(&out, "one").unwrap();
        fs::write(journal.folder().join("data-0"), "old").unwrap();
        journal.note(entry(0)).unwrap();
        drop(journal);
        let other = Journal::open(&out, "two").unwrap();
        assert!(other.entries.is_empty() && other.began_anew);
        assert!(!other.folder().join("data-0").exists());
    }

    #[test]
    fn two_at_once_and_a_folder_of_somebody_else_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let _first = Journal::open(&out, "key").unwrap();
        assert!(Journal::open(&out, "key").unwrap_err().to_string().contains("at this moment"));
        let foreign = folder.path().join("x.partial");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("thesis.tex"), "").unwrap();
        let error = Journal::open(&folder.path().join("x"), "key").unwrap_err().to_string();
        assert!(error.contains("thesis.tex"), "{error}");
    }
}
