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
    /// The English rule of Whisper, for scoring alone, as `EnglishTextNormalizer` of openai-whisper and `transformers`
    /// has it: lower case, no asides in brackets, no fillers, contractions and titles written out, no punctuation and
    /// accents, numbers as digits, American spelling.
    ///
    /// What is odd in the original is kept, so that rates are comparable: `'s` is always `is`, curly apostrophes are not
    /// seen, `ninth` stays a word, and a second pass can change a text again (`100 1` gives `100 one`, and that `101`).
    /// It differs in that blanks at the ends are dropped, that only ASCII digits are numbers, that products above
    /// 2^128 - 1 are not formed, and in where words end before combining marks.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_of_the_sure_code_deletes_eight_characters() {
        assert_eq!(Normalizer::Sure.apply(" \"Well-known: É's,\t£5!?;. "), "wellknown é's £5");
        assert_eq!(Normalizer::Sure.apply("a - b “c” (d)"), "a b “c” (d)");
        assert_eq!(Normalizer::None.apply(" A "), " A ");
    }

    #[test]
    fn the_english_rule_is_not_idempotent_as_in_the_original() {
        let once = Normalizer::English.apply("100 1");
        assert_eq!((once.as_str(), Normalizer::English.apply(&once).as_str()), ("100 one", "101"));
    }

    #[test]
    fn rules_are_stored_by_name() {
        for rule in Normalizer::ALL {
            let json = serde_json::to_string(&rule).unwrap();
            assert_eq!(json, format!("\"{}\"", rule.name()));
            assert_eq!(serde_json::from_str::<Normalizer>(&json).unwrap(), rule);
        }
    }
}
