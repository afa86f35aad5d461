//! A model: from the hub into its cache, or from another source of its card.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sure_hub::{Check, HubError, Kind, Lock, ModelCard, ModelFile, ModelPlan, Repository};

use super::{Bars, Outcome, Row, State, Store};
use crate::environment;

/// Fetches a model.
pub(super) fn fetch(store: &Store, repository: &Repository, bars: &Bars, outcome: &mut Outcome) {
    let card = match ModelCard::of(repository.id()) {
        Ok(card) => card,
        Err(error) => return outcome.fail(&repository.to_string(), &error),
    };
    let error = match from_hub(store, repository, card.as_ref(), bars, outcome) {
        Ok(()) => return,
        Err(error) => error,
    };
    // A revision is a thing of the hub's; a card's other sources have one.
    let elsewhere = card.filter(|card| !card.sources.is_empty() && repository.revision() == "main");
    let Some(card) = elsewhere.filter(|_| error.is_missing()) else {
        return outcome.fail(&repository.to_string(), &error);
    };
    match from_elsewhere(store, &card, bars) {
        Ok(rows) => outcome.rows.extend(rows),
        Err(HubError::Stopped) => outcome.interrupted = true,
        Err(other) => {
            let failures = vec![format!("hub: {}", error.chain()), other.chain()];
            outcome.fail(&repository.to_string(), &HubError::Sources { file: card.id, failures });
        }
    }
}

fn from_hub(
    store: &Store,
    repository: &Repository,
    card: Option<&ModelCard>,
    bars: &Bars,
    outcome: &mut Outcome,
) -> Result<(), HubError> {
    let plan = store.hub.plan_model(repository, &store.downloads, bars)?;
    let known = |file: &str| card.map_or_else(Check::default, |card| card.check(&plan.commit, file));
    store.hub.fetch_model(&plan, &known, &store.downloads, bars, &mut |file: ModelFile| {
        let state = if file.was_there { State::Present } else { State::Fetched };
        outcome.rows.push(Row::there(file.path, &file.sum, source(&plan, &file.file), state));
    })
}

/// From the sources of a card, into a folder that appears whole.
fn from_elsewhere(store: &Store, card: &ModelCard, bars: &Bars) -> Result<Vec<Row>, HubError> {
    let folder = folder(card);
    let beside = |ending: &str| {
        let mut name = folder.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    // Over the whole of it: who waits must find the folder as the other one left it.
    let _lock = Lock::take(&beside(".lock"), &card.id, bars)?;
    let mut failures = Vec::new();
    for source in &card.sources {
        let partial = beside(".partial");
        let fetch = || -> Result<Vec<Row>, HubError> {
            let mut rows = Vec::new();
            for (file, source) in source.files() {
                let there = folder.join(&file);
                let (place, name) =
                    if there.is_file() { (&there, there.clone()) } else { (&partial.join(&file), there) };
                let check = card.check_elsewhere(&file);
                let got = store.hub.obtain(&[source], &check, place, &store.downloads, bars)?;
                let state = if got.was_there { State::Present } else { State::Fetched };
                rows.push(Row::there(name, &got.sum, got.source, state));
            }
            Ok(rows)
        };
        match fetch() {
            Ok(rows) => {
                sure_hub::tidy(&folder);
                sure_hub::tidy(&partial);
                appear(&partial, &folder)?;
                return Ok(rows);
            }
            Err(error) if error.is_missing() => failures.push(error.chain()),
            Err(error) => return Err(error),
        }
    }
    Err(HubError::Sources { file: card.id.clone(), failures })
}

/// Gives the folder of a model its name; into one that is there goes what it lacks.
fn appear(partial: &Path, folder: &Path) -> Result<(), HubError> {
    let io = |action| move |source| HubError::Io { action, path: partial.to_owned(), source };
    if !partial.is_dir() {
        return Ok(());
    }
    if !folder.is_dir() {
        return fs::rename(partial, folder).map_err(io("rename"));
    }
    for entry in fs::read_dir(partial).map_err(io("read"))? {
        let entry = entry.map_err(io("read"))?;
        fs::rename(entry.path(), folder.join(entry.file_name())).map_err(io("move the files of"))?;
    }
    fs::remove_dir(partial).map_err(io("remove"))
}

/// Where a model goes that does not come from the hub.
pub(super) fn folder(card: &ModelCard) -> PathBuf {
    environment::models().join(&card.id)
}

/// Asks what would be fetched.
pub(super) fn plan(store: &Store, repository: &Repository, bars: &Bars, outcome: &mut Outcome) {
    let plan = match store.hub.plan_model(repository, &store.downloads, bars) {
        Ok(plan) => plan,
        Err(error) => return outcome.fail(&repository.to_string(), &error),
    };
    let commit = repository.at(&plan.commit);
    for entry in &plan.files {
        let there = commit.as_ref().ok().and_then(|at| store.hub.cached_file(at, &entry.path).ok().flatten());
        let state = if there.is_some() { State::Present } else { State::Wanted };
        outcome.rows.push(Row {
            path: there.unwrap_or_else(|| store.hub.snapshot_file(repository, &plan.commit, &entry.path)),
            bytes: entry.check.bytes,
            sha256: entry.check.sha256.clone(),
            source: source(&plan, &entry.path),
            state,
        });
    }
}

/// The source of a model's file, as rows have it.
fn source(plan: &ModelPlan, file: &str) -> String {
    source_of(&plan.repository, &plan.commit, file)
}

/// The source of a file of a repository, as rows have it.
pub(super) fn source_of(repository: &Repository, commit: &str, file: &str) -> String {
    let kind = if repository.kind() == Kind::Dataset { "datasets/" } else { "" };
    format!("hub:{kind}{}@{commit}/{file}", repository.id())
}
