//! What can be wrong with data.

use std::io;
use std::path::PathBuf;

use sure_audio::AudioError;
use sure_text::TextError;
use thiserror::Error;

use crate::{Note, Refusal, Split};

/// What can be wrong with data.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file system refused.
    #[error("{action} {}", path.display())]
    Io {
        /// What was being done, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A folder holds no data set.
    #[error(
        "no manifest in {}: looked for manifest.jsonl and manifest.csv",
        path.display()
    )]
    NoManifest {
        /// The folder.
        path: PathBuf,
    },
    /// A file that is not called like a manifest.
    #[error("{} is no manifest: its name must end in .jsonl or .csv", path.display())]
    NotAManifest {
        /// The file.
        path: PathBuf,
    },
    /// A manifest without rows.
    #[error("{} has no rows", path.display())]
    EmptyManifest {
        /// The file.
        path: PathBuf,
    },
    /// A line that cannot be read at all.
    #[error("{}, line {line}: {reason}", path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A row without a key that every row needs.
    #[error("{}, line {line}: the key `{key}` is missing", path.display())]
    MissingKey {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
    },
    /// A value of the wrong kind.
    #[error("{}, line {line}: `{key}` must be {expected}, not {found}", path.display())]
    BadValue {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// What it may be.
        expected: &'static str,
        /// What it is, as JSON.
        found: String,
    },
    /// A row whose stretch is not in its pack.
    #[error(
        "{}, line {line}: {samples} samples from {start} on are not in {}, which has {length}",
        path.display(), pack.display()
    )]
    OutsidePack {
        /// The manifest.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The pack.
        pack: PathBuf,
        /// The first sample, from 0.
        start: u64,
        /// How many samples.
        samples: u64,
        /// How many the pack has.
        length: usize,
    },
    /// Packed recordings without a folder for what is unpacked.
    #[error(
        "{} has packed recordings (`start` and `samples`), and no folder is named to unpack them into \
         (`ReadOptions::unpack_into`)",
        path.display()
    )]
    NowhereToUnpack {
        /// The manifest.
        path: PathBuf,
    },
    /// Two rows of one id.
    #[error("{}, line {line}: the id `{id}` is taken by line {first} already; give one of them an `id` of its own", path.display())]
    DuplicateId {
        /// The file.
        path: PathBuf,
        /// The second row's line, from 1.
        line: usize,
        /// The first row's line.
        first: usize,
        /// The id.
        id: String,
    },
    /// A split that is not known.
    #[error("{}, line {line}: `{key}` is `{value}`; a split is {}", path.display(), Split::SPELLINGS)]
    UnknownSplit {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key that names splits.
        key: String,
        /// Its value.
        value: String,
    },
    /// Rows of a class that cannot be learnt.
    #[error(
        "set `{set}`, task `{task}`: {count} {split} rows have labels that no training row has: {}{}",
        examples.join(", "), if *count > examples.len() { ", ..." } else { "" }
    )]
    UnknownLabel {
        /// The data set.
        set: String,
        /// The task.
        task: String,
        /// The split of the rows.
        split: Split,
        /// How many rows.
        count: usize,
        /// At most three of them, as `id (label)`.
        examples: Vec<String>,
    },
    /// A list of labels that does not fit the training rows.
    #[error(
        "set `{set}`, task `{task}`: the listed labels {}",
        label.as_ref().map_or("name one twice".to_owned(), |label| format!("lack `{label}`, which training rows have"))
    )]
    LabelOrder {
        /// The task.
        task: String,
        /// The data set.
        set: String,
        /// The label that is not listed; `None` where one is listed twice.
        label: Option<String>,
    },
    /// A limit of length that leaves nothing of a split.
    #[error(
        "set `{set}`, task `{task}`: all {count} {split} recordings are longer than {seconds} s and left out, so that \
         nothing is left of the split"
    )]
    NothingLeft {
        /// The data set.
        set: String,
        /// The task.
        task: String,
        /// The split.
        split: Split,
        /// How many recordings it had.
        count: usize,
        /// The limit.
        seconds: f64,
    },
    /// A head that no row speaks of.
    #[error("set `{set}` has nothing called `{head}` for the task `{task}`; there are: {}", known.join(", "))]
    NoSuchHead {
        /// The data set.
        set: String,
        /// The task.
        task: String,
        /// The head.
        head: String,
        /// What rows speak of.
        known: Vec<String>,
    },
    /// Texts of which no alphabet can be made.
    #[error("make the alphabet of set `{set}`, task `{task}`")]
    Alphabet {
        /// The data set.
        set: String,
        /// The task.
        task: String,
        /// Why not.
        #[source]
        source: Box<TextError>,
    },
    /// Texts of which a large part cannot be learnt.
    #[error(
        "set `{set}`, task `{task}`: {unknown} of {total} {split} tokens occur in no training text, as in {}; \
         more than one in a hundred cannot be scored honestly",
        examples.join(", ")
    )]
    UnknownTokens {
        /// The data set.
        set: String,
        /// The task.
        task: String,
        /// The split of the texts.
        split: Split,
        /// How many tokens are unknown.
        unknown: usize,
        /// How many there are.
        total: usize,
        /// At most three texts, as `id (text)`.
        examples: Vec<String>,
    },
    /// The set does not have the task.
    #[error("{0}")]
    Refused(Refusal),
    /// A limit that leaves nothing.
    #[error("a limit of 0 utterances leaves nothing to learn from; 1 is the least")]
    ZeroLimit,
    /// A task card that cannot be read.
    #[error("read the task card `{name}`")]
    Card {
        /// The card's file or name.
        name: String,
        /// What the parser said, with line and column.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A recording that cannot be decoded.
    #[error("decode utterance `{id}`")]
    Audio {
        /// The utterance.
        id: String,
        /// Why, with the file's name.
        #[source]
        source: AudioError,
    },
    /// A folder that no reader knows.
    #[error(
        "{} holds no data set that is known. Looked for manifest.jsonl and manifest.csv, then for{}",
        path.display(), indented(looked_for)
    )]
    UnknownLayout {
        /// The folder.
        path: PathBuf,
        /// What each reader looks for, as `name: layout`.
        looked_for: Vec<String>,
    },
    /// A folder of data sets where one set is wanted.
    #[error("{} is no data set itself; its folders hold some: {}. Name one of them", path.display(), named(sets))]
    FolderOfSets {
        /// The folder.
        path: PathBuf,
        /// The folders or manifests of the sets.
        sets: Vec<PathBuf>,
    },
    /// A data set in which nothing was found.
    #[error(
        "no recording of `{set}` in {}{}", path.display(), indented(notes)
    )]
    NoRecordings {
        /// The data set.
        set: &'static str,
        /// The folder.
        path: PathBuf,
        /// What there is to say about it.
        notes: Vec<String>,
    },
    /// A part of a data set that is not there and cannot be done without.
    #[error("`{set}` lacks {}: {advice}", path.display())]
    MissingPart {
        /// The data set.
        set: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What to do.
        advice: &'static str,
    },
    /// A data set of which more is missing than may be.
    #[error(
        "{}: {note}. That is more than {limit_percent:.1} %: complete the copy",
        path.display()
    )]
    TooManySkipped {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        note: Box<Note>,
        /// How much may be missing, in percent.
        limit_percent: f64,
    },
    /// Two recordings of one id.
    #[error(
        "two recordings are called `{id}`: {} and {}; remove one of them", first.display(), second.display()
    )]
    DuplicateRecording {
        /// The id.
        id: String,
        /// The one that was found first.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
    },
    /// Two rows of parquet files with one id.
    #[error(
        "two recordings are called `{id}`: row {first_row} of {} and row {second_row} of {}; fetch only one of these \
         files, or fetch them again",
        first.display(), second.display()
    )]
    DuplicateRow {
        /// The id.
        id: String,
        /// The file of the one that was found first.
        first: PathBuf,
        /// Its row, from 1.
        first_row: usize,
        /// The file of the other one.
        second: PathBuf,
        /// Its row.
        second_row: usize,
    },
    /// A table without a column that is needed.
    #[error("{} has no column `{column}`; it has {}", path.display(), found.join(", "))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The columns that are there.
        found: Vec<String>,
    },
    /// A parquet file that cannot be read.
    #[error("{} is no whole parquet file; fetch it again", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A data set's card that cannot be read.
    #[error("read the card of the data set `{name}`")]
    DatasetCard {
        /// The data set.
        name: String,
        /// What the parser said, with line and column.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A data set without a card.
    #[error("no card of a data set is called `{name}`; there are {}", known.join(", "))]
    UnknownDataset {
        /// The name.
        name: String,
        /// The names that are known.
        known: Vec<&'static str>,
    },
    /// Facts that do not belong to the set.
    #[error("{facts} audio facts for {utterances} utterances")]
    FactsMismatch {
        /// How many facts.
        facts: usize,
        /// How many utterances.
        utterances: usize,
    },
}

/// Paths in a sentence.
fn named(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Lines below a message.
fn indented(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |text, line| text + "\n  " + line)
}

impl DataError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
