//! Cards of data sets: where one comes from, what may be done with it, how large it is, and its labels.
//!
//! A card is `datasets/<name>.toml`, compiled in. Its sizes are those of the logs of the SURE paper's code
//! (arXiv 2303.03267), and its label lists are in that code's order. Nobody can count what is not there: a card says
//! `unknown` for a checksum that nobody has computed, and sizes are compared once the data is read.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::manifest::Manifest;
use crate::readers::{Note, Tally, What};
use crate::{DataError, Row, Split};

/// A data set: one line a card.
macro_rules! cards {
    ($($name:literal),* $(,)?) => {
        /// The names of all cards with their text.
        const CARDS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../datasets/", $name, ".toml")))),*];
    };
}

cards! {
    "esd",
    "meld",
    "iemocap",
    "vctk",
    "fleurs",
    "librispeech",
    "speech-commands",
    "fluent-speech-commands",
    "audio-snips",
    "digits",
    "emodb",
    "wake",
    "orders",
}

/// What is known of a data set.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetCard {
    /// The name on the command line, and the set's name once it is read.
    pub name: String,
    /// The name in words.
    pub title: String,
    /// What is in it, in a sentence.
    pub summary: String,
    /// The owner's page.
    pub homepage: String,
    /// The paper that describes it.
    pub paper: Option<String>,
    /// The licence: its SPDX name, or words where it has none.
    pub licence: String,
    /// How to get it, step by step.
    pub access: String,
    /// Where the owner hands it out.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// Where others hand it out.
    #[serde(default)]
    pub mirrors: Vec<Source>,
    /// The tasks that it serves, by name.
    pub tasks: BTreeMap<String, TaskLabels>,
    /// How many recordings there should be; several where versions or protocols differ.
    #[serde(default)]
    pub sizes: Vec<Sizes>,
    /// Checksums of what is downloaded.
    #[serde(default)]
    pub checksums: Vec<Checksum>,
    /// What is known to be wrong with it, or with how it is used.
    #[serde(default)]
    pub defects: Vec<Defect>,
}

/// A place where a data set is handed out.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Source {
    /// A repository of data on the Hugging Face hub.
    Hub {
        /// Its name, `owner/name`.
        repository: String,
        /// The branch, tag or commit; `refs/convert/parquet` is the hub's own conversion.
        revision: String,
        /// What of it is needed, as patterns of paths; a repository without is named for information alone.
        #[serde(default)]
        files: Vec<String>,
        /// What there is to say about it.
        note: Option<String>,
    },
    /// A file that anybody can fetch.
    Url {
        /// Its address.
        url: String,
        /// Which part of the set it is: all sources of a card with a part make a whole together. Sources without one are
        /// each a whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part: Option<String>,
        /// Whether it is left to the user: another version, or something of which a person has to make what the reader
        /// reads.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_hand: bool,
        /// What there is to say about it.
        note: Option<String>,
    },
    /// A git repository.
    Git {
        /// Its address.
        url: String,
        /// The commit.
        commit: String,
    },
    /// Something that a person must do.
    Manual {
        /// Where to begin.
        url: String,
        /// What to do there.
        note: String,
    },
}

impl Source {
    /// Whether a program can fetch it as it is.
    fn is_fetched(&self) -> bool {
        match self {
            Self::Hub { files, .. } => !files.is_empty(),
            Self::Url { by_hand, .. } => !by_hand,
            Self::Git { .. } | Self::Manual { .. } => false,
        }
    }
}

/// The labels of a data set for one task, in the order of the SURE paper's code.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaskLabels {
    /// The parts of an intent that are classified, in order.
    #[serde(default)]
    pub heads: Vec<String>,
    /// The labels; none where they come from the data alone.
    pub labels: Option<Labels>,
}

/// A list of labels, or one for each head.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Labels {
    /// One list.
    One(Vec<String>),
    /// A list for each head.
    Heads(BTreeMap<String, Vec<String>>),
}

/// How many recordings each split has.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// Recordings for training.
    pub train: usize,
    /// Recordings for validation.
    pub valid: usize,
    /// Recordings for test.
    pub test: usize,
    /// Whether somebody has counted them.
    pub exact: bool,
    /// What is counted, where a card has several sizes.
    #[serde(default)]
    pub counted: String,
}

impl Sizes {
    /// The size of a split.
    pub const fn of(&self, split: Split) -> usize {
        match split {
            Split::Train => self.train,
            Split::Valid => self.valid,
            Split::Test => self.test,
        }
    }
}

/// The checksum of a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Checksum {
    /// The file, as the source names it.
    pub file: String,
    /// 64 hexadecimal digits, or `unknown` where nobody has computed it.
    pub sha256: String,
}

impl Checksum {
    /// The digits, where they are known.
    pub fn known(&self) -> Option<&str> {
        (self.sha256 != "unknown").then_some(self.sha256.as_str())
    }
}

/// Something that is wrong with a data set, or with how it is used.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Defect {
    /// The number of this project's decision about it.
    pub decision: Option<String>,
    /// What it is, and what is done about it.
    pub note: String,
}

