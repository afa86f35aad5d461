//! A tag for each word in the place of tags between words.

use crate::slots::{begins, ends};

/// The slot of a word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WordTag<'a> {
    /// The slot's kind.
    pub kind: &'a str,
    /// Whether the word is the slot's first.
    pub first: bool,
}

/// The words of a text with tags, each with its slot: `play B-genre hot jazz E-genre` has `hot` as the first word of
/// `genre` and `jazz` as a further one. A slot without words has none to stand at.
pub fn word_tags(tagged: &str) -> Vec<(&str, Option<WordTag<'_>>)> {
    let (mut open, mut first) = (None, false);
    let mut words = Vec::new();
    for word in tagged.split_whitespace() {
        if let Some(kind) = begins(word) {
            (open, first) = (Some(kind), true);
        } else if ends(word).is_some() {
            open = None;
        } else {
            words.push((word, open.map(|kind| WordTag { kind, first })));
            first = false;
        }
    }
    words
}

/// The text with tags between words: the way back. A further word that no word of its kind precedes begins a slot.
pub fn from_word_tags<'a>(words: impl IntoIterator<Item = (&'a str, Option<WordTag<'a>>)>) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut open: Option<&str> = None;
    for (word, tag) in words {
        let goes_on = tag.is_some_and(|tag| !tag.first && open == Some(tag.kind));
        if !goes_on {
            parts.extend(open.map(|kind| format!("E-{kind}")));
            open = tag.map(|tag| tag.kind);
            parts.extend(open.map(|kind| format!("B-{kind}")));
        }
        parts.push(word.to_owned());
    }
    parts.extend(open.map(|kind| format!("E-{kind}")));
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_between_words_become_tags_of_words_and_back() {
        let tagged = "play B-genre hot jazz E-genre B-genre blues E-genre now B-when please E-when";
        let words = word_tags(tagged);
        let tag = |kind, first| Some(WordTag { kind, first });
        let expected = [
            ("play", None),
            ("hot", tag("genre", true)),
            ("jazz", tag("genre", false)),
            ("blues", tag("genre", true)),
            ("now", None),
            ("please", tag("when", true)),
        ];
        assert_eq!(words, expected);
        assert_eq!(from_word_tags(words), tagged);
        assert_eq!(word_tags("a B-x E-x b"), [("a", None), ("b", None)]);
    }

    #[test]
    fn a_further_word_of_another_kind_begins_a_slot() {
        let tag = |kind| Some(WordTag { kind, first: false });
        let tagged = from_word_tags([("a", tag("x")), ("b", tag("x")), ("c", tag("y")), ("d", None)]);
        assert_eq!(tagged, "B-x a b E-x B-y c E-y d");
        assert_eq!(from_word_tags([]), "");
    }
}
