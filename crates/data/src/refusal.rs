//! Why a set does not have a task.

use std::fmt;

use crate::Split;

/// Whether a task can be run on a data set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Applies {
    /// It can.
    Yes,
    /// The set does not have this task, and nothing is wrong with it.
    No(Refusal),
}

/// A data set that does not have a task, by name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The task.
    pub task: String,
    /// The data set.
    pub set: String,
    /// What it lacks.
    pub reason: Reason,
}

/// What a data set lacks for a task.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// No row has this key.
    NoSuchKey {
        /// The key, as the task's card names it.
        key: String,
    },
    /// Rows have the key, and none has it in a form that the task can use.
    NoSuchForm {
        /// The key.
        key: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// The training rows have one class only.
    OneClass {
        /// The class.
        label: String,
    },
    /// No row is in this split.
    MissingSplit {
        /// The split.
        split: Split,
        /// The key that names splits.
        key: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "set `{}` has no task `{}`: ", self.set, self.task)?;
        match &self.reason {
            Reason::NoSuchKey { key } => write!(formatter, "no row has the key `{key}`"),
            Reason::NoSuchForm { key, wanted } => write!(formatter, "no row's `{key}` is {wanted}"),
            Reason::OneClass { label } => {
                write!(formatter, "all training rows are of one class, `{label}`, and two are needed")
            }
            Reason::MissingSplit { split, key } => {
                write!(formatter, "no row with a label is in the split `{split}` (key `{key}`)")
            }
        }
    }
}
