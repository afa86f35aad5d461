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
    /// What of the files is otherwise.
    pub files: FilesChecked,
}

impl Checked {
    /// Whether all is as it was made.
    pub fn is_same(&self) -> bool {
        self.different.is_empty() && self.files == FilesChecked::default()
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
    let total = SETS.iter().map(|set| (set.lines)().len()).sum();
    let (mut compared, mut different, mut done) = (0, Vec::new(), 0);
    let files = compare(folder, &about, &mut |line, row| {
        done += 1;
        progress(done, total);
        let Some(voice) = &line.voice else { return Ok(()) };
        // Also where there is nothing to compare with: what the engine says next depends on it.
        let said = engines.speak(voice, line.prosody, &line.text)?.hash();
        let Some(row) = row else { return Ok(()) };
        compared += 1;
        if row.get("engine_sha256").and_then(Value::as_str) != Some(said.as_str()) {
            different.push(line.id.clone());
        }
        Ok(())
    })?;
    let here = engines.versions();
    Ok(Checked {
        recipe: (about.version, VERSION),
        made_with: about.engines,
        here,
        compared,
        different,
        files,
    })
}

/// What of a corpus' files is not as its recipe and `corpus.json` say; needs no engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilesChecked {
    /// Ids that the recipe has and the corpus has not, or the other way round, or with other labels.
    pub strangers: Vec<String>,
    /// Packs whose bytes are not those that were written.
    pub packs: Vec<String>,
}

/// Compares the manifests and packs in `folder` with the recipe and with `corpus.json`, without speaking.
///
/// # Errors
/// When a file of the corpus cannot be read.
pub fn check_files(folder: &Path) -> Result<FilesChecked, CorpusError> {
    compare(folder, &About::read(folder)?, &mut |_, _| Ok(()))
}

/// A row of a manifest.
type Fields = Map<String, Value>;
/// What is done with a line of the recipe and its row.
type Each<'a> = dyn FnMut(&Line, Option<&Fields>) -> Result<(), CorpusError> + 'a;

/// Compares the files and hands each line, in order, to `each`, with its row where the two agree.
fn compare(folder: &Path, about: &About, each: &mut Each<'_>) -> Result<FilesChecked, CorpusError> {
    let mut checked = FilesChecked { packs: different_packs(folder, about)?, ..FilesChecked::default() };
    for set in SETS {
        let mut rows = rows(&folder.join(set.name).join("manifest.jsonl"))?;
        for line in (set.lines)() {
            let row = rows.remove(&line.id).filter(|row| has_labels(row, &line));
            each(&line, row.as_ref())?;
            if row.is_none() {
                checked.strangers.push(line.id);
            }
        }
        checked.strangers.extend(rows.into_keys());
    }
    Ok(checked)
}

fn has_labels(row: &Fields, line: &Line) -> bool {
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

fn rows(path: &Path) -> Result<BTreeMap<String, Fields>, CorpusError> {
    let text = fs::read_to_string(path).map_err(CorpusError::io("read", path))?;
    let bad = |reason: String| CorpusError::BadFile { path: path.to_owned(), reason };
    let row = |line: &str| {
        let row: Fields = serde_json::from_str(line).map_err(|error| bad(error.to_string()))?;
        let id = row.get("id").and_then(Value::as_str).ok_or_else(|| bad("a row without id".to_owned()))?;
        Ok((id.to_owned(), row))
    };
    text.lines().map(row).collect()
}
