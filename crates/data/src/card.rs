//! What a task needs from a manifest: its card.

use serde::{Deserialize, Serialize};

use crate::DataError;

/// What kind of problem a task is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// One label for a whole utterance.
    SequenceClassification,
}

/// What a task is and which keys of a manifest it reads.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaskCard {
    /// The name on the command line, for example `ks`.
    pub name: String,
    /// The name in words, for example `keyword spotting`.
    pub title: String,
    /// What kind of problem it is.
    pub kind: TaskKind,
    /// The key of the label.
    pub label: String,
    /// The key of the split.
    pub split: String,
    /// The metric's name.
    pub metric: String,
}

impl TaskCard {
    /// Reads a card. `name` is what an error calls it.
    ///
    /// # Errors
    ///
    /// [`DataError::Card`], whose source names line and column.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, DataError> {
        toml::from_str(text)
            .map_err(|source| DataError::Card { name: name.to_owned(), source: Box::new(source) })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::error::Error;

    use super::*;

    pub(crate) fn card() -> TaskCard {
        let text = r#"
            name = "ks"
            title = "keyword spotting"
            kind = "sequence-classification"
            label = "keyword"
            split = "split"
            metric = "accuracy"
        "#;
        TaskCard::from_toml("ks.toml", text).unwrap()
    }

    #[test]
    fn a_card_is_read_from_toml() {
        assert_eq!(card().kind, TaskKind::SequenceClassification);
        assert_eq!(card().label, "keyword");
    }

    #[test]
    fn a_misspelt_or_missing_key_is_an_error_that_names_it() {
        let error = TaskCard::from_toml("ks.toml", "name = \"ks\"\nlable = \"keyword\"\n").unwrap_err();
        assert_eq!(error.to_string(), "read the task card `ks.toml`");
        let source = error.source().unwrap().to_string();
        assert!(source.contains("line 2") && source.contains("unknown field `lable`"), "{source}");
        let error = TaskCard::from_toml("ks.toml", "name = \"ks\"").unwrap_err();
        assert!(error.source().unwrap().to_string().contains("missing field `title`"));
    }
}
