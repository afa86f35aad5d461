//! The rows of a data set as a reader finds them, and the notes about them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Note, ReadOptions, Reading, What, note::Tally, unpack::Unpacked};
use crate::{DataError, Manifest, Row, Split};

/// The keys of one row.
#[derive(Debug, Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// The keys of a row in a split.
    pub(crate) fn of(split: Split) -> Self {
        Self::default().set("split", split.name())
    }

    pub(crate) fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Sets a key where there is a value for it.
    pub(crate) fn maybe(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }
}

/// Where a recording comes from.
#[derive(Debug)]
enum Origin {
    /// It is a file.
    File(PathBuf),
    /// It was in a row of a parquet file.
    Row(PathBuf, usize),
}

/// What a reader has found so far.
#[derive(Debug)]
pub(crate) struct Collector<'a> {
    name: &'static str,
    root: &'a Path,
    rows: Vec<Row>,
    places: HashMap<String, Origin>,
    notes: Vec<Note>,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(name: &'static str, root: &'a Path) -> Self {
        Self { name, root, rows: Vec::new(), places: HashMap::new(), notes: Vec::new() }
    }

    /// Takes a recording. Two of one id are an error: a set that holds a recording twice has been put together wrongly.
    pub(crate) fn push(&mut self, id: String, audio: PathBuf, fields: Fields) -> Result<(), DataError> {
        let origin = Origin::File(audio.clone());
        self.push_from(id, audio, origin, fields)
    }

    /// Takes a recording that was unpacked. An error names the parquet file, which is the user's, not what was made of it.
    pub(crate) fn push_row(
        &mut self,
        id: String,
        audio: PathBuf,
        row: &Unpacked,
        fields: Fields,
    ) -> Result<(), DataError> {
        let origin = Origin::Row(self.root.join(&row.shard), row.number);
        self.push_from(id, audio, origin, fields)
    }

    fn push_from(
        &mut self,
        id: String,
        audio: PathBuf,
        origin: Origin,
        fields: Fields,
    ) -> Result<(), DataError> {
        if let Some(first) = self.places.remove(&id) {
            return Err(match (first, origin) {
                (Origin::Row(first, first_row), Origin::Row(second, second_row)) => {
                    DataError::DuplicateRow { id, first, first_row, second, second_row }
                }
                (
                    Origin::File(first) | Origin::Row(first, _),
                    Origin::File(second) | Origin::Row(second, _),
                ) => DataError::DuplicateRecording { id, first, second },
            });
        }
        self.places.insert(id.clone(), origin);
        let mut fields = fields.0;
        fields.insert("id".to_owned(), Value::from(id.as_str()));
        fields.insert("audio".to_owned(), Value::from(self.name_of(&audio)));
        self.rows.push(Row { id, audio, line: self.rows.len() + 1, fields });
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn root(&self) -> &'a Path {
        self.root
    }

    /// How many recordings are in a split.
    pub(crate) fn in_split(&self, split: Split) -> usize {
        self.rows.iter().filter(|row| is_in(row, "split", split)).count()
    }

    /// A path as messages name it: from the data set's folder.
    pub(crate) fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(self.root).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// Makes a note of what was counted, if anything was.
    pub(crate) fn note(&mut self, tally: Tally, what: What) {
        self.notes.extend(tally.note(what));
    }

    /// Adds a note that is made elsewhere.
    pub(crate) fn add(&mut self, note: Note) {
        self.notes.push(note);
    }

    /// Says something that concerns all recordings.
    pub(crate) fn say(&mut self, what: What) {
        self.notes.push(Note { what, count: self.rows.len(), examples: Vec::new() });
    }

    /// Makes a note of each split that nothing is in.
    pub(crate) fn note_empty(&mut self, key: &str, looked_for: impl Fn(Split) -> String) {
        for split in Split::ALL {
            if !self.rows.iter().any(|row| is_in(row, key, split)) {
                let what = What::EmptySplit { split, looked_for: looked_for(split) };
                self.notes.push(Note { what, count: 0, examples: Vec::new() });
            }
        }
    }

    /// Makes a note of the classes of training that no test row has.
    pub(crate) fn note_untested(&mut self, key: &str) {
        let labels = |split| -> BTreeSet<&str> {
            let rows = self.rows.iter().filter(|row| is_in(row, "split", split));
            rows.filter_map(|row| row.fields.get(key)?.as_str()).collect()
        };
        let tested = labels(Split::Test);
        if !tested.is_empty() {
            let untested: Tally = labels(Split::Train).difference(&tested).copied().collect();
            self.note(untested, What::Untested { key: key.to_owned() });
        }
    }

    /// The reading, or the error of a set without recordings or with too many left out.
    pub(crate) fn finish(self, options: &ReadOptions) -> Result<Reading, DataError> {
        let too_many = |note: &&Note| {
            let of = note.what.skipped_of();
            of.is_some_and(|of| note.count as f64 > options.max_skipped_share * of as f64)
        };
        if let Some(note) = self.notes.iter().find(too_many) {
            return Err(DataError::TooManySkipped {
                path: self.root.to_owned(),
                note: Box::new(note.clone()),
                limit_percent: options.max_skipped_share * 100.0,
            });
        }
        if self.rows.is_empty() {
            let notes = self.notes.iter().map(Note::to_string).collect();
            return Err(DataError::NoRecordings { set: self.name, path: self.root.to_owned(), notes });
        }
        let manifest = Manifest { name: self.name.to_owned(), path: self.root.to_owned(), rows: self.rows };
        Ok(Reading { manifest, notes: self.notes })
    }
}

fn is_in(row: &Row, key: &str, split: Split) -> bool {
    row.fields.get(key).and_then(Value::as_str) == Some(split.name())
}
