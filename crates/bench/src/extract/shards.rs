//! Safetensors files that are written while the states come: room for the header is left at the beginning and filled in
//! at the end, so that no more than a batch is ever in memory.
//!
//! A header is padded with spaces, as the format allows. Data lie in the order of the batches, and the header names
//! them in the order of the recordings.

use std::{
    fs::{self, File, OpenOptions},
    io::{Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use sure_records::write_atomic;

use super::{
    journal::{DATA, End, Entry, Kept},
    layout::Layout,
    states::States,
};

/// Readers take headers of up to 100 MB.
const MOST_HEADER: u64 = 99_000_000;
/// Bytes of the length in front of the header.
const LENGTH: u64 = 8;

/// The data files of a run, in its folder.
#[derive(Debug)]
pub(super) struct Shards {
    folder: PathBuf,
    /// Bytes of data in a file, above which another one is begun.
    most: Option<u64>,
    /// Bytes of header for all clips that are not written yet.
    header_left: u64,
    open: Option<Open>,
    next: usize,
}

/// The file that is being written.
#[derive(Debug)]
struct Open {
    file: File,
    end: End,
    /// Bytes of the header that are spoken for.
    header: u64,
}

impl Shards {
    /// Goes on behind what `entries` say; `None` where the last file is not as they left it.
    pub(super) fn resume(
        folder: &Path,
        most: Option<u64>,
        layout: &Layout,
        entries: &[Entry],
    ) -> Option<Self> {
        let kept = || entries.iter().flat_map(|entry| &entry.kept);
        let written = layout.header_bound(kept().map(|kept| kept.clip));
        let header_left = layout.header_bound(0..layout.names.len()) - written;
        let folder = folder.to_owned();
        let Some(end) = entries.last().map(|entry| entry.end) else {
            return Some(Self { folder, most, header_left, open: None, next: 0 });
        };
        let file = OpenOptions::new().write(true).open(data_path(&folder, end.shard)).ok()?;
        let whole = LENGTH + end.reserved + end.data;
        if file.metadata().ok()?.len() < whole {
            return None;
        }
        // What the last batch of a process that was killed had begun goes.
        file.set_len(whole).ok()?;
        let of_shard = kept().filter(|kept| kept.shard == end.shard);
        let header = layout.header_bound(of_shard.map(|kept| kept.clip));
        Some(Self { folder, most, header_left, open: Some(Open { file, end, header }), next: end.shard + 1 })
    }

    /// Writes the states of a batch and returns where they are; then they are on the disk.
    pub(super) fn put(&mut self, batch: &[(usize, States)], layout: &Layout) -> Result<(End, Vec<u64>)> {
        let data: u64 =
            batch.iter().map(|(_, states)| layout.clip_bytes(states.frames, states.hidden())).sum();
        let header = layout.header_bound(batch.iter().map(|(clip, _)| *clip));
        if self.open.as_ref().is_some_and(|open| self.is_full(open, data, header)) {
            self.open = None;
        }
        if self.open.is_none() {
            self.open = Some(self.begin(header)?);
        }
        let open = self.open.as_mut().context("a file was opened")?;
        let mut places = Vec::with_capacity(batch.len());
        let mut write = || -> std::io::Result<()> {
            open.file.seek(SeekFrom::Start(LENGTH + open.end.reserved + open.end.data))?;
            for (_, states) in batch {
                places.push(open.end.data);
                for layer in &states.layers {
                    let bytes = States::bytes(layer);
                    open.file.write_all(&bytes)?;
                    open.end.data += bytes.len() as u64;
                }
            }
            open.file.sync_data()
        };
        write().with_context(|| format!("writing to {}", self.folder.display()))?;
        open.header += header;
        self.header_left = self.header_left.saturating_sub(header);
        Ok((open.end, places))
    }

    fn is_full(&self, open: &Open, data: u64, header: u64) -> bool {
        self.most.is_some_and(|most| open.end.data + data > most) || open.header + header > open.end.reserved
    }

    fn begin(&mut self, at_least: u64) -> Result<Open> {
        let reserved = self.header_left.min(MOST_HEADER).max(at_least).next_multiple_of(8);
        let path = self.path(self.next);
        let making = || format!("making {}", path.display());
        let file = File::create(&path).with_context(making)?;
        file.set_len(LENGTH + reserved).with_context(making)?;
        let end = End { shard: self.next, reserved, data: 0 };
        self.next += 1;
        Ok(Open { file, end, header: 0 })
    }

    fn path(&self, shard: usize) -> PathBuf {
        data_path(&self.folder, shard)
    }
}

/// Where the data of a shard is kept until the end.
pub(super) fn data_path(folder: &Path, shard: usize) -> PathBuf {
    folder.join(format!("{DATA}-{shard}"))
}

/// Where the values of `kept` begin in its file.
pub(super) fn first_byte(end: End, kept: &Kept) -> u64 {
    LENGTH + end.reserved + kept.at
}

/// The last end of each shard.
pub(super) fn ends(entries: &[Entry]) -> Vec<End> {
    let mut ends: Vec<End> = Vec::new();
    for end in entries.iter().map(|entry| entry.end) {
        match ends.last_mut().filter(|last| last.shard == end.shard) {
            Some(last) => *last = end,
            None => ends.push(end),
        }
    }
    ends
}

/// Writes the headers and gives the files their names: `out`, or `<stem>-00001-of-00003.safetensors` with an index
/// beside them. It can be called again after it was broken off.
pub(super) fn finish(
    folder: &Path,
    out: &Path,
    layout: &Layout,
    entries: &[Entry],
    kept: &[Kept],
) -> Result<Vec<PathBuf>> {
    let ends = ends(entries);
    let stem = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = stem.strip_suffix(".safetensors").unwrap_or(&stem);
    let named = |shard: usize| match ends.len() {
        1 => out.to_owned(),
        total => out.with_file_name(format!("{stem}-{:05}-of-{total:05}.safetensors", shard + 1)),
    };
    let mut files = Vec::new();
    for end in &ends {
        let (from, to) = (data_path(folder, end.shard), named(end.shard));
        if from.exists() {
            let of_shard = kept.iter().filter(|kept| kept.shard == end.shard);
            write_header(&from, *end, &layout.header(of_shard))?;
            fs::rename(&from, &to).with_context(|| format!("moving the states to {}", to.display()))?;
        } else if !to.is_file() {
            bail!("{} is gone; remove {} and begin anew", to.display(), folder.display());
        }
        files.push(to);
    }
    if files.len() > 1 {
        let mut weight_map = Map::new();
        for kept in kept {
            let file = named(kept.shard).file_name().unwrap_or_default().to_string_lossy().into_owned();
            for &layer in &layout.taken.layers {
                weight_map.insert(layout.tensor_name(kept.clip, layer), Value::from(file.as_str()));
            }
        }
        let total: u64 = ends.iter().map(|end| end.data).sum();
        let index = json!({"metadata": {"total_size": total}, "weight_map": weight_map});
        let path = out.with_file_name(format!("{stem}.safetensors.index.json"));
        write_atomic(&path, serde_json::to_string_pretty(&index)?.as_bytes())?;
        files.push(path);
    }
    Ok(files)
}

/// Fills the room at the beginning: the length, the header, spaces.
fn write_header(path: &Path, end: End, header: &str) -> Result<()> {
    let padding = (end.reserved as usize).checked_sub(header.len()).context("the header has room")?;
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.write_all(&end.reserved.to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        file.write_all(&vec![b' '; padding])?;
        file.sync_all()
    };
    write().with_context(|| format!("writing the header of {}", path.display()))
}
