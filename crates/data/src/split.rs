//! Training, validation and test.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A part of a data set.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What is learnt from.
    Train,
    /// What the best step is chosen by.
    Valid,
    /// What is reported.
    Test,
}

impl Split {
    /// All three, in the order in which they are used.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// What manifests may call a split.
    pub(crate) const SPELLINGS: &str = "train or training, valid or validation or dev, test or evaluation";

    /// The split that a manifest means.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "train" | "training" => Some(Self::Train),
            "valid" | "validation" | "dev" => Some(Self::Valid),
            "test" | "evaluation" => Some(Self::Test),
            _ => None,
        }
    }

    /// The name in records and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_spelling_is_read_and_nothing_else() {
        for (text, split) in [
            ("train", Split::Train),
            ("training", Split::Train),
            ("valid", Split::Valid),
            ("validation", Split::Valid),
            ("dev", Split::Valid),
            ("test", Split::Test),
            ("evaluation", Split::Test),
        ] {
            assert_eq!(Split::parse(text), Some(split));
            assert!(Split::SPELLINGS.contains(text));
        }
        for text in ["", "Train", "eval", "train "] {
            assert_eq!(Split::parse(text), None, "{text}");
        }
    }
}
