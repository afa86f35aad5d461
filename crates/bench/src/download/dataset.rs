//! A data set: fetched by the first way of its card that works, or explained.

use std::path::Path;

use anyhow::Result;
use sure_data::{DatasetCard, Source};
use sure_hub::{Check, HubError, Kind, Repository};

use super::{
    Bars, Lack, Outcome, Row, State, Store,
    model::source_of,
    pattern::fits,
    whole::{Came, Making, Origin, folder, lock, origin, workshop},
};

/// A file of a way, before it is there.
struct File {
    /// Its path in the set.
    path: String,
    /// How it is fetched.
    at: At,
    check: Check,
}

/// How a file is fetched.
enum At {
    Hub { repository: Repository, commit: String },
    Url(String),
}

/// Fetches a data set.
pub(super) fn fetch(store: &Store, card: &DatasetCard, bars: &Bars, outcome: &mut Outcome) {
    if folder(&card.name).is_dir() {
        return outcome.rows.extend(present(card));
    }
    let ways = card.ways();
    if ways.is_empty() {
        return outcome.lacks.push(by_hand(card));
    }
    let _lock = match lock(card, bars) {
        Ok(lock) => lock,
        Err(error) => return outcome.fail(&card.name, &error),
    };
    // Somebody may have made it while the lock was theirs.
    if folder(&card.name).is_dir() {
        return outcome.rows.extend(present(card));
    }
    let mut failures = Vec::new();
    for way in ways {
        match from_way(store, card, &way, bars) {
            Ok(rows) => return outcome.rows.extend(rows),
            Err(error) => match error.downcast::<HubError>() {
                Ok(error @ (HubError::Stopped | HubError::Changed { .. })) => {
                    return outcome.fail(&card.name, &error);
                }
                Ok(error) => failures.push((error.chain(), error.is_missing())),
                Err(error) => failures.push((format!("{error:#}"), false)),
            },
        }
    }
    // Where one way failed for want of a network, another one may still be had.
    let can_be_had = failures.iter().any(|(_, missing)| *missing);
    let lines: Vec<String> = failures.into_iter().map(|(text, _)| text).collect();
    let why = format!("no source gives it:\n  {}\n{}", lines.join("\n  "), bring(card));
    outcome.lacks.push(Lack { what: card.name.clone(), why, can_be_had });
}

/// What a person has to do.
pub(super) fn by_hand(card: &DatasetCard) -> Lack {
    let why = format!("{}; {}\n{}\n{}", card.licence, card.page(), card.access.trim(), bring(card));
    Lack { what: card.name.clone(), why, can_be_had: true }
}

fn bring(card: &DatasetCard) -> String {
    format!("what you have is taken up by `cargo xtask download --dataset {} --from DIR|ARCHIVE`", card.name)
}

fn from_way(store: &Store, card: &DatasetCard, way: &[&Source], bars: &Bars) -> Result<Vec<Row>> {
    let mut files = Vec::new();
    let mut repositories = Vec::new();
    for source in way {
        files.extend(list(store, card, source, &mut repositories, bars)?);
    }
    let home = workshop(&card.name);
    let lacking = files.iter().filter(|file| !file.is_there(store, &home));
    let all: u64 = lacking.filter_map(|file| file.check.bytes).sum();
    std::fs::create_dir_all(&home)?;
    sure_hub::check_space(&home, &card.name, all)?;
    let mut fetched = Vec::new();
    for file in &files {
        fetched.push(file.fetch(store, &home, bars)?);
    }
    for (repository, commit) in &repositories {
        store.hub.point(repository, commit)?;
    }
    let mut making = Making::begin(card, bars)?;
    for (file, (place, came)) in files.iter().zip(fetched) {
        making.add(&place, &file.path, came)?;
    }
    Ok(rows(&making.finish()?, State::Fetched))
}

/// The files of a source.
fn list(
    store: &Store,
    card: &DatasetCard,
    source: &Source,
    repositories: &mut Vec<(Repository, String)>,
    bars: &Bars,
) -> Result<Vec<File>, HubError> {
    match source {
        Source::Hub { repository, revision, files: patterns, .. } => {
            let repository = Repository::new(Kind::Dataset, repository, revision)?;
            let listing = store.hub.list(&repository, bars)?;
            store.downloads.hold_commit(&repository, &listing.commit)?;
            let wanted = |path: &str| patterns.iter().any(|pattern| fits(pattern, path));
            for pattern in patterns {
                if !listing.files.iter().any(|entry| fits(pattern, &entry.path)) {
                    return Err(HubError::NoFile {
                        repository: repository.to_string(),
                        revision: repository.revision().to_owned(),
                        file: pattern.clone(),
                    });
                }
            }
            let at = |commit: &str| At::Hub { repository: repository.clone(), commit: commit.to_owned() };
            let mut files = Vec::new();
            for entry in listing.files.into_iter().filter(|entry| wanted(&entry.path)) {
                let check = known(card, &entry.path).and(&entry.check, &entry.path)?;
                files.push(File { path: entry.path, at: at(&listing.commit), check });
            }
            repositories.push((repository, listing.commit));
            Ok(files)
        }
        Source::Url { url, .. } => {
            let name = url.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
            Ok(vec![File { path: name.to_owned(), at: At::Url(url.clone()), check: known(card, name) }])
        }
        Source::Git { .. } | Source::Manual { .. } => Ok(Vec::new()),
    }
}

