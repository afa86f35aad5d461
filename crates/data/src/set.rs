//! Labelled recordings by split.

use std::path::PathBuf;

use crate::Split;

/// The utterances of one task on one data set, in three splits, each sorted by id.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledSet {
    /// The task's name.
    pub task: String,
    /// The data set's name.
    pub set: String,
    /// The classes, sorted; those of all training rows, whatever the limit.
    pub labels: Vec<String>,
    /// What is learnt from.
    pub train: Vec<Example>,
    /// What the best step is chosen by.
    pub valid: Vec<Example>,
    /// What is reported.
    pub test: Vec<Example>,
    /// How many rows of the manifest have no label or no split for this task.
    pub skipped: usize,
}

/// One labelled utterance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Example {
    /// Its id.
    pub id: String,
    /// The recording.
    pub audio: PathBuf,
    /// Its class, an index into [`LabelledSet::labels`].
    pub label: usize,
    /// Who speaks, where the manifest says so.
    pub speaker: Option<String>,
}

impl LabelledSet {
    /// One split.
    pub fn split(&self, split: Split) -> &[Example] {
        match split {
            Split::Train => &self.train,
            Split::Valid => &self.valid,
            Split::Test => &self.test,
        }
    }

    /// All utterances: train, valid, test.
    pub fn examples(&self) -> impl Iterator<Item = &Example> {
        Split::ALL.into_iter().flat_map(|split| self.split(split))
    }

    /// How many utterances there are in all.
    pub fn len(&self) -> usize {
        self.train.len() + self.valid.len() + self.test.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `task/set`, as tables and `--tasks` name it.
    pub fn name(&self) -> String {
        format!("{}/{}", self.task, self.set)
    }
}
