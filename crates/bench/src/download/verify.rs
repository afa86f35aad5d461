//! Whether what is there is what it was when it came.

use std::path::Path;

use sure_hub::{HubError, ModelCard, Repository, git_id, sum};

use super::{Lack, Outcome, Row, State, Store, list::files, model};

/// Hashes a model's files anew: against the names of their contents in the cache, the card, and what was written down.
pub(super) fn model(store: &Store, repository: &Repository, outcome: &mut Outcome) {
    let Some((commit, folder)) = store.hub.cached(repository) else {
        let why = format!("it is not in the hub cache {}", store.hub.config().cache.display());
        outcome.lacks.push(Lack { what: repository.to_string(), why, can_be_had: true });
        return;
    };
    let locked = match store.downloads.locked(repository) {
        Ok(locked) => locked.unwrap_or_default(),
        Err(error) => return outcome.fail(&repository.to_string(), &error),
    };
    let card = ModelCard::of(repository.id()).ok().flatten();
    for (name, path) in files(&folder) {
        let what = format!("{}/{name}", repository.id());
        let mut check = || -> Result<(), HubError> {
            let found = sum(&path)?;
            let source = model::source_of(repository, &commit, &name);
            let hold = || -> Result<(), HubError> {
                by_name(&path, &what)?;
                if let Some(card) = &card {
                    card.check(&commit, &name).hold(&found, &what)?;
                }
                if let Some(locked) = locked.files.get(&name).filter(|_| locked.commit == commit) {
                    sure_hub::Check::from(locked.clone()).hold(&found, &what)?;
                }
                Ok(())
            };
            let held = hold();
            let state = if held.is_ok() { State::Verified } else { State::Wrong };
            outcome.rows.push(Row::there(path.clone(), &found, source, state));
            held
        };
        if let Err(error) = check() {
            outcome.fail(&what, &error);
        }
    }
}

/// Holds a file of the cache against the name of its content, where that is a hash.
fn by_name(path: &Path, what: &str) -> Result<(), HubError> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    let (kind, found) = match name.len() {
        64 => ("sha256", sum(path)?.sha256),
        40 => ("git blob sha1", git_id(path)?),
        _ => return Ok(()),
    };
    if found == name {
        return Ok(());
    }
    Err(HubError::Wrong { file: what.to_owned(), what: kind, expected: name, found })
}
