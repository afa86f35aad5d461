//! Compares what the engines on this machine say with what the corpus was made of.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{CorpusError, Engines, Line, SETS, Versions, engine::hex, make::VERSION, manifest::About};

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Version of the recipe that made the corpus, and of this program's.
    pub recipe: (u32, u32),
    /// The engines that made the corpus.
    pub made_with: Versions,
    /// The engines of this machine.
    pub here: Versions,
    /// Lines whose samples were compared.
    pub compared: usize,
    /// Ids of lines that this machine's engines say otherwise.
    pub different: Vec<String>,
    /// Ids that the recipe has and the corpus has not, or the other way round, or with other labels.
    pub strangers: Vec<String>,
    /// Packs whose bytes are not those that were written.
    pub packs: Vec<String>,
}

impl Checked {
    /// Whether all is as it was made.
    pub fn is_same(&self) -> bool {
        self.different.is_empty() && self.strangers.is_empty() && self.packs.is_empty()
    }
}

/// Speaks every line of the corpus in `folder` again and compares the engines' samples with the hashes in its
/// manifests, its packs with their hashes, and its rows with the recipe. `progress` is told how many lines are done.
///
/// # Errors
/// When an engine is not there or fails, or a file of the corpus cannot be read.
pub fn check(folder: &Path, progress: &mut dyn FnMut(usize, usize)) -> Result<Checked, CorpusError> {
    let about = About::read(folder)?;
    let mut engines = Engines::open()?;
    let mut checked = Checked {
        recipe: (about.version, VERSION),
        made_with: about.engines.clone(),
        here: engines.versions(),
        compared: 0,
        different: Vec::new(),
        strangers: Vec::new(),
        packs: different_packs(folder, &about)?,
    };
    let sets: Vec<_> = SETS.into_iter().map(|set| (set.name, (set.lines)())).collect();
    let total = sets.iter().map(|(_, lines)| lines.len()).sum();
    let mut done = 0;
    for (name, lines) in sets {
        let mut rows = rows(&folder.join(name).join("manifest.jsonl"))?;
        for line in lines {
            done += 1;
            progress(done, total);
            let row = rows.remove(&line.id);
            let Some(row) = row.filter(|row| has_labels(row, &line)) else {
                checked.strangers.push(line.id);
                continue;
            };
            let Some(voice) = &line.voice else { continue };
            let said = engines.speak(voice, line.prosody, &line.text)?.hash();
            checked.compared += 1;
            if row.get("engine_sha256").and_then(Value::as_str) != Some(said.as_str()) {
                checked.different.push(line.id);
            }
        }
        checked.strangers.extend(rows.into_keys());
    }
    Ok(checked)
}

/// What of a corpus' files is not as its recipe and `corpus.json` say; needs no engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilesChecked {
    /// See [`Checked::strangers`].
    pub strangers: Vec<String>,
    /// See [`Checked::packs`].
    pub packs: Vec<String>,
}

/// Compares the manifests and packs in `folder` with the recipe and with `corpus.json`, without speaking.
///
/// # Errors
/// When a file of the corpus cannot be read.
pub fn check_files(folder: &Path) -> Result<FilesChecked, CorpusError> {
    let about = About::read(folder)?;
    let mut checked = FilesChecked { packs: different_packs(folder, &about)?, ..FilesChecked::default() };
    for set in SETS {
        let mut rows = rows(&folder.join(set.name).join("manifest.jsonl"))?;
        for line in (set.lines)() {
            if rows.remove(&line.id).is_none_or(|row| !has_labels(&row, &line)) {
                checked.strangers.push(line.id);
            }
        }
        checked.strangers.extend(rows.into_keys());
    }
    Ok(checked)
}

fn has_labels(row: &Map<String, Value>, line: &Line) -> bool {
    row.get("split").and_then(Value::as_str) == Some(line.part.name())
        && line.labels.iter().all(|(key, value)| row.get(key) == Some(value))
}

fn different_packs(folder: &Path, about: &About) -> Result<Vec<String>, CorpusError> {
    let mut different = Vec::new();
    for (name, hash) in &about.packs {
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(CorpusError::io("read", &path))?;
        if hex(&Sha256::digest(&bytes)) != *hash {
            different.push(name.clone());
        }
    }
    Ok(different)
}

fn rows(path: &Path) -> Result<BTreeMap<String, Map<String, Value>>, CorpusError> {
    let text = fs::read_to_string(path).map_err(CorpusError::io("read", path))?;
    let bad = |reason: String| CorpusError::BadFile { path: path.to_owned(), reason };
    let row = |line: &str| {
        let row: Map<String, Value> = serde_json::from_str(line).map_err(|error| bad(error.to_string()))?;
        let id = row.get("id").and_then(Value::as_str).ok_or_else(|| bad("a row without id".to_owned()))?;
        Ok((id.to_owned(), row))
    };
    text.lines().map(row).collect()
}