impl DatasetCard {
    /// The names of all cards.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CARDS.iter().map(|(name, _)| *name)
    }

    /// All cards.
    ///
    /// # Errors
    ///
    /// [`DataError::DatasetCard`] for a card that cannot be read.
    pub fn all() -> Result<Vec<Self>, DataError> {
        CARDS.iter().map(|(name, text)| Self::from_toml(name, text)).collect()
    }

    /// The card of a data set.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownDataset`] lists the names that there are.
    pub fn named(name: &str) -> Result<Self, DataError> {
        let card = CARDS.iter().find(|(known, _)| *known == name);
        let (name, text) = card.ok_or_else(|| DataError::UnknownDataset {
            name: name.to_owned(),
            known: Self::names().collect(),
        })?;
        Self::from_toml(name, text)
    }

    /// Reads a card. `name` is what an error calls it.
    ///
    /// # Errors
    ///
    /// [`DataError::DatasetCard`], whose source names line and column.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, DataError> {
        toml::from_str(text)
            .map_err(|source| DataError::DatasetCard { name: name.to_owned(), source: Box::new(source) })
    }

    /// The ways in which a program can fetch the whole set, in the order in which they are tried: each is a list of sources
    /// that make a whole together. None where a person has to do something.
    pub fn ways(&self) -> Vec<Vec<&Source>> {
        let mut ways: Vec<Vec<&Source>> = Vec::new();
        let mut parts: Option<usize> = None;
        for source in self.sources.iter().chain(&self.mirrors).filter(|source| source.is_fetched()) {
            match (source, parts) {
                (Source::Url { part: Some(_), .. }, Some(place)) => ways[place].push(source),
                (Source::Url { part: Some(_), .. }, None) => {
                    parts = Some(ways.len());
                    ways.push(vec![source]);
                }
                _ => ways.push(vec![source]),
            }
        }
        ways
    }

    /// Where a person begins who has to do something to get the set.
    pub fn page(&self) -> &str {
        let manual = self.sources.iter().find_map(|source| match source {
            Source::Manual { url, .. } => Some(url.as_str()),
            _ => None,
        });
        manual.unwrap_or(&self.homepage)
    }

    /// The splits that are of another size than the card says. A card with several sizes is held against the nearest.
    pub fn check_sizes(&self, manifest: &Manifest) -> Vec<Note> {
        let found = Split::ALL.map(|split| size(manifest, split));
        let distance = |sizes: &&Sizes| -> usize {
            Split::ALL.iter().zip(found).map(|(split, found)| sizes.of(*split).abs_diff(found)).sum()
        };
        let Some(sizes) = self.sizes.iter().min_by_key(distance) else { return Vec::new() };
        let different = Split::ALL.into_iter().zip(found).filter(|(split, found)| sizes.of(*split) != *found);
        let note = |(split, count)| {
            let (expected, counted, exact) = (sizes.of(split), sizes.counted.clone(), sizes.exact);
            Note { what: What::Size { split, expected, counted, exact }, count, examples: Vec::new() }
        };
        different.map(note).collect()
    }

    /// The labels that the card or the data has alone.
    pub fn check_labels(&self, manifest: &Manifest) -> Vec<Note> {
        let mut notes = Vec::new();
        for (task, labels) in &self.tasks {
            match (&labels.labels, label_key(task)) {
                (Some(Labels::One(labels)), Some(key)) => {
                    let of = |row: &Row| row.fields.get(key).and_then(Value::as_str).map(str::to_owned);
                    notes.extend(compare(manifest, task, key, labels, of));
                }
                (Some(Labels::Heads(heads)), _) => {
                    for (head, labels) in heads {
                        notes.extend(compare(manifest, task, &format!("intent.{head}"), labels, |row| {
                            head_of(row, head).map(str::to_owned)
                        }));
                    }
                }
                _ => {}
            }
        }
        notes
    }
}

/// The manifest's key for the label of a task with one label a recording.
fn label_key(task: &str) -> Option<&'static str> {
    match task {
        "ser" => Some("emotion"),
        "sr" => Some("speaker"),
        "ks" => Some("keyword"),
        _ => None,
    }
}

/// A part of an intent: in `intent`, or in `slots` where those are an object.
fn head_of<'a>(row: &'a Row, head: &str) -> Option<&'a str> {
    ["intent", "slots"].iter().find_map(|key| row.fields.get(*key)?.get(head)?.as_str())
}

fn compare(
    manifest: &Manifest,
    task: &str,
    key: &str,
    labels: &[String],
    of: impl Fn(&Row) -> Option<String>,
) -> Vec<Note> {
    let found: BTreeSet<String> = manifest.rows.iter().filter_map(of).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let (task, key) = (task.to_owned(), key.to_owned());
    let unknown: Tally = found.iter().filter(|label| !labels.contains(label)).map(String::as_str).collect();
    let missing: Tally = labels.iter().filter(|label| !found.contains(*label)).map(String::as_str).collect();
    let unknown = unknown.note(What::UnknownLabel { task: task.clone(), key: key.clone() });
    unknown.into_iter().chain(missing.note(What::MissingLabel { task, key })).collect()
}

/// How many rows are in a split, by the key `split`, or by `sid_split` where no row has that.
fn size(manifest: &Manifest, split: Split) -> usize {
    let has = |key: &str| manifest.rows.iter().any(|row| row.fields.contains_key(key));
    let key = if has("split") { "split" } else { "sid_split" };
    let split_of = |row: &Row| row.fields.get(key).and_then(Value::as_str).and_then(Split::parse);
    manifest.rows.iter().filter(|row| split_of(row) == Some(split)).count()
}
