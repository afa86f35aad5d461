//! Readers of published data sets: from the layout in which an owner hands a set out to a [`Manifest`].
//!
//! One file and one line of [`READERS`] a data set. Nothing is left out in silence: what a reader skips stands in the
//! [`Note`]s, and more than [`ReadOptions::max_skipped_share`] of a list is an error. The protocols are those of the
//! SURE paper (arXiv 2303.03267) and of SUPERB (arXiv 2105.01051), as their code has them.

mod collect;
mod esd;
mod files;
pub(crate) mod find;
mod fleurs;
mod fluent;
mod hub;
mod iemocap;
mod librispeech;
mod meld;
mod note;
mod snips;
mod speech_commands;
mod unpack;
mod vctk;

use std::path::{Path, PathBuf};

pub(crate) use note::Tally;
pub use note::{Note, What};

use serde::{Deserialize, Serialize};

use crate::{DataError, Manifest};

/// All readers, in the order in which they are tried.
pub const READERS: &[&dyn Reader] = &[
    &esd::Esd,
    &meld::Meld,
    &iemocap::Iemocap,
    &vctk::Vctk,
    &fleurs::Fleurs,
    &librispeech::LibriSpeech,
    &speech_commands::SpeechCommands,
    &fluent::Fluent,
    &snips::Snips,
];

/// Turns an owner's layout on disk into a manifest.
pub trait Reader: Sync {
    /// The data set's name: that of its card.
    fn name(&self) -> &'static str;

    /// What it looks for, in words.
    fn layout(&self) -> &'static str;

    /// Whether the folder looks like this data set: a look at names, not at content.
    fn detect(&self, root: &Path) -> bool;

    /// The columns by which its parquet files on the hub are known; none where it reads no such files.
    fn columns(&self) -> &'static [&'static str] {
        &[]
    }

    /// Reads the data set in the folder.
    ///
    /// # Errors
    ///
    /// Names the file, and what to do.
    fn read(&self, root: &Path, options: &ReadOptions) -> Result<Reading, DataError>;
}

/// Whose choices are followed where a data set leaves some.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// This project's: the SURE paper's tasks with its defects mended.
    #[default]
    Sure,
    /// What the SURE paper's code does, where that can be said of a list of recordings.
    Reference,
    /// What SUPERB does, where a data set is one of its own: Speech Commands and Audio SNIPS.
    Superb,
}

impl Protocol {
    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sure => "sure",
            Self::Reference => "reference",
            Self::Superb => "superb",
        }
    }
}

/// How a data set is read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadOptions {
    /// Whose choices are followed.
    pub protocol: Protocol,
    /// How much of one list or folder may be skipped, from 0 to 1.
    pub max_skipped_share: f64,
    /// The folder for what is unpacked: from parquet files, without one beside the data set; and from the packs of a
    /// manifest, which cannot be read without one.
    pub unpack_into: Option<PathBuf>,
}

impl ReadOptions {
    /// The options for a protocol. A tenth of a list may be skipped: MELD as published lacks 5 % in its test folder.
    pub fn new(protocol: Protocol) -> Self {
        Self { protocol, max_skipped_share: 0.1, unpack_into: None }
    }
}

/// A data set that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Its recordings, with their labels.
    pub manifest: Manifest,
    /// What there is to say about it.
    pub notes: Vec<Note>,
}

/// The reader of a data set, by its card's name.
pub fn reader(name: &str) -> Option<&'static dyn Reader> {
    READERS.iter().find(|reader| reader.name() == name).copied()
}

/// Reads the data set in a folder: its manifest if it has one, else what the first reader finds that knows the layout.
/// A folder with one folder in it stands for that one, whatever files are beside it.
///
/// # Errors
///
/// [`DataError::FolderOfSets`] names the sets of a folder that is none itself; [`DataError::UnknownLayout`] lists what was
/// looked for.
pub fn read_dataset(root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
    if let Some(place) = find::alone(root)? {
        return place.read(options);
    }
    let sets: Vec<PathBuf> = find::all(root)?.places.into_iter().map(|place| place.path).collect();
    if !sets.is_empty() {
        return Err(DataError::FolderOfSets { path: root.to_owned(), sets });
    }
    let looked_for = READERS.iter().map(|reader| format!("{}: {}", reader.name(), reader.layout())).collect();
    Err(DataError::UnknownLayout { path: root.to_owned(), looked_for })
}
