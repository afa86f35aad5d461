//! A folder of cells.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{
    Cell, CellId, Cost, PredictionRow, RecordsError, RunRecord, SCHEMA_VERSION, canonical, write_atomic,
};

const RECORD: &str = "record.json";
const COST: &str = "cost.json";
const PREDICTIONS: &str = "predictions.jsonl";

/// A folder of finished cells, one folder each, named by the cell's id.
///
/// `record.json` is what makes a cell finished, so it is written last: [`Store::put_predictions`] and
/// [`Store::put_cost`] come before [`Store::put`].
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// Opens the folder; it is created where it does not exist.
    ///
    /// # Errors
    ///
    /// [`RecordsError::Io`].
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, RecordsError> {
        let dir = dir.into();
        fs::create_dir_all(&dir).map_err(RecordsError::io("create the folder", &dir))?;
        Ok(Self { dir })
    }

    /// The store's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder of one cell; it need not exist.
    pub fn cell_dir(&self, id: &CellId) -> PathBuf {
        self.dir.join(id.as_str())
    }

    /// The record of a finished cell, `None` where the cell has none yet.
    ///
    /// # Errors
    ///
    /// [`RecordsError::Damaged`] or [`RecordsError::Schema`] name the file; [`RecordsError::Io`] where it cannot be
    /// read.
    pub fn get(&self, id: &CellId) -> Result<Option<RunRecord>, RecordsError> {
        let path = self.cell_dir(id).join(RECORD);
        let Some(text) = read(&path)? else { return Ok(None) };
        let version: SchemaVersion = parse(&path, &text)?;
        if version.schema_version != SCHEMA_VERSION {
            return Err(RecordsError::Schema {
                path,
                found: version.schema_version,
                expected: SCHEMA_VERSION,
            });
        }
        let record: RunRecord = parse(&path, &text)?;
        let computed = record.cell.id();
        if record.id != *id || computed != *id {
            let reason = format!("its cell hashes to {computed} and it names {}, not {id}", record.id);
            return Err(RecordsError::Damaged { path, reason });
        }
        Ok(Some(record))
    }

    /// Stores a record, which makes its cell finished.
    ///
    /// # Errors
    ///
    /// [`RecordsError::Unstorable`] where it would not read back as it is, [`RecordsError::Io`].
    pub fn put(&self, record: &RunRecord) -> Result<(), RecordsError> {
        let unstorable = |reason| RecordsError::Unstorable { id: record.id.clone(), reason };
        let expected = record.cell.id();
        if record.id != expected {
            return Err(unstorable(format!("its cell hashes to {expected}")));
        }
        let text = record.to_json();
        serde_json::from_str::<RunRecord>(&text).map_err(|error| unstorable(error.to_string()))?;
        write_atomic(&self.create_cell_dir(&record.id)?.join(RECORD), text.as_bytes())
    }

    /// All records, sorted by id. Other files and unfinished cells are passed over.
    ///
    /// # Errors
    ///
    /// Those of [`Store::get`].
    pub fn records(&self) -> Result<Vec<RunRecord>, RecordsError> {
        let list = || -> io::Result<Vec<CellId>> {
            let mut ids = Vec::new();
            for entry in fs::read_dir(&self.dir)? {
                ids.extend(entry?.file_name().to_str().and_then(|name| name.parse::<CellId>().ok()));
            }
            ids.sort();
            Ok(ids)
        };
        let ids = list().map_err(RecordsError::io("list", &self.dir))?;
        ids.iter().filter_map(|id| self.get(id).transpose()).collect()
    }

    /// Whether the cell has a record of a run that ended as it should; a failed one is worth another try.
    ///
    /// # Errors
    ///
    /// Those of [`Store::get`].
    pub fn is_finished(&self, cell: &Cell) -> Result<bool, RecordsError> {
        Ok(self.get(&cell.id())?.is_some_and(|record| record.outcome.is_ok()))
    }

    /// What the cell cost, `None` where that was not stored.
    ///
    /// # Errors
    ///
    /// Those of [`Store::get`].
    pub fn cost(&self, id: &CellId) -> Result<Option<Cost>, RecordsError> {
        let path = self.cell_dir(id).join(COST);
        read(&path)?.map(|text| parse(&path, &text)).transpose()
    }

    /// Stores what the cell cost.
    ///
    /// # Errors
    ///
    /// [`RecordsError::Io`].
    pub fn put_cost(&self, id: &CellId, cost: &Cost) -> Result<(), RecordsError> {
        write_atomic(&self.create_cell_dir(id)?.join(COST), canonical::file(cost).as_bytes())
    }

    /// The cell's predictions on its test split, `None` where they were not stored.
    ///
    /// # Errors
    ///
    /// Those of [`Store::get`].
    pub fn predictions(&self, id: &CellId) -> Result<Option<Vec<PredictionRow>>, RecordsError> {
        let path = self.cell_dir(id).join(PREDICTIONS);
        let Some(text) = read(&path)? else { return Ok(None) };
        let row = |(index, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| RecordsError::Damaged {
                path: path.clone(),
                reason: format!("line {}: {error}", index + 1),
            })
        };
        text.lines().enumerate().map(row).collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// Stores the cell's predictions on its test split, one JSON object a line.
    ///
    /// # Errors
    ///
    /// [`RecordsError::Io`].
    pub fn put_predictions(&self, id: &CellId, rows: &[PredictionRow]) -> Result<(), RecordsError> {
        let text: String = rows.iter().map(canonical::line).collect();
        write_atomic(&self.create_cell_dir(id)?.join(PREDICTIONS), text.as_bytes())
    }

    fn create_cell_dir(&self, id: &CellId) -> Result<PathBuf, RecordsError> {
        let dir = self.cell_dir(id);
        fs::create_dir_all(&dir).map_err(RecordsError::io("create the folder", &dir))?;
        Ok(dir)
    }
}

