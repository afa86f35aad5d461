//! Whether what is there is what it was when it came.

use sure_hub::{Check, HubError, ModelCard, ModelSource, Repository, hold_name, sum};

use super::{Lack, Outcome, Row, State, Store, list::files, model};

/// Hashes a model's files anew: against the names of their contents in the cache, the card, and what was written down.
pub(super) fn model(store: &Store, repository: &Repository, outcome: &mut Outcome) {
    let card = ModelCard::of(repository.id()).ok().flatten();
    let Some((commit, folder)) = store.hub.cached(repository) else {
        if let Some(card) = card.filter(|card| model::folder(card).is_dir()) {
            return elsewhere(store, &card, outcome);
        }
        let why = format!("it is not in the hub cache {}", store.hub.config().cache.display());
        outcome.lacks.push(Lack { what: repository.to_string(), why, can_be_had: true });
        return;
    };
    let locked = match store.downloads.locked(repository) {
        Ok(locked) => locked.unwrap_or_default(),
        Err(error) => return outcome.fail(&repository.to_string(), &error),
    };
    let there = files(&folder);
    for name in locked.files.keys().filter(|_| locked.commit == commit) {
        if !there.iter().any(|(found, _)| found == name) {
            let (owner, revision) = (repository.to_string(), commit.clone());
            let lacks = HubError::NoFile { repository: owner, revision, file: name.clone() };
            outcome.fail(&format!("{}/{name}", repository.id()), &lacks);
        }
    }
    for (name, path) in there {
        let what = format!("{}/{name}", repository.id());
        let mut check = || -> Result<(), HubError> {
            let found = sum(&path)?;
            let source = model::source_of(repository, &commit, &name);
            let hold = || -> Result<(), HubError> {
                hold_name(&path, &found, &what)?;
                if let Some(card) = &card {
                    card.check(&commit, &name).hold(&found, &what)?;
                }
                if let Some(locked) = locked.files.get(&name).filter(|_| locked.commit == commit) {
                    Check::from(locked.clone()).hold(&found, &what)?;
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

/// Hashes the files of a model anew that came from another source of its card.
fn elsewhere(store: &Store, card: &ModelCard, outcome: &mut Outcome) {
    let sources: Vec<_> = card.sources.iter().flat_map(ModelSource::files).collect();
    for (name, path) in files(&model::folder(card)) {
        let what = format!("{}/{name}", card.id);
        // It came from one of them, and only that one is written down.
        let locked = sources.iter().filter(|(file, _)| *file == name).find_map(|(_, source)| {
            let source = source.to_string();
            Some((store.downloads.locked_file(&source).ok().flatten()?, source))
        });
        let found = match sum(&path) {
            Ok(found) => found,
            Err(error) => {
                outcome.fail(&what, &error);
                continue;
            }
        };
        let held = card.check_elsewhere(&name).hold(&found, &what).and_then(|()| match &locked {
            Some((sum, _)) => Check::from(sum.clone()).hold(&found, &what),
            None => Ok(()),
        });
        let state = if held.is_ok() { State::Verified } else { State::Wrong };
        let source = locked.map_or_else(|| "unknown".to_owned(), |(_, source)| source);
        outcome.rows.push(Row::there(path, &found, source, state));
        if let Err(error) = held {
            outcome.fail(&what, &error);
        }
    }
}
