//! Slots in a text: from spans to tags between the words, and back.
//!
//! Slot filling by CTC (SUPERB, Yang et al. 2021, arXiv 2105.01051) writes the text with tags in it:
//! `add B-entity_name this song E-entity_name to my B-playlist jazz E-playlist`. The reference derives the tags from the
//! words, loses one where the first or last word of a slot is skipped punctuation, and packs what it finds as
//! `value:kind;value:kind`, which a value with `:` or `;` breaks. Here tags are written by span, and slots are read into
//! pairs. What the reference writes is in `iob.rs`.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::TextError;

/// A part of a text that fills a slot.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SlotSpan {
    /// The slot's kind, one word.
    pub kind: String,
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
}

/// A slot with what fills it.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The slot's kind.
    pub kind: String,
    /// The words that fill it.
    pub value: String,
}

/// A text and the slots in it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tagged {
    /// The text without tags.
    pub text: String,
    /// The slots, in the order of the text.
    pub slots: Vec<Slot>,
}

/// Whether a word is a tag: `B-` or `E-` and a kind.
pub(crate) fn is_tag(word: &str) -> bool {
    begins(word).is_some() || ends(word).is_some()
}

/// The kind that a word begins.
pub(crate) fn begins(word: &str) -> Option<&str> {
    word.strip_prefix("B-").filter(|kind| !kind.is_empty())
}

/// The kind that a word ends.
pub(crate) fn ends(word: &str) -> Option<&str> {
    word.strip_prefix("E-").filter(|kind| !kind.is_empty())
}

/// Writes a text with tags around its spans. White space becomes one blank; the words stay as they are.
///
/// See [`tag_with`].
///
/// # Errors
/// As [`tag_with`].
pub fn tag(text: &str, spans: &[SlotSpan]) -> Result<String, TextError> {
    tag_with(text, spans, str::to_owned)
}

/// Writes a text with tags around its spans, where each part between two tags is normalised by itself, so that the
/// kinds stay as they are.
///
/// A span need not be of whole words: a tag within a word parts it. A span whose words are normalised away keeps its
/// two tags. Spans may come in any order, touch and be empty, but not overlap.
///
/// # Errors
/// When a span is not in the text, ends within a character, overlaps another or has a kind of several words; and when
/// a normalised word looks like a tag, as `B-side` does.
pub fn tag_with(
    text: &str,
    spans: &[SlotSpan],
    normalize: impl Fn(&str) -> String,
) -> Result<String, TextError> {
    let mut spans: Vec<&SlotSpan> = spans.iter().collect();
    spans.sort_by_key(|span| (span.start, span.end));
    let mut tagged = Vec::new();
    let mut done = 0;
    let mut before: Option<&SlotSpan> = None;
    for span in spans {
        check(text, span)?;
        if let Some(first) = before.filter(|first| span.start < first.end) {
            let (first, second) = (first.kind.clone(), span.kind.clone());
            return Err(TextError::SpansOverlap { first, second, text: text.to_owned() });
        }
        push_words(&normalize(&text[done..span.start]), text, &mut tagged)?;
        tagged.push(format!("B-{}", span.kind));
        push_words(&normalize(&text[span.start..span.end]), text, &mut tagged)?;
        tagged.push(format!("E-{}", span.kind));
        done = span.end;
        before = Some(span);
    }
    push_words(&normalize(&text[done..]), text, &mut tagged)?;
    Ok(tagged.join(" "))
}

/// The words of a part of the text, none of which may look like a tag.
fn push_words(part: &str, text: &str, tagged: &mut Vec<String>) -> Result<(), TextError> {
    for word in part.split_whitespace() {
        if is_tag(word) {
            return Err(TextError::TagLikeWord { word: word.to_owned(), text: text.to_owned() });
        }
        tagged.push(word.to_owned());
    }
    Ok(())
}

fn check(text: &str, span: &SlotSpan) -> Result<(), TextError> {
    let (start, end, kind) = (span.start, span.end, span.kind.clone());
    if kind.is_empty() || kind.contains(char::is_whitespace) {
        return Err(TextError::BadKind { kind });
    }
    let text = text.to_owned();
    if start > end || end > text.len() {
        return Err(TextError::SpanOutOfRange { kind, start, end, bytes: text.len(), text });
    }
    if !text.is_char_boundary(start) || !text.is_char_boundary(end) {
        return Err(TextError::SpanInCharacter { kind, start, end, text });
    }
    Ok(())
}

