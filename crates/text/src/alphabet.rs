//! The tokens of a CTC task, and the way from text to tokens and back.
//!
//! The convention is that of wav2vec 2.0 in `transformers` (`Wav2Vec2CTCTokenizer`): `|` between words, `[UNK]` for what
//! the training texts do not have, `[PAD]`, which is also the CTC blank. The SURE code collects characters of test
//! texts too, in an order that changes from run to run; here an alphabet is a function of the training texts alone, is
//! sorted, and is stored with the run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::phones::{arpabet, arpabet_without_stress};
use crate::slots::is_tag;
use crate::stored::Stored;
use crate::{AlphabetKind, TextError};

/// The token between two words.
pub(crate) const DELIMITER: &str = "|";
/// The tokens for what an alphabet does not have.
pub(crate) const UNKNOWN: [&str; 2] = ["[UNK]", "<unk>"];
/// The tokens for padding, which are the CTC blank.
pub(crate) const PAD: [&str; 2] = ["[PAD]", "<pad>"];
/// The token that ends a text of phones, in the reference.
pub(crate) const EOS: &str = "<eos>";

/// The tokens of a CTC task.
///
/// Serialised as its kind and its list of tokens; a damaged list is refused when it is read.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Alphabet {
    pub(crate) kind: AlphabetKind,
    pub(crate) tokens: Vec<String>,
    pub(crate) ids: HashMap<String, usize>,
    pub(crate) blank: usize,
    pub(crate) unknown: usize,
    pub(crate) delimiter: Option<usize>,
    pub(crate) eos: Option<usize>,
}

/// A text as tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Encoded {
    /// The numbers of the tokens.
    pub ids: Vec<usize>,
    /// How many of them stand for something that the alphabet does not have.
    pub unknown: usize,
}

