//! Recordings out of parquet files, once: into a folder that later reads find again.
//!
//! The folder comes into being whole, by renaming, and belongs to the names, sizes and times of change of the parquet
//! files; with others it is made anew. A lock keeps two processes from doing so at the same time. Names of files are made
//! here: what a file says of paths is never followed.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::files::inside;
use super::hub::{HubRow, Shard, rows};
use super::{ReadOptions, What, collect::Collector, note::Tally};
use crate::appear::{self, safe, short};
use crate::{DataError, Split};

/// How the folders for what is unpacked end that lie beside a data set.
pub(crate) const UNPACKED: &str = ".unpacked";
/// Raised when the same files are unpacked differently.
const VERSION: u32 = 2;
const STAMP: &str = "stamp.json";
const ROWS: &str = "rows.jsonl";

/// A row whose recording is a file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unpacked {
    /// What the hub calls its split.
    pub(crate) part: String,
    /// The parquet file, from the data set's folder.
    pub(crate) shard: String,
    /// Its row there, from 1.
    pub(crate) number: usize,
    /// The file, from the folder; none where the row has no recording.
    pub(crate) audio: Option<PathBuf>,
    /// The other columns, without those that are empty.
    pub(crate) values: Map<String, Value>,
}

impl Unpacked {
    /// A column that holds text, or a number as text.
    pub(crate) fn text(&self, column: &str) -> Option<String> {
        match self.values.get(column)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Where it comes from, in words.
    pub(crate) fn place(&self) -> String {
        format!("row {} of {}", self.number, self.shard)
    }

    /// The last part of a column that holds a path, without its ending.
    pub(crate) fn stem(&self, column: &str) -> Option<&str> {
        stem(self.values.get(column)?.as_str()?)
    }
}

fn stem(path: &str) -> Option<&str> {
    let file = path.rsplit(['/', '\\']).next()?;
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    (!stem.is_empty()).then_some(stem)
}

/// What is unpacked.
struct Request<'a> {
    /// The data set.
    name: &'static str,
    /// Its folder.
    root: &'a Path,
    /// The parquet files.
    shards: &'a [Shard],
    /// The columns beside `audio`.
    columns: &'a [&'a str],
}

/// What a parquet file looked like when it was unpacked.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Stamp {
    version: u32,
    columns: Vec<String>,
    files: Vec<(String, u64, u64)>,
}

/// The rows of a data set's parquet files, whose recordings are files from now on.
fn unpack(request: &Request<'_>, options: &ReadOptions) -> Result<Vec<Unpacked>, DataError> {
    let stamp = stamp(request)?;
    let folder = folder(request, options)?;
    appear::folder(
        &folder,
        || remembered(&folder, &stamp),
        |partial| {
            let rows = write_all(request, partial, &folder)?;
            let text = serde_json::to_vec(&stamp).expect("names and numbers are JSON");
            let path = partial.join(STAMP);
            fs::write(&path, text).map_err(DataError::io("write", &path))?;
            Ok(rows)
        },
    )
}

/// A row of the hub with its split and its recording.
pub(crate) type HubRecording = (Split, PathBuf, Unpacked);

/// The recordings of a data set's parquet files, unpacked. Files of no split, and rows without a recording, are noted.
pub(crate) fn hub_rows(
    found: &mut Collector<'_>,
    columns: &[&str],
    options: &ReadOptions,
    split_of: impl Fn(&Shard) -> Option<Split>,
) -> Result<Vec<HubRecording>, DataError> {
    let (root, mut others, mut shards, mut splits) =
        (found.root(), Tally::default(), Vec::new(), HashMap::new());
    for shard in super::hub::shards(root)? {
        match split_of(&shard) {
            Some(split) => {
                splits.insert(shard.part.clone(), split);
                shards.push(shard);
            }
            None => others.add(shard.name),
        }
    }
    let request = Request { name: found.name(), root, shards: &shards, columns };
    let rows = unpack(&request, options)?;
    let (mut silent, of) = (Tally::default(), rows.len());
    let mut kept = Vec::with_capacity(of);
    for mut row in rows {
        match (splits.get(&row.part), row.audio.take()) {
            (Some(split), Some(audio)) => kept.push((*split, audio, row)),
            _ => silent.add(row.place()),
        }
    }
    found.note(others, What::OtherPart);
    found.note(silent, What::NoRecording { list: "the parquet files".to_owned(), of });
    Ok(kept)
}