/// Reads a text with tags, such as a prediction: `B-kind`, the shortest text, `E-kind`.
///
/// What no pattern has is tolerated: tags that begin or end nothing are dropped, and tags within a value are not part of
/// it. A value may be empty, which the reference does not see as a slot: there `B-x E-x` is none.
pub fn untag(tagged: &str) -> Tagged {
    let words: Vec<&str> = tagged.split_whitespace().collect();
    // Where each kind ends for the last time, so that a tag without a partner costs no search.
    let last: HashMap<&str, usize> =
        words.iter().enumerate().filter_map(|(place, word)| Some((ends(word)?, place))).collect();
    let mut text: Vec<&str> = Vec::new();
    let mut slots = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let Some(kind) = begins(word) else {
            text.extend(Some(word).filter(|word| !is_tag(word)));
            continue;
        };
        if last.get(kind).is_none_or(|&last| last < at) {
            continue;
        }
        if let Some(length) = words[at..].iter().position(|word| ends(word) == Some(kind)) {
            let inner = &words[at..at + length];
            let value: Vec<&str> = inner.iter().copied().filter(|word| !is_tag(word)).collect();
            text.extend(&value);
            slots.push(Slot { kind: kind.to_owned(), value: value.join(" ") });
            at += length + 1;
        }
    }
    Tagged { text: text.join(" "), slots }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(kind: &str, start: usize, end: usize) -> SlotSpan {
        SlotSpan { kind: kind.to_owned(), start, end }
    }

    fn slot(kind: &str, value: &str) -> Slot {
        Slot { kind: kind.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn tags_stand_around_the_words_of_a_span() {
        let text = "add this song to my jazz";
        let spans = [span("playlist", 20, 24), span("entity_name", 4, 13)];
        let tagged = tag(text, &spans).unwrap();
        assert_eq!(tagged, "add B-entity_name this song E-entity_name to my B-playlist jazz E-playlist");
        let read = untag(&tagged);
        assert_eq!(read.text, text);
        assert_eq!(read.slots, [slot("entity_name", "this song"), slot("playlist", "jazz")]);
    }

    #[test]
    fn a_slot_that_ends_in_punctuation_keeps_its_tags_and_its_kind_is_not_normalised() {
        let sure = |part: &str| crate::Normalizer::Sure.apply(part);
        let tagged = tag_with("Play - X ! now", &[span("timeRange", 5, 10)], sure).unwrap();
        assert_eq!(tagged, "play B-timeRange x E-timeRange now");
        let gone = tag_with("wait -- what", &[span("x", 5, 7)], sure).unwrap();
        assert_eq!(gone, "wait B-x E-x what");
        assert_eq!(untag(&gone).slots, [slot("x", "")]);
    }

    #[test]
    fn values_with_colons_and_semicolons_are_read_whole() {
        let text = "wake me at 10:30;sharp please";
        let read = untag(&tag(text, &[span("time", 11, 22)]).unwrap());
        assert_eq!(read.slots, [slot("time", "10:30;sharp")]);
        assert_eq!(read.text, text);
    }

    #[test]
    fn a_span_within_a_word_parts_it() {
        assert_eq!(tag("jazz's best", &[span("g", 0, 4)]).unwrap(), "B-g jazz E-g 's best");
    }

    #[test]
    fn spans_that_cannot_be_are_refused_by_kind() {
        let refusals = [
            (tag("abc", &[span("x", 2, 9)]), "the slot `x` spans the bytes 2..9 of a text of 3 bytes: `abc`"),
            (tag("abc", &[span("x", 2, 1)]), "the slot `x` spans the bytes 2..1 of a text of 3 bytes: `abc`"),
            (tag("abcd", &[span("x", 0, 3), span("y", 2, 4)]), "the slots `x` and `y` of `abcd` overlap"),
            (tag("abc", &[span("a b", 0, 1)]), "`a b` cannot be the kind of a slot: it must be one word"),
        ];
        for (result, message) in refusals {
            assert_eq!(result.unwrap_err().to_string(), message);
        }
        let split = tag("né", &[span("x", 0, 2)]);
        assert!(matches!(split, Err(TextError::SpanInCharacter { start: 0, end: 2, .. })));
        assert!(matches!(tag("B-side", &[]), Err(TextError::TagLikeWord { word, .. }) if word == "B-side"));
    }

    #[test]
    fn touching_spans_are_two_slots() {
        let tagged = tag("a b", &[span("x", 0, 1), span("x", 1, 3)]).unwrap();
        assert_eq!(tagged, "B-x a E-x B-x b E-x");
        assert_eq!(untag(&tagged).slots, [slot("x", "a"), slot("x", "b")]);
    }

    #[test]
    fn unbalanced_tags_of_a_prediction_are_tolerated() {
        let read = untag("E-a one B-b two B-c three E-b four B-a five");
        assert_eq!(read.text, "one two three four five");
        assert_eq!(read.slots, [slot("b", "two three")]);
        assert_eq!(untag("").slots, []);
        assert_eq!(untag("B- E- -").text, "B- E- -");
        assert_eq!(untag("E-a B-a E-a").slots, [slot("a", "")]);
    }

    #[test]
    fn many_tags_without_a_partner_cost_no_search() {
        let read = untag(&("E-a ".to_owned() + &"B-a ".repeat(300_000) + "B-b x E-b"));
        assert_eq!((read.text.as_str(), read.slots), ("x", vec![slot("b", "x")]));
    }

    #[test]
    fn a_word_like_a_tag_is_told_where_to_be_mended() {
        let message = tag("the B-side", &[]).unwrap_err().to_string();
        assert_eq!(
            message,
            "the word `B-side` of `the B-side` looks like a tag: write it in lower case or without its hyphen in the \
             manifest, or wherever the text is from"
        );
    }
}
