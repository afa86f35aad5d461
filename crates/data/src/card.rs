//! What a task needs from a manifest, and how it is decoded and scored: its card.

use serde::{Deserialize, Serialize};
use sure_text::Normalizer;

use crate::{DataError, TaskInput};

/// What kind of problem a task is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// One label for a whole utterance.
    SequenceClassification,
    /// Several labels for a whole utterance, one for each head; right where all are.
    JointClassification,
    /// A transcript, character by character (CTC).
    Characters,
    /// A transcript, phone by phone (CTC).
    Phones,
    /// A transcript with its slots marked (CTC).
    Slots,
    /// The same for a text that is given: each word is labelled.
    Tags,
}

impl TaskKind {
    /// Whether frames are labelled and collapsed (connectionist temporal classification).
    pub const fn is_ctc(self) -> bool {
        matches!(self, Self::Characters | Self::Phones | Self::Slots)
    }
}

/// How the frames of a CTC task become tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decoding {
    /// The best token of each frame, repeats merged, blanks dropped.
    #[default]
    Greedy,
    /// The best token of each frame up to the first `<eos>`, repeats kept: what the reference does for phones.
    Unmerged,
    /// Prefix beam search without a language model.
    Beam {
        /// Prefixes that are kept after each frame.
        width: usize,
    },
}

/// Where the tokens of a CTC task come from.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vocabulary {
    /// From training texts alone.
    #[default]
    Training,
    /// As the reference has it: characters of the training and test texts, phones between `<pad>` and `<eos>`, slots of
    /// all texts.
    Reference,
}

/// How slots are written into the transcript.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotTags {
    /// A tag before and behind each span.
    #[default]
    Spans,
    /// A tag where the word's slot differs from its neighbour's, with punctuation left out first: as the reference, which
    /// loses a tag that stands on punctuation.
    Words,
}

/// What a task is and which keys of a manifest it reads.
///
/// What follows `metric` has the project's own choice as its default and is left out of records where it has it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
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
    /// The key that the label is worked out from where it is not there itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// The key of the split.
    pub split: String,
    /// The name of the metric by which the best step is chosen and tables are made.
    pub metric: String,
    /// Further metrics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// What is done to a text before it is learnt.
    #[serde(default, skip_serializing_if = "is_default")]
    pub normalizer: Normalizer,
    /// What is done to both answer and reference before they are compared.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scoring: Normalizer,
    /// The heads of a joint classification; empty = all that the data has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<String>,
    /// The labels in the order of the logits; empty = those of the training rows, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Recordings are cut to so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_seconds: Option<f64>,
    /// Longer recordings are left out of training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_train_seconds: Option<f64>,
    /// Longer recordings are left out of all splits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_seconds: Option<f64>,
    /// Where tokens come from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub vocabulary: Vocabulary,
    /// How slots are written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: SlotTags,
    /// How frames become tokens.
    #[serde(default, skip_serializing_if = "is_default")]
    pub decoding: Decoding,
    /// What it is done from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub input: TaskInput,
    /// Whether it can be done from the transcript alone: what is asked for is not the transcript itself. It says what can
    /// be planned, and is no part of a run.
    #[serde(default, skip_serializing)]
    pub from_text: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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

    /// The names of its metrics: the one that decides, then the others.
    pub fn metrics(&self) -> impl Iterator<Item = &String> {
        [&self.metric].into_iter().chain(&self.also)
    }

    /// The card of the same task for a text encoder: without what concerns recordings, and with words labelled where a
    /// speech model would write them with their slots.
    #[must_use]
    pub fn reading(self, input: TaskInput) -> Self {
        let kind = if self.kind == TaskKind::Slots { TaskKind::Tags } else { self.kind };
        let tags = SlotTags::Spans;
        Self { kind, input, tags, cut_seconds: None, max_train_seconds: None, max_seconds: None, ..self }
    }

    /// How many first samples of a recording are looked at; `None` where all are.
    pub fn cut_samples(&self, rate_hz: u32) -> Option<usize> {
        self.cut_seconds.map(|seconds| (seconds * f64::from(rate_hz)).round() as usize)
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
