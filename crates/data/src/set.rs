//! Labelled recordings by split.

use std::path::PathBuf;

use crate::{AudioFacts, DataError, Labels, Split, Target, Written};

/// The utterances of one task on one data set, in three splits, each sorted by id.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledSet {
    /// The task's name.
    pub task: String,
    /// The data set's name.
    pub set: String,
    /// What there is to choose from: of all training rows, whatever the limit.
    pub labels: Labels,
    /// What is learnt from.
    pub train: Vec<Example>,
    /// What the best step is chosen by.
    pub valid: Vec<Example>,
    /// What is reported.
    pub test: Vec<Example>,
    /// How many rows of the manifest have no label or no split for this task.
    pub skipped: usize,
    /// What a reader of the results should know of the labels, in words.
    pub notes: Vec<String>,
}

/// One labelled utterance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Example {
    /// Its id.
    pub id: String,
    /// The recording.
    pub audio: PathBuf,
    /// The text that is read in its place, where one is.
    pub written: Option<Written>,
    /// What is right for it.
    pub target: Target,
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

    /// Where a split begins in [`LabelledSet::examples`].
    pub fn first_of(&self, split: Split) -> usize {
        Split::ALL.into_iter().take_while(|other| *other != split).map(|other| self.split(other).len()).sum()
    }

    /// How many utterances there are in all.
    pub fn len(&self) -> usize {
        self.train.len() + self.valid.len() + self.test.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Leaves out the recordings of `split` that are longer than `seconds`, with their facts (in the order of
    /// [`LabelledSet::examples`] at `rate_hz`), and returns how many they were.
    ///
    /// # Errors
    ///
    /// [`DataError::NothingLeft`] where they are all.
    pub fn leave_out_longer(
        &mut self,
        split: Split,
        seconds: f64,
        facts: &mut Vec<AudioFacts>,
        rate_hz: u32,
    ) -> Result<usize, DataError> {
        let most = seconds * f64::from(rate_hz);
        let first = self.first_of(split);
        let examples = match split {
            Split::Train => &mut self.train,
            Split::Valid => &mut self.valid,
            Split::Test => &mut self.test,
        };
        let fits: Vec<bool> =
            facts.iter().skip(first).take(examples.len()).map(|fact| fact.samples as f64 <= most).collect();
        if !fits.is_empty() && !fits.contains(&true) {
            let (set, task, count) = (self.set.clone(), self.task.clone(), fits.len());
            return Err(DataError::NothingLeft { set, task, split, count, seconds });
        }
        let keep = |index: usize| fits.get(index).copied().unwrap_or(true);
        let mut index = 0;
        examples.retain(|_| {
            index += 1;
            keep(index - 1)
        });
        let mut place = 0_usize;
        facts.retain(|_| {
            place += 1;
            (place - 1).checked_sub(first).is_none_or(keep)
        });
        Ok(fits.iter().filter(|fits| !**fits).count())
    }

    /// `task/set`, as tables and `--tasks` name it.
    pub fn name(&self) -> String {
        format!("{}/{}", self.task, self.set)
    }
}