impl Alphabet {
    /// The characters of the training texts, sorted by code point with the blank written as `|`, then `[UNK]` and
    /// `[PAD]`.
    ///
    /// White space of any kind is a blank, and there always is a blank. A combining mark is a character of its own.
    ///
    /// # Errors
    /// When the texts are blank, or when one holds `|`, which could not be told from a blank later.
    pub fn characters<'a>(training_texts: impl IntoIterator<Item = &'a str>) -> Result<Self, TextError> {
        let mut characters = BTreeSet::new();
        for text in training_texts {
            collect(text.split_whitespace(), text, &mut characters)?;
        }
        if characters.is_empty() {
            return Err(TextError::NoTrainingText);
        }
        characters.insert(' ');
        let tokens = characters.into_iter().map(|character| match character {
            ' ' => DELIMITER.to_owned(),
            other => other.to_string(),
        });
        with_specials(AlphabetKind::Characters, tokens.collect())
    }

    /// The phones of a task whose texts are phone symbols parted by blanks, then `[UNK]` and `[PAD]`.
    ///
    /// Where all symbols of the training texts are of `ARPAbet` with stress, or all of `ARPAbet` without stress, the
    /// alphabet is that whole inventory ([`arpabet`], [`arpabet_without_stress`]), so that no phone of a test text can
    /// be unknown. Otherwise it is the symbols of the training texts, sorted.
    ///
    /// # Errors
    /// When the texts are blank, or when one holds `[UNK]` or `[PAD]`.
    pub fn phones<'a>(training_texts: impl IntoIterator<Item = &'a str>) -> Result<Self, TextError> {
        let mut symbols = BTreeSet::new();
        for text in training_texts {
            for symbol in text.split_whitespace() {
                if UNKNOWN.contains(&symbol) || PAD.contains(&symbol) || symbol == EOS {
                    return Err(TextError::ReservedToken { token: symbol.to_owned(), text: text.to_owned() });
                }
                symbols.insert(symbol);
            }
        }
        if symbols.is_empty() {
            return Err(TextError::NoTrainingText);
        }
        let known = [arpabet(), arpabet_without_stress()].into_iter().find(|inventory| {
            let inventory: BTreeSet<&str> = inventory.iter().map(String::as_str).collect();
            symbols.is_subset(&inventory)
        });
        let tokens = known.unwrap_or_else(|| symbols.into_iter().map(str::to_owned).collect());
        with_specials(AlphabetKind::Phones, tokens)
    }

    /// The 74 tokens of phoneme recognition in the SURE code: `<pad>`, `<eos>`, `<unk>`, then `ARPAbet` with stress.
    ///
    /// A text that is encoded by it ends with `<eos>`.
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn phones_reference() -> Self {
        let specials = [PAD[1], EOS, UNKNOWN[1]].map(str::to_owned);
        Self::new(AlphabetKind::Phones, specials.into_iter().chain(arpabet()).collect())
            .expect("the inventory has no token twice, and the specials are there")
    }

    /// The tokens of slot filling, whose texts are words and tags as [`tag`](crate::tag) writes them: the characters of
    /// the words, sorted, then `|`, the tags as one token each, sorted, then `[UNK]` and `[PAD]`.
    ///
    /// # Errors
    /// When the texts are blank, or when one holds `|`.
    pub fn slots<'a>(training_texts: impl IntoIterator<Item = &'a str>) -> Result<Self, TextError> {
        let mut characters = BTreeSet::new();
        let mut tags = BTreeSet::new();
        for text in training_texts {
            let (tag_words, words): (Vec<&str>, Vec<&str>) =
                text.split_whitespace().partition(|word| is_tag(word));
            collect(words.into_iter(), text, &mut characters)?;
            if tag_words.iter().any(|tag| tag.contains(DELIMITER)) {
                return Err(TextError::DelimiterInText { text: text.to_owned() });
            }
            tags.extend(tag_words);
        }
        if characters.is_empty() && tags.is_empty() {
            return Err(TextError::NoTrainingText);
        }
        let characters = characters.into_iter().map(String::from);
        let tags = tags.into_iter().map(str::to_owned);
        let tokens = characters.chain([DELIMITER.to_owned()]).chain(tags).collect();
        with_specials(AlphabetKind::Slots, tokens)
    }

    /// The tokens of a published checkpoint, as they are: tokens of several characters among them, which no text of ours
    /// is written with, are texts of their own in an answer. Without a token for what has none, the blank is it.
    ///
    /// Such an alphabet is not stored with a run: read back, it would be refused.
    ///
    /// # Errors
    /// When one of the numbers is not that of a token.
    pub fn published(
        tokens: Vec<String>,
        blank: usize,
        unknown: Option<usize>,
        delimiter: Option<usize>,
    ) -> Result<Self, TextError> {
        let named = [Some(blank), unknown, delimiter].into_iter().flatten();
        if named.max().is_none_or(|last| last >= tokens.len()) {
            return Err(TextError::MissingToken { token: "that stands for the blank, a gap or the unknown" });
        }
        // Of tokens that are written alike the first one counts.
        let ids = (0..tokens.len()).rev().map(|id| (tokens[id].clone(), id)).collect();
        let unknown = unknown.unwrap_or(blank);
        Ok(Self { kind: AlphabetKind::Characters, tokens, ids, blank, unknown, delimiter, eos: None })
    }

    /// What the tokens are.
    pub fn kind(&self) -> AlphabetKind {
        self.kind
    }

    /// How many tokens there are: the width of a CTC head.
    #[expect(clippy::len_without_is_empty, reason = "no alphabet is empty")]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The number of the CTC blank, which is also what targets are padded with.
    pub fn blank(&self) -> usize {
        self.blank
    }

    /// The tokens; a token's number is its place.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// The number of each token, as in `vocab.json` of `transformers`.
    pub fn vocab(&self) -> BTreeMap<&str, usize> {
        self.tokens.iter().enumerate().map(|(id, token)| (token.as_str(), id)).collect()
    }

    /// A text as tokens.
    ///
    /// Runs of white space are one blank, and blanks at the ends are dropped. What the alphabet does not have, `|`
    /// among it, becomes the unknown token and is counted.
    pub fn encode(&self, text: &str) -> Encoded {
        let mut encoded = Encoded { ids: Vec::new(), unknown: 0 };
        for (place, word) in text.split_whitespace().enumerate() {
            if place > 0 {
                encoded.ids.extend(self.delimiter);
            }
            self.encode_word(word, &mut encoded);
        }
        encoded.ids.extend(self.eos);
        encoded
    }

    fn encode_word(&self, word: &str, encoded: &mut Encoded) {
        let whole = match self.kind {
            AlphabetKind::Characters => false,
            AlphabetKind::Phones => true,
            AlphabetKind::Slots => is_tag(word),
        };
        if whole {
            self.push(word, encoded);
        } else {
            let mut buffer = [0; 4];
            for character in word.chars() {
                self.push(character.encode_utf8(&mut buffer), encoded);
            }
        }
    }

    fn push(&self, token: &str, encoded: &mut Encoded) {
        let id = self.ids.get(token).copied().filter(|&id| {
            let special = [Some(self.blank), Some(self.unknown), self.delimiter, self.eos];
            !special.contains(&Some(id))
        });
        encoded.unknown += usize::from(id.is_none());
        encoded.ids.push(id.unwrap_or(self.unknown));
    }

    /// Tokens as text. The tokens are those of a text: repeats are not merged.
    ///
    /// `|` is a blank, runs of blanks are one, blanks at the ends are dropped; phones are joined by blanks, and tags of
    /// slots are words of their own wherever they stand. Padding and `<eos>` are dropped. The unknown token, and any
    /// number that the alphabet does not have, is written as `[UNK]` or `<unk>`.
    pub fn decode(&self, ids: &[usize]) -> String {
        let mut text = String::new();
        for &id in ids {
            if id == self.blank || Some(id) == self.eos {
                continue;
            }
            let token = self.tokens.get(id).unwrap_or(&self.tokens[self.unknown]);
            let apart = match self.kind {
                AlphabetKind::Characters => false,
                AlphabetKind::Phones => true,
                AlphabetKind::Slots => is_tag(token),
            };
            if Some(id) == self.delimiter {
                text.push(' ');
            } else if apart {
                text.extend([" ", token, " "]);
            } else {
                text.push_str(token);
            }
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ")
    }

    /// The best token of each frame as tokens of a text: repeats are merged, then blanks dropped (Graves et al. 2006).
    pub fn collapse(&self, frames: &[usize]) -> Vec<usize> {
        frames.chunk_by(|a, b| a == b).map(|run| run[0]).filter(|&id| id != self.blank).collect()
    }

    /// The text that the best token of each frame gives.
    pub fn decode_greedy(&self, frames: &[usize]) -> String {
        self.decode(&self.collapse(frames))
    }

    /// The text as the reference decodes phones: padding is dropped and the first `<eos>` ends it, but repeats are
    /// **not** merged, so that a phone held for two frames is there twice.
    pub fn decode_unmerged(&self, frames: &[usize]) -> String {
        let end = frames.iter().position(|&id| Some(id) == self.eos).unwrap_or(frames.len());
        self.decode(&frames[..end])
    }
}

/// The characters of words, none of which may hold the delimiter.
fn collect<'a>(
    words: impl Iterator<Item = &'a str>,
    text: &str,
    characters: &mut BTreeSet<char>,
) -> Result<(), TextError> {
    for word in words {
        if word.contains(DELIMITER) {
            return Err(TextError::DelimiterInText { text: text.to_owned() });
        }
        characters.extend(word.chars());
    }
    Ok(())
}

fn with_specials(kind: AlphabetKind, mut tokens: Vec<String>) -> Result<Alphabet, TextError> {
    tokens.extend([UNKNOWN[0], PAD[0]].map(str::to_owned));
    Alphabet::new(kind, tokens)
}