/// What is said of rows whose column for the id is empty.
pub(crate) fn unnamed_rows(column: &str, of: usize) -> What {
    let reason = format!("`{column}` is empty, which names the recording");
    What::Unusable { place: "the parquet files".to_owned(), reason, of }
}

/// Where a data set is unpacked: the path of its folder is a part of the name, as several may share a cache.
fn folder(request: &Request<'_>, options: &ReadOptions) -> Result<PathBuf, DataError> {
    let root = fs::canonicalize(request.root).map_err(DataError::io("find", request.root))?;
    let base = options.unpack_into.clone().unwrap_or_else(|| {
        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        root.with_file_name(format!("{name}{UNPACKED}"))
    });
    let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
    Ok(base.join(format!("{}-{}", request.name, short(&digest))))
}

fn stamp(request: &Request<'_>) -> Result<Stamp, DataError> {
    let file = |shard: &Shard| {
        let about = fs::metadata(&shard.path).map_err(DataError::io("read", &shard.path))?;
        let time = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let time = time.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        Ok((shard.name.clone(), about.len(), time))
    };
    let columns = request.columns.iter().map(|column| (*column).to_owned()).collect();
    let files = request.shards.iter().map(file).collect::<Result<_, DataError>>()?;
    Ok(Stamp { version: VERSION, columns, files })
}

/// The rows of an earlier call; none where the files have changed since, or what is there cannot be read.
fn remembered(folder: &Path, stamp: &Stamp) -> Option<Vec<Unpacked>> {
    let found: Stamp = serde_json::from_slice(&fs::read(folder.join(STAMP)).ok()?).ok()?;
    if found != *stamp {
        return None;
    }
    let text = fs::read_to_string(folder.join(ROWS)).ok()?;
    let mut rows: Vec<Unpacked> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>().ok()?;
    for row in &mut rows {
        if let Some(audio) = &row.audio {
            row.audio = Some(inside(folder, audio)?);
        }
    }
    Some(rows)
}

/// Writes all rows into `partial`; their paths are those in `folder`, which it becomes.
fn write_all(request: &Request<'_>, partial: &Path, folder: &Path) -> Result<Vec<Unpacked>, DataError> {
    let path = partial.join(ROWS);
    let file = fs::File::create(&path).map_err(DataError::io("create", &path))?;
    let mut list = BufWriter::new(file);
    let mut unpacked = Vec::new();
    for shard in request.shards {
        let inner = PathBuf::from(safe(&shard.part));
        let parent = partial.join(&inner);
        fs::create_dir_all(&parent).map_err(DataError::io("create", &parent))?;
        let mut number = 0;
        rows(&shard.path, request.columns, |HubRow { audio, values }| {
            number += 1;
            let (part, shard) = (shard.part.clone(), shard.name.clone());
            let mut row = Unpacked { part, shard, number, audio: None, values };
            if let Some(bytes) = audio {
                let name = ["id", "file", "path", "audio_path"].iter().find_map(|column| row.stem(column));
                let name = safe(name.unwrap_or("recording"));
                let name = inner.join(format!("{:06}-{name}.{}", unpacked.len(), ending(&bytes)));
                let path = partial.join(&name);
                fs::write(&path, bytes).map_err(DataError::io("write", &path))?;
                row.audio = Some(name);
            }
            serde_json::to_writer(&mut list, &row)
                .map_err(io::Error::from)
                .map_err(DataError::io("write", &path))?;
            list.write_all(b"\n").map_err(DataError::io("write", &path))?;
            row.audio = row.audio.map(|audio| folder.join(audio));
            unpacked.push(row);
            Ok(())
        })?;
    }
    list.flush().map_err(DataError::io("write", &path))?;
    Ok(unpacked)
}

/// The ending for the content; decoders look at the content alone.
fn ending(bytes: &[u8]) -> &'static str {
    match bytes {
        [b'R', b'I', b'F', b'F', ..] => "wav",
        [b'f', b'L', b'a', b'C', ..] => "flac",
        [b'O', b'g', b'g', b'S', ..] => "ogg",
        [b'F', b'O', b'R', b'M', ..] => "aiff",
        [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => "mp3",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stem_of_a_path_is_its_last_part_without_the_ending() {
        assert_eq!(
            [stem("a/b.c.wav"), stem("a\\b.wav"), stem("../.."), stem("")],
            [Some("b.c"), Some("b"), Some("."), None]
        );
    }
}
