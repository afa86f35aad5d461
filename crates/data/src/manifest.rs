//! Lists of recordings: JSONL or CSV, one row a recording.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::{DataError, packs};

/// What a manifest may be called inside its folder, in the order of looking.
pub(crate) const NAMES: [&str; 2] = ["manifest.jsonl", "manifest.csv"];

/// A table of utterances.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The data set's name: that of the folder.
    pub name: String,
    /// The manifest file.
    pub path: PathBuf,
    /// Its rows, in order.
    pub rows: Vec<Row>,
}

/// One utterance of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its id; the stem of the audio file where the manifest gives none.
    pub id: String,
    /// The recording: relative paths start at the manifest's folder, a packed one is where it was unpacked.
    pub audio: PathBuf,
    /// The line it begins on, from 1.
    pub line: usize,
    /// All keys, also those that nobody reads. Every value of a CSV file is text, and an empty one is left out.
    pub fields: Map<String, Value>,
}

impl Manifest {
    /// Reads a manifest: a `.jsonl` or `.csv` file, or a folder that holds `manifest.jsonl` or `manifest.csv`.
    ///
    /// # Errors
    ///
    /// Names the file, and where it can the line and the key. [`DataError::NowhereToUnpack`] where recordings are packed:
    /// see [`Manifest::read_unpacked`].
    pub fn read(path: &Path) -> Result<Self, DataError> {
        Self::read_into(path, None)
    }

    /// As [`Manifest::read`]. Rows with `start` and `samples`, which are a stretch of a longer recording, have a file of
    /// their own in a folder below `unpack_into` afterwards: WAV of 16 bits, made once.
    ///
    /// # Errors
    ///
    /// As [`Manifest::read`]; [`DataError::OutsidePack`], and [`DataError::Audio`] where a pack cannot be decoded.
    pub fn read_unpacked(path: &Path, unpack_into: &Path) -> Result<Self, DataError> {
        Self::read_into(path, Some(unpack_into))
    }

    pub(crate) fn read_into(path: &Path, unpack_into: Option<&Path>) -> Result<Self, DataError> {
        let about = fs::metadata(path).map_err(DataError::io("read", path))?;
        let path = if about.is_dir() {
            find(path).ok_or_else(|| DataError::NoManifest { path: path.to_owned() })?
        } else {
            path.to_owned()
        };
        let is = |ending: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
        let parse = match () {
            () if is("jsonl") => json_lines,
            () if is("csv") => csv_lines,
            () => return Err(DataError::NotAManifest { path }),
        };
        let bytes = fs::read(&path).map_err(DataError::io("read", &path))?;
        let text = utf8(&path, &bytes)?;
        // Excel and some editors begin UTF-8 files with a byte order mark.
        let lines = parse(&path, text.strip_prefix('\u{feff}').unwrap_or(text))?;
        let rows = rows(&path, lines)?;
        if rows.is_empty() {
            return Err(DataError::EmptyManifest { path });
        }
        let mut manifest = Self { name: folder_name(&path), path, rows };
        packs::unpack(&mut manifest, unpack_into)?;
        Ok(manifest)
    }
}

/// The manifest inside a folder, where there is one.
pub(crate) fn find(folder: &Path) -> Option<PathBuf> {
    NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// A line's number with its keys.
type Line = (usize, Map<String, Value>);

fn utf8<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, DataError> {
    str::from_utf8(bytes).map_err(|error| DataError::BadLine {
        path: path.to_owned(),
        line: bytes[..error.valid_up_to()].split(|&byte| byte == b'\n').count(),
        reason: "it is not UTF-8 text".to_owned(),
    })
}

fn json_lines(path: &Path, text: &str) -> Result<Vec<Line>, DataError> {
    let mut lines = Vec::new();
    for (index, text) in text.lines().enumerate() {
        if text.trim().is_empty() {
            continue;
        }
        let line = index + 1;
        let fields = serde_json::from_str(text).map_err(|error| DataError::BadLine {
            path: path.to_owned(),
            line,
            reason: format!("it is not one JSON object ({})", without_line(&error)),
        })?;
        lines.push((line, fields));
    }
    Ok(lines)
}

/// The parser counts lines within the one it was given, so only its column says something.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replacen(" line 1 column", " column", 1)
}

fn csv_lines(path: &Path, text: &str) -> Result<Vec<Line>, DataError> {
    let bad = |error: &csv::Error, line: usize| DataError::BadLine {
        path: path.to_owned(),
        line: error.position().map_or(line, |position| position.line() as usize),
        reason: error.to_string(),
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let keys = reader.headers().map_err(|error| bad(&error, 1))?.clone();
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| bad(&error, 1))?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        let fields = keys
            .iter()
            .zip(&record)
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.to_owned(), Value::from(value)))
            .collect();
        lines.push((line, fields));
    }
    Ok(lines)
}

fn rows(path: &Path, lines: Vec<Line>) -> Result<Vec<Row>, DataError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut first_lines: HashMap<String, usize> = HashMap::with_capacity(lines.len());
    let mut rows = Vec::with_capacity(lines.len());
    for (line, fields) in lines {
        let audio = text(path, line, &fields, "audio")?.ok_or_else(|| DataError::MissingKey {
            path: path.to_owned(),
            line,
            key: "audio".to_owned(),
        })?;
        let audio = folder.join(audio);
        let id = text(path, line, &fields, "id")?
            .or_else(|| audio.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
            .unwrap_or_default();
        if let Some(first) = first_lines.insert(id.clone(), line) {
            return Err(DataError::DuplicateId { path: path.to_owned(), line, first, id });
        }
        rows.push(Row { id, audio, line, fields });
    }
    Ok(rows)
}

/// The value of a key that holds a label or a name: text, or a number as text. `None` where it is absent, null or
/// empty.
pub(crate) fn text(
    path: &Path,
    line: usize,
    fields: &Map<String, Value>,
    key: &str,
) -> Result<Option<String>, DataError> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(DataError::BadValue {
            path: path.to_owned(),
            line,
            key: key.to_owned(),
            expected: "text or a number",
            found: other.to_string(),
        }),
    }
}

/// The folder's own name, also where the path to it is `.` or has none.
fn folder_name(path: &Path) -> String {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named =
        if folder.file_name().is_some() { Some(folder.to_owned()) } else { fs::canonicalize(folder).ok() };
    named
        .as_deref()
        .and_then(Path::file_name)
        .map_or_else(|| "data".to_owned(), |name| name.to_string_lossy().into_owned())
}
