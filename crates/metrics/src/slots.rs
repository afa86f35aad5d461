//! Slots in tagged texts: `play B-genre jazz E-genre` has the slot `genre` with the value `jazz`.
//!
//! The pattern of SURE and of SUPERB (s3prl, `downstream/ctc/metric.py`): `B-KIND`, at least one word, and the nearest
//! `E-KIND` after it; what stands inside is not searched again. Ours differs in that tags are whole words: s3prl's
//! regular expression also takes `XB-genre` for a beginning and `E-genres` for the end of `genre`. And kinds and values
//! stay apart: s3prl joins them with `:` and `;` and fails on a value with one of these.

use std::collections::HashMap;

use crate::edit_rate::words;

/// A tagged piece of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Slot<'a> {
    /// What the tags name.
    pub kind: &'a str,
    /// The words between the tags, also where they are tags themselves.
    pub words: Vec<&'a str>,
}

impl Slot<'_> {
    /// The words with a blank between them.
    pub fn value(&self) -> String {
        self.words.join(" ")
    }

    /// [`Slot::value`] without the tags of other slots.
    pub fn bare_value(&self) -> String {
        let is_tag = |word: &str| tag(word, "B-").or_else(|| tag(word, "E-")).is_some();
        self.words.iter().copied().filter(|word| !is_tag(word)).collect::<Vec<_>>().join(" ")
    }
}

/// The slots of a tagged text, in order. Tags without a partner are passed over.
pub fn slots(text: &str) -> Vec<Slot<'_>> {
    let words = words(text);
    // Where each kind ends for the last time, so that a tag without a partner costs no search.
    let last: HashMap<&str, usize> =
        words.iter().enumerate().filter_map(|(index, word)| Some((tag(word, "E-")?, index))).collect();
    let mut slots = Vec::new();
    let mut index = 0;
    while index < words.len() {
        let begin = index;
        index += 1;
        let Some(kind) = tag(words[begin], "B-") else { continue };
        // At least one word stands between the tags.
        let first = begin + 2;
        if last.get(kind).is_none_or(|&last| last < first) {
            continue;
        }
        let Some(length) = words[first..].iter().position(|word| tag(word, "E-") == Some(kind)) else {
            continue;
        };
        let end = first + length;
        slots.push(Slot { kind, words: words[begin + 1..end].to_vec() });
        index = end + 1;
    }
    slots
}

/// The kind that a tag with this prefix names.
fn tag<'a>(word: &'a str, prefix: &str) -> Option<&'a str> {
    word.strip_prefix(prefix).filter(|kind| !kind.is_empty())
}

/// The values of every kind that occurs, in order.
pub(crate) fn by_kind<'a>(
    slots: &[Slot<'a>],
    value: impl Fn(&Slot<'a>) -> String,
) -> HashMap<&'a str, Vec<String>> {
    let mut values: HashMap<&str, Vec<String>> = HashMap::new();
    for slot in slots {
        values.entry(slot.kind).or_default().push(value(slot));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, String)> {
        slots(text).iter().map(|slot| (slot.kind, slot.value())).collect()
    }

    #[test]
    fn slots_are_found_in_order_whatever_the_blanks() {
        let text = "play  B-genre free jazz   E-genre by B-artist Ornette Coleman E-artist";
        assert_eq!(
            found(text),
            [("genre", "free jazz".to_owned()), ("artist", "Ornette Coleman".to_owned())]
        );
    }

    #[test]
    fn the_nearest_end_of_the_same_kind_counts() {
        assert_eq!(found("B-a x E-a y E-a"), [("a", "x".to_owned())]);
        assert_eq!(found("B-a x E-b y E-a"), [("a", "x E-b y".to_owned())]);
        assert_eq!(found("B-a B-b x E-b E-a"), [("a", "B-b x E-b".to_owned())]);
        assert_eq!(slots("B-a B-b x E-b y E-a")[0].bare_value(), "x y");
    }

    #[test]
    fn a_tag_without_a_partner_is_passed_over() {
        assert_eq!(found("B-a x B-b y E-b"), [("b", "y".to_owned())]);
        assert_eq!(found("E-a x B-a"), []);
        assert_eq!(found("B-a x E-as"), []);
        assert_eq!(found("XB-a x E-a"), []);
        assert_eq!(found("B- x E-"), []);
        assert_eq!(found(""), []);
    }

    #[test]
    fn a_slot_has_at_least_one_word() {
        assert_eq!(found("B-a E-a"), []);
        assert_eq!(found("B-a E-a E-a"), [("a", "E-a".to_owned())]);
    }

    #[test]
    fn colons_and_semicolons_are_part_of_values() {
        assert_eq!(found("at B-timeRange 3:30; E-timeRange"), [("timeRange", "3:30;".to_owned())]);
    }

    #[test]
    fn many_tags_without_a_partner_cost_no_search() {
        let text = "B-a ".repeat(200_000) + "B-b x E-b";
        assert_eq!(found(&text), [("b", "x".to_owned())]);
    }
}
