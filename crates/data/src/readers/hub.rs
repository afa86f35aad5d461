//! Data sets of the Hugging Face hub as parquet files: which files there are, and what is in their rows.
//!
//! The hub names the files of a split in several ways: `clean/train.100/0000.parquet`,
//! `clean/partial-train.100/0000.parquet` (its own conversion, where it stopped early),
//! `data/train-00000-of-00011-ab12.parquet`, `en_us/fleurs-train-00000-of-00004.parquet`.

use std::collections::HashMap;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row as Record};
use parquet::schema::types::Type;
use serde_json::{Map, Value};

use super::files::list;
use crate::DataError;

/// How deep files may lie in a data set's folder.
const DEPTH: usize = 4;

/// A parquet file.
#[derive(Clone, Debug)]
pub(crate) struct Shard {
    pub(crate) path: PathBuf,
    /// Its path from the data set's folder, with `/` between the parts.
    pub(crate) name: String,
    /// What the hub calls a split.
    pub(crate) part: String,
}

/// A row of a parquet file.
#[derive(Debug)]
pub(crate) struct HubRow {
    /// The recording as a file; none where there is a path alone.
    pub(crate) audio: Option<Vec<u8>>,
    /// The other columns, without those that are empty; a class has its name.
    pub(crate) values: Map<String, Value>,
}

