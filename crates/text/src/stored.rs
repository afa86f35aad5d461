//! An alphabet as it is stored with a run, and the check of what is read back.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::alphabet::{DELIMITER, EOS, PAD, UNKNOWN};
use crate::slots::is_tag;
use crate::{Alphabet, TextError};

/// What the tokens of an alphabet are.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlphabetKind {
    /// Characters, with `|` between words.
    Characters,
    /// Phone symbols.
    Phones,
    /// Characters, with `|` between words, and tags of slots.
    Slots,
}

/// The form in which an alphabet is stored.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    kind: AlphabetKind,
    tokens: Vec<String>,
}

impl TryFrom<Stored> for Alphabet {
    type Error = TextError;

    fn try_from(stored: Stored) -> Result<Self, TextError> {
        Self::new(stored.kind, stored.tokens)
    }
}

impl From<Alphabet> for Stored {
    fn from(alphabet: Alphabet) -> Self {
        Self { kind: alphabet.kind, tokens: alphabet.tokens }
    }
}

impl Alphabet {
    /// An alphabet of these tokens, checked.
    pub(crate) fn new(kind: AlphabetKind, tokens: Vec<String>) -> Result<Self, TextError> {
        let mut ids = HashMap::with_capacity(tokens.len());
        for (second, token) in tokens.iter().enumerate() {
            if let Some(first) = ids.insert(token.clone(), second) {
                return Err(TextError::DuplicateToken { token: token.clone(), first, second });
            }
        }
        let find = |token: &str| ids.get(token).copied();
        let either = |[ours, reference]: [&str; 2]| find(ours).or_else(|| find(reference));
        let blank = either(PAD).ok_or(TextError::MissingToken { token: "`[PAD]` or `<pad>`" })?;
        let unknown = either(UNKNOWN).ok_or(TextError::MissingToken { token: "`[UNK]` or `<unk>`" })?;
        let (delimiter, eos) = match kind {
            AlphabetKind::Phones => (None, find(EOS)),
            AlphabetKind::Characters | AlphabetKind::Slots => {
                (Some(find(DELIMITER).ok_or(TextError::MissingToken { token: "`|`" })?), None)
            }
        };
        for (index, token) in tokens.iter().enumerate() {
            if index != blank && index != unknown {
                check(kind, index, token)?;
            }
        }
        Ok(Self { kind, tokens, ids, blank, unknown, delimiter, eos })
    }
}

/// Whether a token is one of its kind.
fn check(kind: AlphabetKind, index: usize, token: &str) -> Result<(), TextError> {
    let one_word = !token.is_empty() && !token.contains(char::is_whitespace);
    let one_character = one_word && token.chars().nth(1).is_none();
    let (right, expected) = match kind {
        AlphabetKind::Characters => (one_character, "one character that is not white space"),
        AlphabetKind::Phones => (one_word, "a symbol without white space"),
        AlphabetKind::Slots => {
            (one_character || (one_word && is_tag(token)), "one character that is not white space, or a tag")
        }
    };
    if right { Ok(()) } else { Err(TextError::BadToken { token: token.to_owned(), index, expected }) }
}
