//! Sentences with one tag a word, as Audio SNIPS has them, and the target that the reference makes of one.
//!
//! Audio SNIPS (the `s3prl/SNIPS` preparation of Coucke et al. 2018, arXiv 1805.10190) tags each word with `O` or the
//! bare kind of its slot. Other sets write `B-kind` for the first word of a slot and `I-kind` for the others; both are
//! read.

use crate::{SlotSpan, TextError};

/// Words that the reference skips: each part of this string is one.
const SKIPPED: &str = "?!.,;-";

/// A line of `all.iob.snips.txt`: `utterance BOS words EOS <tab> O tags intent`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IobLine<'a> {
    /// The name of the recording, such as `Aditi-snips-train-0`.
    pub utterance: &'a str,
    /// The words, upper-case in Audio SNIPS.
    pub words: Vec<&'a str>,
    /// One tag a word.
    pub tags: Vec<&'a str>,
    /// The intent.
    pub intent: &'a str,
}

impl<'a> IobLine<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// When the tab, the bounds or the intent are missing, or words and tags are not equally many.
    pub fn parse(line: &'a str) -> Result<Self, TextError> {
        let bad = |reason| TextError::BadIobLine { line: line.trim_end().to_owned(), reason };
        let (words, tags) = line.split_once('\t').ok_or_else(|| bad("a tab must part words and tags"))?;
        let mut words = words.split_whitespace();
        let utterance = words.next().ok_or_else(|| bad("it must begin with the name of the recording"))?;
        if words.next() != Some("BOS") || words.next_back() != Some("EOS") {
            return Err(bad("the words must stand between BOS and EOS"));
        }
        let mut tags = tags.split_whitespace();
        let (Some(_), Some(intent)) = (tags.next(), tags.next_back()) else {
            return Err(bad("the tags must stand between the tag of BOS and the intent"));
        };
        let (words, tags): (Vec<_>, Vec<_>) = (words.collect(), tags.collect());
        same_count(words.len(), tags.len())?;
        Ok(Self { utterance, words, tags, intent })
    }

    /// The split, which is the third part of the recording's name: `train` of `Aditi-snips-train-0`.
    pub fn split(&self) -> Option<&'a str> {
        self.utterance.split('-').nth(2)
    }

    /// The speaker, which is the first part of the recording's name.
    pub fn speaker(&self) -> Option<&'a str> {
        self.utterance.split('-').next()
    }
}

fn same_count(words: usize, tags: usize) -> Result<(), TextError> {
    if words == tags { Ok(()) } else { Err(TextError::TagCount { words, tags }) }
}

/// Words with one tag each as a text, the words joined by blanks, and the spans of its slots. All words are kept,
/// punctuation and `&` too.
///
/// Where each tag is `O`, `B-kind` or `I-kind`, a slot begins at each `B-`, and at an `I-` that does not go on with the
/// slot before it. Otherwise the tags are bare kinds, and a slot is a run of words with the same one: two slots of one
/// kind side by side cannot be told apart.
///
/// # Errors
/// When words and tags are not equally many.
pub fn spans_from_iob(words: &[&str], tags: &[&str]) -> Result<(String, Vec<SlotSpan>), TextError> {
    same_count(words.len(), tags.len())?;
    let parted = |tag: &'_ str| tag == "O" || tag.starts_with("B-") || tag.starts_with("I-");
    let bare = !tags.iter().all(|tag| parted(tag));
    let mut text = String::new();
    let mut spans: Vec<SlotSpan> = Vec::new();
    let mut open = false;
    for (place, (word, tag)) in words.iter().zip(tags).enumerate() {
        if place > 0 {
            text.push(' ');
        }
        let start = text.len();
        text.push_str(word);
        if *tag == "O" {
            open = false;
            continue;
        }
        let (begins, kind) = if bare { (false, *tag) } else { (tag.starts_with("B-"), &tag[2..]) };
        match spans.last_mut().filter(|span| open && !begins && span.kind == kind) {
            Some(span) => span.end = text.len(),
            None => spans.push(SlotSpan { kind: kind.to_owned(), start, end: text.len() }),
        }
        open = true;
    }
    Ok((text, spans))
}

