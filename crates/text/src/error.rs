//! What can be wrong with a text, an alphabet, a lexicon or slots.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// What can be wrong with a text, an alphabet, a lexicon or slots.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TextError {
    /// An alphabet was asked for of texts that hold no token.
    #[error("no token in the training texts: an alphabet needs at least one text that is not blank")]
    NoTrainingText,
    /// A training text holds the character that stands for the blank between words.
    #[error(
        "the training text `{text}` holds `|`, which stands for the blank between words: take it out in the manifest, \
         or wherever the text is from"
    )]
    DelimiterInText {
        /// The text.
        text: String,
    },
    /// A training text holds a token that the alphabet adds itself.
    #[error(
        "the training text `{text}` holds `{token}`, a token that the alphabet adds itself: take it out in the \
         manifest, or wherever the text is from"
    )]
    ReservedToken {
        /// The token.
        token: String,
        /// The text.
        text: String,
    },
    /// A stored alphabet has a token twice.
    #[error("the alphabet has the token `{token}` twice, as {first} and as {second}: it is damaged")]
    DuplicateToken {
        /// The token.
        token: String,
        /// Its first place.
        first: usize,
        /// Its second place.
        second: usize,
    },
    /// A stored alphabet lacks a token that it needs.
    #[error("the alphabet has no token {token}: it is damaged, or of another task")]
    MissingToken {
        /// The token, or the tokens of which one is needed.
        token: &'static str,
    },
    /// A stored alphabet has a token that cannot be of its kind.
    #[error("token {index} of the alphabet, `{token}`, must be {expected}")]
    BadToken {
        /// The token.
        token: String,
        /// Its place.
        index: usize,
        /// What it may be.
        expected: &'static str,
    },
    /// A file of pronunciations could not be read.
    #[error("reading the lexicon {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line of a lexicon has a word without phones.
    #[error("{}, line {line}: the word `{word}` has no phones", path.display())]
    NoPhones {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The word.
        word: String,
    },
    /// A file of pronunciations without a word.
    #[error("{} has no words: each line must be a word and its phones, parted by blanks or a tab", path.display())]
    EmptyLexicon {
        /// The file.
        path: PathBuf,
    },
    /// A slot ends before it begins or behind the text.
    #[error("the slot `{kind}` spans the bytes {start}..{end} of a text of {bytes} bytes: `{text}`")]
    SpanOutOfRange {
        /// The slot's kind.
        kind: String,
        /// Its first byte.
        start: usize,
        /// The byte behind its last.
        end: usize,
        /// The length of the text.
        bytes: usize,
        /// The text.
        text: String,
    },
    /// A slot begins or ends within a character.
    #[error(
        "the slot `{kind}` spans the bytes {start}..{end} of `{text}`, and a character does not end there: \
         spans count bytes of UTF-8"
    )]
    SpanInCharacter {
        /// The slot's kind.
        kind: String,
        /// Its first byte.
        start: usize,
        /// The byte behind its last.
        end: usize,
        /// The text.
        text: String,
    },
    /// Two slots share a part of the text.
    #[error("the slots `{first}` and `{second}` of `{text}` overlap")]
    SpansOverlap {
        /// The kind of the slot that begins first.
        first: String,
        /// The kind of the other.
        second: String,
        /// The text.
        text: String,
    },
    /// A slot whose kind cannot be part of a tag.
    #[error("`{kind}` cannot be the kind of a slot: it must be one word")]
    BadKind {
        /// The kind.
        kind: String,
    },
    /// A word of the text could not be told from a tag.
    #[error(
        "the word `{word}` of `{text}` looks like a tag: write it in lower case or without its hyphen in the \
         manifest, or wherever the text is from"
    )]
    TagLikeWord {
        /// The word.
        word: String,
        /// The text.
        text: String,
    },
    /// A sentence has not one tag a word.
    #[error("{words} words with {tags} tags: each word needs one")]
    TagCount {
        /// How many words there are.
        words: usize,
        /// How many tags there are.
        tags: usize,
    },
    /// A line that is not of the IOB form of Audio SNIPS.
    #[error("`{line}` is no IOB line: {reason}")]
    BadIobLine {
        /// The line.
        line: String,
        /// What is wrong.
        reason: &'static str,
    },
}
