//! What a text encoder reads in the place of a recording.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sure_text::untag;

use crate::truth::Truth;
use crate::{Split, TaskCard, TaskKind};

/// The key of transcripts.
pub(crate) const TEXT: &str = "text";
/// The key of what a recogniser wrote.
pub const RECOGNISED: &str = "recognised";

/// What a task is done from.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskInput {
    /// The recording.
    #[default]
    Speech,
    /// Its transcript, the key `text`.
    Transcript,
    /// Learnt from transcripts, chosen and tested on what a recogniser wrote of the recordings, the key `recognised`.
    Recognised,
}

impl TaskInput {
    /// The key of the text that stands for a recording of this split; none where the recording itself is heard.
    pub fn key(self, split: Split) -> Option<&'static str> {
        match (self, split) {
            (Self::Speech, _) => None,
            (Self::Transcript, _) | (Self::Recognised, Split::Train) => Some(TEXT),
            (Self::Recognised, Split::Valid | Split::Test) => Some(RECOGNISED),
        }
    }
}

/// A text in the place of a recording.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Written {
    /// The text.
    pub text: String,
    /// For tasks that label words: the time step of each word's first piece; `None` for a word without one.
    pub firsts: Vec<Option<usize>>,
}

impl Written {
    /// A text of which nothing else is known.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), firsts: Vec::new() }
    }

    /// Its words, as blanks part them.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split_whitespace()
    }

    /// The same text with the first piece of each word, where `pieces` are the places of all time steps in bytes. Empty
    /// pieces, as those of special tokens, belong to no word.
    #[must_use]
    pub fn with_pieces(mut self, pieces: &[Range<usize>]) -> Self {
        let mut steps = pieces.iter().enumerate().filter(|(_, piece)| !piece.is_empty()).peekable();
        let firsts = self.words().map(|word| {
            // The word is a part of the text, so that it starts somewhere in it.
            let start = word.as_ptr() as usize - self.text.as_ptr() as usize;
            while steps.next_if(|(_, piece)| piece.start < start).is_some() {}
            steps.peek().filter(|(_, piece)| piece.start < start + word.len()).map(|(step, _)| *step)
        });
        self.firsts = firsts.collect();
        self
    }
}

impl TaskCard {
    /// The text that stands for a row of this split, or `None` where it has none. Slots are looked for in words as the
    /// card's normaliser leaves them, whoever wrote them.
    pub(crate) fn written(
        &self,
        fields: &Map<String, Value>,
        truth: &Truth,
        split: Split,
    ) -> Option<Written> {
        let key = self.input.key(split)?;
        match truth {
            Truth::Text(tagged) if self.kind == TaskKind::Tags && key == TEXT => {
                Some(Written::new(untag(tagged).text))
            }
            _ => self.read(fields, key),
        }
    }

    /// The text under a key; an empty one is what a recogniser writes of a recording without words.
    pub(crate) fn read(&self, fields: &Map<String, Value>, key: &str) -> Option<Written> {
        let text = fields.get(key)?.as_str()?;
        let text = if self.kind == TaskKind::Tags { self.normalizer.apply(text) } else { text.to_owned() };
        Some(Written::new(text)).filter(|written| key == RECOGNISED || !written.text.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_knows_its_first_piece() {
        let written = Written::new("  play étés now");
        // [CLS], play, ét, és, no, w, [SEP].
        let pieces = [0..0, 2..6, 7..10, 10..13, 14..16, 16..17, 0..0];
        assert_eq!(written.with_pieces(&pieces).firsts, [Some(1), Some(2), Some(4)]);
    }

    #[test]
    fn a_word_without_a_piece_has_none() {
        let written = Written::new("a \u{1} b").with_pieces(&[0..0, 0..1, 4..5, 0..0]);
        assert_eq!(written.firsts, [Some(1), None, Some(2)]);
        assert_eq!(Written::new("").with_pieces(&[0..0, 0..0]).firsts, []);
    }
}