/// What the card knows of a file.
fn known(card: &DatasetCard, file: &str) -> Check {
    let sum = card.checksums.iter().find(|sum| sum.file == file);
    Check { bytes: None, sha256: sum.and_then(|sum| sum.known()).map(str::to_owned) }
}

impl File {
    /// Whether it came already, in an earlier call.
    fn is_there(&self, store: &Store, home: &Path) -> bool {
        match &self.at {
            At::Hub { repository, commit } => {
                let pinned = repository.at(commit).ok();
                pinned
                    .is_some_and(|at| store.hub.cached_file(&at, &self.path).is_ok_and(|file| file.is_some()))
            }
            At::Url(_) => home.join(&self.path).is_file(),
        }
    }

    fn fetch(&self, store: &Store, home: &Path, bars: &Bars) -> Result<(std::path::PathBuf, Came), HubError> {
        let (place, sum, source) = match &self.at {
            At::Hub { repository, commit } => {
                let fetched = store.hub.file(repository, commit, &self.path, &self.check, bars)?;
                store.downloads.hold(repository, commit, &self.path, &fetched.sum)?;
                (fetched.path, fetched.sum, source_of(repository, commit, &self.path))
            }
            At::Url(url) => {
                let place = home.join(&self.path);
                let source = sure_hub::Source::Url { url: url.clone() };
                let got = store.hub.obtain(&[source], &self.check, &place, &store.downloads, bars)?;
                (place, got.sum, url.clone())
            }
        };
        let came = Came { source, file: self.path.clone(), bytes: Some(sum.bytes), sha256: Some(sum.sha256) };
        Ok((place, came))
    }
}

/// The rows of a data set that is there.
pub(super) fn present(card: &DatasetCard) -> Vec<Row> {
    match origin(&card.name) {
        Some(origin) => rows(&origin, State::Present),
        None => vec![Row {
            path: folder(&card.name),
            bytes: None,
            sha256: None,
            source: "unknown".to_owned(),
            state: State::Present,
        }],
    }
}

pub(super) fn rows(origin: &Origin, state: State) -> Vec<Row> {
    let place = folder(&origin.name);
    let row = |came: &Came| {
        let whole = place.join(&came.file);
        Row {
            // An archive is in its unpacked form.
            path: if whole.is_file() { whole } else { place.clone() },
            bytes: came.bytes,
            sha256: came.sha256.clone(),
            source: came.source.clone(),
            state,
        }
    };
    origin.sources.iter().map(row).collect()
}

/// Asks what would be fetched: the files of the first way that answers.
pub(super) fn plan(store: &Store, card: &DatasetCard, bars: &Bars, outcome: &mut Outcome) {
    if folder(&card.name).is_dir() {
        return outcome.rows.extend(present(card));
    }
    let mut last = None;
    for way in card.ways() {
        let files: Result<Vec<Vec<File>>, HubError> =
            way.iter().map(|source| list(store, card, source, &mut Vec::new(), bars)).collect();
        match files {
            Ok(files) => {
                let row = |file: File| Row {
                    path: folder(&card.name).join(&file.path),
                    bytes: file.check.bytes,
                    sha256: file.check.sha256.clone(),
                    source: match &file.at {
                        At::Hub { repository, commit } => source_of(repository, commit, &file.path),
                        At::Url(url) => url.clone(),
                    },
                    state: State::Wanted,
                };
                return outcome.rows.extend(files.into_iter().flatten().map(row));
            }
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) => outcome.fail(&card.name, &error),
        None => outcome.lacks.push(by_hand(card)),
    }
}

/// What there is of a data set, without asking anybody.
pub(super) fn known_rows(card: &DatasetCard) -> Vec<Row> {
    if folder(&card.name).is_dir() {
        return present(card);
    }
    let by_hand = card.ways().is_empty();
    let source = if by_hand { format!("by hand: {}", card.page()) } else { name_of(card.ways()[0][0]) };
    let state = if by_hand { State::Missing } else { State::Wanted };
    vec![Row { path: folder(&card.name), bytes: None, sha256: None, source, state }]
}

fn name_of(source: &Source) -> String {
    match source {
        Source::Hub { repository, revision, .. } => format!("hub:datasets/{repository}@{revision}"),
        Source::Url { url, .. } | Source::Git { url, .. } | Source::Manual { url, .. } => url.clone(),
    }
}

/// Hashes a data set's folder anew.
pub(super) fn verify(card: &DatasetCard, outcome: &mut Outcome) {
    let place = folder(&card.name);
    let Some(origin) = origin(&card.name) else {
        let why = format!("{} is not there, or was not made by this program", place.display());
        return outcome.lacks.push(Lack { what: card.name.clone(), why, can_be_had: true });
    };
    let held = super::whole::tree(&place);
    match held {
        Ok(found) if found == origin.tree => outcome.rows.extend(rows(&origin, State::Verified)),
        Ok(found) => {
            outcome.rows.extend(rows(&origin, State::Wrong));
            let (was, is) = (&origin.tree, &found);
            let why = format!(
                "{} is not what it was: {} files, {} bytes, sha256 {} when it came, now {} files, {} bytes, sha256 {}; \
                 remove it and download it again",
                place.display(),
                was.files,
                was.bytes,
                was.sha256,
                is.files,
                is.bytes,
                is.sha256
            );
            outcome.lacks.push(Lack { what: card.name.clone(), why, can_be_had: false });
        }
        Err(error) => {
            outcome.lacks.push(Lack {
                what: card.name.clone(),
                why: format!("{error:#}"),
                can_be_had: false,
            });
        }
    }
}
