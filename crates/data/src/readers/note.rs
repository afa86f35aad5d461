//! What a reader has to say about a data set, in words and numbers.

use std::fmt;

use crate::Split;

/// Something that a user of the data set should know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// What it is about.
    pub what: What,
    /// How many it concerns.
    pub count: usize,
    /// At most three of them.
    pub examples: Vec<String>,
}

/// What a note is about. `of` is how many there are in all.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// Recordings that the list does not name; they are skipped.
    NoRow {
        /// The folder.
        folder: String,
        /// The list.
        list: String,
        /// The recordings in the folder.
        of: usize,
    },
    /// Rows whose recording is not there; they are skipped.
    NoRecording {
        /// The list.
        list: String,
        /// Its rows.
        of: usize,
    },
    /// Rows or files that cannot be used; they are skipped.
    Unusable {
        /// The list or folder.
        place: String,
        /// What is wrong with them.
        reason: String,
        /// The rows or files in all.
        of: usize,
    },
    /// Recordings without a transcript; they stay, for the tasks that need none.
    NoText {
        /// The recordings in all.
        of: usize,
    },
    /// Text files that are not UTF-8.
    Encoding {
        /// What they were read as.
        encoding: &'static str,
    },
    /// Parts of the data set that no task reads.
    OtherPart,
    /// Folders beside the data sets in which none was found.
    PassedOver,
    /// Recordings that the protocol leaves out.
    LeftOut {
        /// Which they are.
        reason: String,
    },
    /// Words that are not taken as they stand.
    Reworded {
        /// What was changed.
        reason: String,
    },
    /// Which version of the data set this is.
    Version {
        /// Its name.
        version: String,
    },
    /// Which rules were followed, where there is a choice.
    Rule {
        /// The rule.
        rule: String,
    },
    /// A split that nothing is in.
    EmptySplit {
        /// The split.
        split: Split,
        /// Where its recordings were looked for.
        looked_for: String,
    },
    /// A split of another size than published.
    Size {
        /// The split.
        split: Split,
        /// How many the card has.
        expected: usize,
        /// What the card's number counts.
        counted: String,
        /// Whether the card's number is one that was counted.
        exact: bool,
    },
    /// Recordings with a label that the card does not have.
    UnknownLabel {
        /// The task.
        task: String,
        /// The manifest's key, with the head behind a dot where there are several.
        key: String,
    },
    /// Classes of training that no test row has; nothing is said of how they are recognised.
    Untested {
        /// The manifest's key.
        key: String,
    },
    /// Labels of the card that no recording has.
    MissingLabel {
        /// The task.
        task: String,
        /// The manifest's key, with the head behind a dot where there are several.
        key: String,
    },
}

impl What {
    /// How many there are in all, where the note counts what was skipped.
    pub(crate) fn skipped_of(&self) -> Option<usize> {
        match self {
            Self::NoRow { of, .. } | Self::NoRecording { of, .. } | Self::Unusable { of, .. } => Some(*of),
            _ => None,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.count;
        match &self.what {
            What::NoRow { folder, list, of } => {
                write!(
                    formatter,
                    "{count} of {of} recordings in {folder} have no row in {list} and are skipped"
                )
            }
            What::NoRecording { list, of } => {
                write!(formatter, "{count} of {of} rows of {list} have no recording and are skipped")
            }
            What::Unusable { place, reason, of } => {
                write!(formatter, "{count} of {of} in {place} are skipped: {reason}")
            }
            What::NoText { of } => {
                write!(
                    formatter,
                    "{count} of {of} recordings have no transcript; tasks with text leave them out"
                )
            }
            What::Encoding { encoding } => write!(formatter, "{count} text files were read as {encoding}"),
            What::PassedOver => {
                write!(formatter, "{count} folders hold no data set that is known and are passed over")
            }
            What::OtherPart => write!(formatter, "{count} parts are not read"),
            What::LeftOut { reason } => write!(formatter, "{count} left out: {reason}"),
            What::Reworded { reason } => write!(formatter, "{count} words are changed: {reason}"),
            What::Version { version } => write!(formatter, "this is version {version}"),
            What::Rule { rule } => formatter.write_str(rule),
            What::EmptySplit { split, looked_for } => {
                write!(formatter, "{split} has no recordings: looked for {looked_for}")
            }
            What::Size { split, expected, counted, exact } => {
                let about = if *exact { "" } else { "about " };
                write!(formatter, "{split} has {count} of {about}{expected} recordings")?;
                if counted.is_empty() { Ok(()) } else { write!(formatter, " ({counted})") }
            }
            What::UnknownLabel { task, key } => {
                write!(formatter, "{count} labels of `{key}` are not in the card's list for {task}")
            }
            What::Untested { key } => {
                write!(formatter, "{count} classes of `{key}` are trained and occur in no test row")
            }
            What::MissingLabel { task, key } => {
                write!(formatter, "{count} labels of the card's list for {task} are in no row (`{key}`)")
            }
        }?;
        if self.examples.is_empty() {
            return Ok(());
        }
        let more = if self.count > self.examples.len() { ", ..." } else { "" };
        write!(formatter, ": {}{more}", self.examples.join(", "))
    }
}

/// Counts things and remembers the first three.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    count: usize,
    examples: Vec<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, example: impl Into<String>) {
        self.count += 1;
        if self.examples.len() < 3 {
            self.examples.push(example.into());
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The note about them; none where nothing was counted.
    pub(crate) fn note(self, what: What) -> Option<Note> {
        (self.count > 0).then_some(Note { what, count: self.count, examples: self.examples })
    }
}

impl<T: Into<String>> FromIterator<T> for Tally {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut tally = Self::default();
        items.into_iter().for_each(|item| tally.add(item));
        tally
    }
}
