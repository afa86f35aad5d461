//! `download`: backbones and data sets from the hub, its mirrors and their owners.
//!
//! Whatever can be had is fetched first; what is missing is a licence to agree to or a network, and is listed with the
//! way to it.

mod bars;
mod dataset;
mod import;
mod list;
mod model;
mod pattern;
mod verify;
mod want;
mod whole;

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use sure_hub::{Downloads, Hub, HubError, Sum};

use crate::{cli::Ended, environment};

pub use bars::Bars;
pub use import::import;
pub use list::{Summary, summary};
pub use want::{Want, wants};

/// What is to be done with what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Fetch what is not there.
    Fetch,
    /// Ask what would be fetched.
    DryRun,
    /// Say what is there; nothing is asked.
    List,
    /// Hash what is there anew.
    Verify,
}

/// How a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It came now.
    Fetched,
    /// It was there.
    Present,
    /// It was there, and is what it was when it came.
    Verified,
    /// It would be fetched.
    Wanted,
    /// It is not there, and cannot be had without the user.
    Missing,
    /// It is there, and is not what it should be.
    Wrong,
}

impl State {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fetched => "fetched",
            Self::Present => "present",
            Self::Verified => "verified",
            Self::Wanted => "wanted",
            Self::Missing => "missing",
            Self::Wrong => "wrong",
        }
    }
}

/// A file, as `--json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Where it is or will be.
    pub path: PathBuf,
    /// Its length, where it is known.
    pub bytes: Option<u64>,
    /// Its sha256, where it is known.
    pub sha256: Option<String>,
    /// Where it came or comes from.
    pub source: String,
    /// How it stands.
    pub state: State,
}

impl Row {
    fn there(path: PathBuf, sum: &Sum, source: String, state: State) -> Self {
        Self { path, bytes: Some(sum.bytes), sha256: Some(sum.sha256.clone()), source, state }
    }
}

/// What could not be had.
#[derive(Debug)]
pub struct Lack {
    /// What was wanted.
    pub what: String,
    /// Why it is not there, and the way to it.
    pub why: String,
    /// Whether the user can get it: a licence, a token, a network. All else is a fault.
    pub can_be_had: bool,
}

/// What came of all that was wanted.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The files.
    pub rows: Vec<Row>,
    /// What could not be had.
    pub lacks: Vec<Lack>,
    /// Whether somebody asked to stop.
    pub interrupted: bool,
}

impl Outcome {
    /// How it ended.
    pub fn ended(&self) -> Ended {
        if self.interrupted {
            Ended::Interrupted
        } else if self.lacks.iter().any(|lack| !lack.can_be_had) {
            Ended::Failed
        } else if self.lacks.is_empty() {
            Ended::Done
        } else {
            Ended::Missing
        }
    }

    /// Takes a failure up; the rest goes on unless somebody asked to stop.
    fn fail(&mut self, what: &str, error: &HubError) {
        if matches!(error, HubError::Stopped) {
            self.interrupted = true;
            return;
        }
        self.lacks.push(Lack { what: what.to_owned(), why: error.chain(), can_be_had: error.is_missing() });
    }
}

/// The hub with what was downloaded from it before.
pub struct Store {
    /// The hub.
    pub hub: Hub,
    /// What was found the first time.
    pub downloads: Downloads,
}

impl Store {
    /// The hub that the environment names.
    ///
    /// # Errors
    /// When a setting cannot be one.
    pub fn open(update: bool) -> Result<Self> {
        let list = environment::sure_home().join("downloads.lock.json");
        Ok(Self { hub: Hub::new(environment::hub()?)?, downloads: Downloads::new(list, update) })
    }
}

/// Does with all that is wanted what `mode` says.
pub fn run(store: &Store, wants: &[Want], mode: Mode) -> Outcome {
    let bars = Bars::new();
    let mut outcome = Outcome::default();
    for want in wants {
        if outcome.interrupted || environment::interrupted() {
            outcome.interrupted = true;
            break;
        }
        match (want, mode) {
            (Want::Model(repository), Mode::Fetch) => model::fetch(store, repository, &bars, &mut outcome),
            (Want::Model(repository), Mode::DryRun) => model::plan(store, repository, &bars, &mut outcome),
            (Want::Model(repository), Mode::List) => list::model(store, repository, &mut outcome),
            (Want::Model(repository), Mode::Verify) => verify::model(store, repository, &mut outcome),
            (Want::Dataset(card), Mode::Fetch) => dataset::fetch(store, card, &bars, &mut outcome),
            (Want::Dataset(card), Mode::DryRun) => dataset::plan(store, card, &bars, &mut outcome),
            (Want::Dataset(card), Mode::List) => outcome.rows.extend(dataset::known_rows(card)),
            (Want::Dataset(card), Mode::Verify) => dataset::verify(card, &mut outcome),
        }
    }
    outcome
}