/// The one field that every generation of the schema has.
#[derive(Deserialize)]
struct SchemaVersion {
    schema_version: u32,
}

fn read(path: &Path) -> Result<Option<String>, RecordsError> {
    match fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => {
                Err(RecordsError::Damaged { path: path.to_owned(), reason: error.utf8_error().to_string() })
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RecordsError::io("read", path)(error)),
    }
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, RecordsError> {
    serde_json::from_str(text)
        .map_err(|error| RecordsError::Damaged { path: path.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::tests::cell;
    use crate::record::tests::record;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("runs")).unwrap();
        (folder, store)
    }

    #[test]
    fn a_record_comes_back_and_an_unknown_cell_has_none() {
        let (_folder, store) = store();
        let stored = record(cell("lora", 1), 0.9);
        assert_eq!(store.get(&stored.id).unwrap(), None);
        assert!(!store.is_finished(&stored.cell).unwrap());
        store.put(&stored).unwrap();
        assert_eq!(store.get(&stored.id).unwrap(), Some(stored.clone()));
        assert!(store.is_finished(&stored.cell).unwrap());
        assert_eq!(
            fs::read_to_string(store.cell_dir(&stored.id).join("record.json")).unwrap(),
            stored.to_json()
        );
    }

    #[test]
    fn all_records_come_sorted_by_id_and_strangers_are_passed_over() {
        let (_folder, store) = store();
        let mut ids: Vec<CellId> = (0..5).map(|seed| cell("lora", seed).id()).collect();
        for seed in 0..5 {
            store.put(&record(cell("lora", seed), 0.9)).unwrap();
        }
        fs::create_dir(store.dir().join("notes")).unwrap();
        fs::create_dir(store.cell_dir(&cell("unfinished", 0).id())).unwrap();
        ids.sort();
        let found: Vec<CellId> = store.records().unwrap().into_iter().map(|record| record.id).collect();
        assert_eq!(found, ids);
    }

    #[test]
    fn a_damaged_record_is_an_error_that_names_the_file_and_the_way_out() {
        let (_folder, store) = store();
        let stored = record(cell("lora", 1), 0.9);
        store.put(&stored).unwrap();
        let path = store.cell_dir(&stored.id).join("record.json");
        let whole = stored.to_json();
        let moved = whole.replace("\"threads\": 2", "\"threads\": 3");
        for damaged in [&whole[..whole.len() / 2], "", "{}", "[]", moved.as_str()] {
            fs::write(&path, damaged).unwrap();
            let message = store.get(&stored.id).unwrap_err().to_string();
            assert!(message.contains("record.json is damaged"), "{message}");
            assert!(message.ends_with("delete it and its cell is run again"), "{message}");
            assert!(store.records().is_err());
        }
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(matches!(store.get(&stored.id), Err(RecordsError::Damaged { .. })));
    }

    #[test]
    fn a_record_of_another_schema_says_so() {
        let (_folder, store) = store();
        let stored = record(cell("lora", 1), 0.9);
        store.put(&stored).unwrap();
        let path = store.cell_dir(&stored.id).join("record.json");
        fs::write(&path, r#"{"schema_version": 9, "anything": []}"#).unwrap();
        assert!(matches!(store.get(&stored.id), Err(RecordsError::Schema { found: 9, .. })));
    }

    #[test]
    fn a_record_that_would_not_read_back_is_refused() {
        let (_folder, store) = store();
        let not_a_number = record(cell("lora", 1), f64::NAN);
        assert!(matches!(store.put(&not_a_number), Err(RecordsError::Unstorable { .. })));
        let mut misnamed = record(cell("lora", 1), 0.9);
        misnamed.id = cell("lora", 2).id();
        assert!(matches!(store.put(&misnamed), Err(RecordsError::Unstorable { .. })));
        assert_eq!(store.records().unwrap(), []);
    }

    #[test]
    fn costs_and_predictions_come_back() {
        let (_folder, store) = store();
        let id = cell("lora", 1).id();
        assert_eq!((store.cost(&id).unwrap(), store.predictions(&id).unwrap()), (None, None));
        let cost = Cost { seconds_total: 1.5, steps: 3, ..Cost::default() };
        let row = |id: &str| PredictionRow {
            id: id.into(),
            reference: "yes".into(),
            prediction: "näh\n".into(),
            score: 0.5,
        };
        store.put_cost(&id, &cost).unwrap();
        store.put_predictions(&id, &[row("a"), row("b")]).unwrap();
        assert_eq!(store.cost(&id).unwrap(), Some(cost));
        assert_eq!(store.predictions(&id).unwrap(), Some(vec![row("a"), row("b")]));
        fs::write(store.cell_dir(&id).join("predictions.jsonl"), "{\"id\": \"a\"}\n").unwrap();
        let message = store.predictions(&id).unwrap_err().to_string();
        assert!(message.contains("line 1: missing field `reference`"), "{message}");
    }
}