/// The target that the reference makes of words and their bare tags, letter by letter.
///
/// Words that are a part of `?!.,;-` are skipped, with the tag that they should have carried; `&` is `AND`. The parts
/// are joined by blanks and by `|`, so that delimiters are doubled: `PLAY | B-genre | JAZZ | E-genre`.
/// `Wav2Vec2CTCTokenizer` makes delimiters of the bars and of most blanks; all of them are single again in what is
/// decoded.
pub fn tag_reference(words: &[(&str, &str)]) -> String {
    let mut parts = Vec::new();
    for (place, &(word, tag)) in words.iter().enumerate() {
        if SKIPPED.contains(word) {
            continue;
        }
        let tag_of = |other: Option<usize>| other.and_then(|at| words.get(at)).map(|&(_, tag)| tag);
        if tag != "O" && tag_of(place.checked_sub(1)) != Some(tag) {
            parts.extend([format!("B-{tag}"), "|".to_owned()]);
        }
        parts.push(if word == "&" { "AND" } else { word }.to_owned());
        if tag != "O" && tag_of(place.checked_add(1)) != Some(tag) {
            parts.extend(["|".to_owned(), format!("E-{tag}"), "|".to_owned()]);
        }
        if place + 1 < words.len() {
            parts.push("|".to_owned());
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(words: &[&str], tags: &[&str]) -> Vec<(String, String)> {
        let (text, spans) = spans_from_iob(words, tags).unwrap();
        assert_eq!(text, words.join(" "));
        spans.into_iter().map(|span| (span.kind, text[span.start..span.end].to_owned())).collect()
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|&(kind, value)| (kind.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn bare_tags_make_one_slot_of_a_run() {
        let found = slots(&["PLAY", "ÉTÉ", "81", "BY", "QUEEN"], &["O", "track", "track", "O", "artist"]);
        assert_eq!(found, pairs(&[("track", "ÉTÉ 81"), ("artist", "QUEEN")]));
        assert_eq!(slots(&["a", "b"], &["x", "y"]), pairs(&[("x", "a"), ("y", "b")]));
        assert_eq!(slots(&["a", "b", "c"], &["x", "O", "x"]), pairs(&[("x", "a"), ("x", "c")]));
    }

    #[test]
    fn tags_with_b_and_i_part_neighbours_of_one_kind() {
        let found = slots(&["a", "b", "c", "d"], &["B-x", "I-x", "B-x", "I-y"]);
        assert_eq!(found, pairs(&[("x", "a b"), ("x", "c"), ("y", "d")]));
    }

    #[test]
    fn a_line_of_audio_snips_is_read() {
        let line = "Aditi-snips-train-0 BOS PLAY JAZZ EOS\tO O genre PlayMusic\n";
        let read = IobLine::parse(line).unwrap();
        assert_eq!((read.utterance, read.intent), ("Aditi-snips-train-0", "PlayMusic"));
        assert_eq!((read.words, read.tags), (vec!["PLAY", "JAZZ"], vec!["O", "genre"]));
        let read = IobLine::parse(line).unwrap();
        assert_eq!((read.split(), read.speaker()), (Some("train"), Some("Aditi")));
    }

    #[test]
    fn a_damaged_line_is_refused_with_its_fault() {
        for (line, fault) in [
            ("a BOS b EOS O O x", "a tab must part words and tags"),
            ("a b EOS\tO O x", "the words must stand between BOS and EOS"),
            ("a BOS b EOS\tO", "the tags must stand between the tag of BOS and the intent"),
            ("\tO x", "it must begin with the name of the recording"),
        ] {
            assert!(IobLine::parse(line).unwrap_err().to_string().ends_with(fault), "{line}");
        }
        assert!(matches!(
            IobLine::parse("a BOS b EOS\tO O O x"),
            Err(TextError::TagCount { words: 1, tags: 2 })
        ));
    }

    #[test]
    fn the_target_of_the_reference_has_its_doubled_delimiters_and_its_lost_tags() {
        let words = [("PLAY", "O"), ("R", "genre"), ("&", "genre"), ("B", "genre"), ("NOW", "O")];
        assert_eq!(tag_reference(&words), "PLAY | B-genre | R | AND | B | E-genre | | NOW");
        // The slot's last word is skipped, and its end with it.
        let lost = [("PLAY", "O"), ("JAZZ", "genre"), ("!", "genre"), ("NOW", "O")];
        assert_eq!(tag_reference(&lost), "PLAY | B-genre | JAZZ | NOW");
        assert_eq!(tag_reference(&[("JAZZ", "genre")]), "B-genre | JAZZ | E-genre |");
    }
}
