//! What several tests of this crate need.

use std::fs;

use serde_json::{Value, json};
use sure_data::Manifest;

/// The rows as a manifest of a set with this name; ids and audio are `u0`, `u1`, ...
pub(crate) fn manifest(set: &str, rows: &[Value]) -> Manifest {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join(set);
    fs::create_dir(&set).unwrap();
    let line = |(index, row): (usize, &Value)| {
        let mut row = row.clone();
        row["audio"] = json!(format!("u{index}.wav"));
        format!("{row}\n")
    };
    fs::write(set.join("manifest.jsonl"), rows.iter().enumerate().map(line).collect::<String>()).unwrap();
    Manifest::read(&set).unwrap()
}
