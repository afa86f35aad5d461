//! What is there of what is wanted, without asking anybody.

use sure_hub::{ModelCard, Repository};

use super::{Outcome, Row, State, Store, Want, model};

/// What is said of something that is wanted, in a line.
#[derive(Debug)]
pub struct Summary {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// How many bytes it has, where that is known.
    pub bytes: Option<u64>,
    /// Its licence, where it has a card.
    pub licence: String,
}

/// A line of something that is wanted, from its rows.
pub fn summary(want: &Want, rows: &[Row]) -> Summary {
    let (name, licence) = match want {
        Want::Model(repository) => {
            let card = ModelCard::of(repository.id()).ok().flatten();
            (repository.to_string(), card.map_or_else(|| "unknown".to_owned(), |card| card.licence))
        }
        Want::Dataset(card) => (format!("data set {}", card.name), card.licence.clone()),
    };
    let bytes = rows.iter().map(|row| row.bytes).sum::<Option<u64>>();
    Summary { name, state: rows.first().map_or(State::Missing, |row| row.state), bytes, licence }
}

/// The files of a model that are there; what is not there is one row.
pub(super) fn model(store: &Store, repository: &Repository, outcome: &mut Outcome) {
    let card = ModelCard::of(repository.id()).ok().flatten();
    let locked = store.downloads.locked(repository).ok().flatten().unwrap_or_default();
    let mut rows = Vec::new();
    if let Some((commit, folder)) = store.hub.cached(repository) {
        for (name, path) in files(&folder) {
            let bytes = path.metadata().ok().map(|data| data.len());
            let sha256 = locked.files.get(&name).map(|sum| sum.sha256.clone());
            let source = model::source_of(repository, &commit, &name);
            rows.push(Row { path, bytes, sha256, source, state: State::Present });
        }
    } else if let Some(card) = card.as_ref().filter(|card| model::folder(card).is_dir()) {
        for (_, path) in files(&model::folder(card)) {
            let bytes = path.metadata().ok().map(|data| data.len());
            rows.push(Row {
                path,
                bytes,
                sha256: None,
                source: "elsewhere".to_owned(),
                state: State::Present,
            });
        }
    }
    if rows.is_empty() {
        let known = card.as_ref().and_then(|card| card.known.as_ref());
        // Without the weights a sum says little.
        let with_weights = known.filter(|known| {
            known.files.iter().any(|(file, check)| file.ends_with(".safetensors") && check.bytes.is_some())
        });
        let sizes =
            with_weights.map(|known| known.files.values().filter_map(|check| check.bytes).sum::<u64>());
        rows.push(Row {
            path: store.hub.config().cache.join(format!("models--{}", repository.id().replace('/', "--"))),
            bytes: sizes,
            sha256: None,
            source: format!("hub:{}@{}", repository.id(), repository.revision()),
            state: State::Wanted,
        });
    }
    outcome.rows.extend(rows);
}

/// The files of a folder with their names, sorted.
pub(super) fn files(folder: &std::path::Path) -> Vec<(String, std::path::PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(name, path)| path.is_file() && !name.starts_with('.'))
        .collect();
    files.sort();
    files
}