/// The parquet files of a folder and the folders in it, sorted by name.
pub(crate) fn shards(root: &Path) -> Result<Vec<Shard>, DataError> {
    fn walk(folder: &Path, name: &str, depth: usize, found: &mut Vec<Shard>) -> Result<(), DataError> {
        for entry in list(folder)? {
            let name = if name.is_empty() { entry.name.clone() } else { format!("{name}/{}", entry.name) };
            if entry.name.ends_with(".parquet") {
                found.push(Shard { part: part_of(&name), path: entry.path, name });
            } else if depth > 0 && entry.path.is_dir() {
                walk(&entry.path, &name, depth - 1, found)?;
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    walk(root, "", DEPTH, &mut found)?;
    Ok(found)
}

/// The name of a split in the name of a file.
fn part_of(name: &str) -> String {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let stem = file.trim_end_matches(".parquet");
    let stem = match stem.split_once("-of-") {
        Some((before, _)) => before.rsplit_once('-').map_or("", |(stem, _)| stem),
        None => stem,
    };
    let numbered = stem.is_empty() || stem.bytes().all(|byte| byte.is_ascii_digit());
    let stem = if numbered { folder.rsplit('/').next().unwrap_or_default() } else { stem };
    // Before a dash stands the name of the data set, or `partial`.
    stem.rsplit('-').next().unwrap_or_default().to_owned()
}

/// The columns of the parquet file that comes first in a folder and the folders in it.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Columns {
    /// There is no such file.
    None,
    /// It cannot be read.
    Damaged,
    /// Their names.
    Named(Vec<String>),
}

/// The columns of the first parquet file of a folder.
pub(crate) fn first_columns(root: &Path) -> Columns {
    let Some(path) = first(root, DEPTH) else { return Columns::None };
    let names = guarded(&path, || {
        let reader = open(&path)?;
        Ok(root_columns(&reader).iter().map(|field| field.name().to_owned()).collect())
    });
    names.map_or(Columns::Damaged, Columns::Named)
}

/// Some parquet file of a folder, found without asking for more than names.
fn first(folder: &Path, depth: usize) -> Option<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).ok()?.flatten().collect();
    entries.retain(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    let named = |entry: &&fs::DirEntry| entry.file_name().as_encoded_bytes().ends_with(b".parquet");
    if let Some(path) = entries.iter().filter(named).map(fs::DirEntry::path).min() {
        return Some(path);
    }
    let is_folder = |entry: &&fs::DirEntry| {
        entry.file_type().is_ok_and(|kind| kind.is_dir() || kind.is_symlink() && entry.path().is_dir())
    };
    let mut folders: Vec<PathBuf> = entries.iter().filter(is_folder).map(fs::DirEntry::path).collect();
    folders.sort();
    depth.checked_sub(1).and_then(|depth| folders.iter().find_map(|folder| first(folder, depth)))
}

/// Hands each row of a file to `take`, with `columns` and the recording.
pub(crate) fn rows(
    path: &Path,
    columns: &[&str],
    mut take: impl FnMut(HubRow) -> Result<(), DataError>,
) -> Result<(), DataError> {
    guarded(path, || {
        let reader = open(path)?;
        let fields = root_columns(&reader);
        let wanted: Vec<Arc<Type>> = ["audio"]
            .iter()
            .chain(columns)
            .map(|column| {
                let field = fields.iter().find(|field| field.name() == *column);
                field.cloned().ok_or_else(|| DataError::MissingColumn {
                    path: path.to_owned(),
                    column: (*column).to_owned(),
                    found: fields.iter().map(|field| field.name().to_owned()).collect(),
                })
            })
            .collect::<Result<_, _>>()?;
        let classes = classes(&reader);
        let broken = |source| DataError::Parquet { path: path.to_owned(), source: Box::new(source) };
        let schema = Type::group_type_builder("schema").with_fields(wanted).build().map_err(broken)?;
        for record in reader.get_row_iter(Some(schema)).map_err(broken)? {
            take(row(&record.map_err(broken)?, &classes))?;
        }
        Ok(())
    })
}

fn open(path: &Path) -> Result<SerializedFileReader<File>, DataError> {
    let file = File::open(path).map_err(DataError::io("open", path))?;
    SerializedFileReader::new(file)
        .map_err(|source| DataError::Parquet { path: path.to_owned(), source: Box::new(source) })
}

fn root_columns(reader: &SerializedFileReader<File>) -> Vec<Arc<Type>> {
    reader.metadata().file_metadata().schema().get_fields().to_vec()
}

fn row(record: &Record, classes: &HashMap<String, Vec<String>>) -> HubRow {
    let mut row = HubRow { audio: None, values: Map::new() };
    for (name, field) in record.get_column_iter() {
        match field {
            Field::Group(group) => {
                for (inner, field) in group.get_column_iter() {
                    match field {
                        Field::Bytes(bytes) if inner == "bytes" => row.audio = Some(bytes.data().to_vec()),
                        Field::Str(path) if inner == "path" => {
                            row.values.insert("audio_path".to_owned(), Value::from(path.as_str()));
                        }
                        _ => {}
                    }
                }
            }
            field => {
                if let Some(value) = value(field) {
                    let class = value.as_u64().and_then(|class| classes.get(name)?.get(class as usize));
                    row.values.insert(name.clone(), class.map_or(value, |class| Value::from(class.as_str())));
                }
            }
        }
    }
    row
}

fn value(field: &Field) -> Option<Value> {
    Some(match field {
        Field::Str(text) => Value::from(text.as_str()),
        Field::Bool(value) => Value::from(*value),
        Field::Byte(value) => Value::from(*value),
        Field::Short(value) => Value::from(*value),
        Field::Int(value) => Value::from(*value),
        Field::Long(value) => Value::from(*value),
        Field::UByte(value) => Value::from(*value),
        Field::UShort(value) => Value::from(*value),
        Field::UInt(value) => Value::from(*value),
        Field::ULong(value) => Value::from(*value),
        _ => return None,
    })
}

/// The names of classes by column, which the hub's library writes into the file.
fn classes(reader: &SerializedFileReader<File>) -> HashMap<String, Vec<String>> {
    let entries = reader.metadata().file_metadata().key_value_metadata();
    let text =
        entries.and_then(|entries| entries.iter().find(|entry| entry.key == "huggingface")?.value.as_deref());
    let Some(Ok(about)) = text.map(serde_json::from_str::<Value>) else { return HashMap::new() };
    let features = about.pointer("/info/features").and_then(Value::as_object);
    let named = |(column, feature): (&String, &Value)| {
        let names = feature.get("names")?.as_array()?;
        let names: Option<Vec<String>> = names.iter().map(|name| Some(name.as_str()?.to_owned())).collect();
        Some((column.clone(), names?))
    };
    features.map(|features| features.iter().filter_map(named).collect()).unwrap_or_default()
}

/// Runs what reads a parquet file. The crate `parquet` 60.1 panics on some damaged files, for example where a column's
/// offset is negative or a dictionary is missing; a download that broke off must not end the program.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, DataError>) -> Result<T, DataError> {
    // What `read` was building is dropped with it.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        Err(DataError::Parquet { path: path.to_owned(), source: text.into() })
    })
}

#[cfg(test)]
mod tests {
    use super::part_of;

    #[test]
    fn the_hub_spells_splits_in_several_ways() {
        for (name, part) in [
            ("clean/train.100/0000.parquet", "train.100"),
            ("clean/partial-train.100/0003.parquet", "train.100"),
            ("all/train.clean.100/0013.parquet", "train.clean.100"),
            ("clean/train.100-00000-of-00014.parquet", "train.100"),
            ("data/train-00000-of-00011-82f5cfdb2f9b50b7.parquet", "train"),
            ("en_us/fleurs-train-00003-of-00004.parquet", "train"),
            ("en_us/fleurs-validation.parquet", "validation"),
            ("v0.02/test/0000.parquet", "test"),
            ("test.parquet", "test"),
            ("0000.parquet", ""),
            ("-of-.parquet", ""),
        ] {
            assert_eq!(part_of(name), part, "{name}");
        }
    }
}
