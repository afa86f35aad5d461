//! What is done to a text before it is learnt from or scored.

use serde::{Deserialize, Serialize};

use crate::english;

/// The eight characters that the SURE code deletes (its FLEURS and LibriSpeech rule).
const DELETED: [char; 8] = [',', '?', '.', '!', '-', ';', ':', '"'];

/// A rule by which texts are normalised.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalizer {
    /// The text as it is.
    #[default]
    None,
    /// The rule of the SURE code: `, ? . ! - ; : "` are deleted and the rest lower-cased. Ours then makes one blank of
    /// each run of white space and drops it at the ends. Accents, digits and curly quotes stay.
    Sure,
    /// The English rule of Whisper, for scoring alone: see [`english`](self#the-english-rule).
    English,
}

impl Normalizer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::Sure, Self::English];

    /// The name in task cards and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sure => "sure",
            Self::English => "english",
        }
    }

    /// The text by this rule.
    pub fn apply(&self, text: &str) -> String {
        match self {
            Self::None => text.to_owned(),
            Self::Sure => sure(text),
            Self::English => english::normalize(text),
        }
    }
}

fn sure(text: &str) -> String {
    let kept: String = text.chars().filter(|character| !DELETED.contains(character)).collect();
    let lower = kept.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    words.join(" ")
}
