//! Audio SNIPS (Lai et al. 2020, arXiv 2010.13826, as prepared by s3prl): commands with slots, spoken by 16 synthetic
//! voices.
//!
//! `{train,valid,test}/{voice}-snips-{split}-{number}.wav` and `all.iob.snips.txt`, whose lines are those of
//! [`sure_text::IobLine`]. The SURE paper uses all voices in every split; SUPERB has 8 for training, 4 for validation, 4
//! for test. Both turn `&` into `AND` and leave out words that are punctuation, with the tags that these carry: by the
//! reference's code a slot loses an end that is punctuation. Here slots are spans of the text, and only then is punctuation
//! left out; `&` stays. Under `reference` punctuation stays in the text too, as [`sure_text::tag_reference`] compares each
//! word with its neighbours, and skips punctuation itself. The intent is not read.

use std::collections::{HashMap, HashSet, hash_map::Entry};
use std::path::Path;

use serde_json::{Value, json};
use sure_text::{IobLine, SlotSpan, TextError, spans_from_iob};

use super::collect::{Collector, Fields};
use super::files::{Encodings, recordings};
use super::{Protocol, ReadOptions, Reader, Reading, What, note::Tally};
use crate::{DataError, Split};

pub(crate) struct Snips;

const LIST: &str = "all.iob.snips.txt";
const SLOTS: &str = "slots.txt";
/// What SUPERB's configuration has (s3prl, `downstream/ctc/snips.yaml`).
const SUPERB_TRAIN: [&str; 8] = ["Ivy", "Joanna", "Joey", "Justin", "Kendra", "Kimberly", "Matthew", "Salli"];
const SUPERB_VALID: [&str; 4] = ["Aditi", "Amy", "Geraint", "Nicole"];
const SUPERB_TEST: [&str; 4] = ["Brian", "Emma", "Raveena", "Russell"];

fn in_superb(split: Split, voice: &str) -> bool {
    match split {
        Split::Train => SUPERB_TRAIN.contains(&voice),
        Split::Valid => SUPERB_VALID.contains(&voice),
        Split::Test => SUPERB_TEST.contains(&voice),
    }
}

impl Reader for Snips {
    fn name(&self) -> &'static str {
        "audio-snips"
    }

    fn layout(&self) -> &'static str {
        "all.iob.snips.txt beside the folders train, valid, test"
    }

    fn detect(&self, root: &Path) -> bool {
        root.join(LIST).is_file()
    }

    fn read(&self, root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
        let mut found = Collector::new(self.name(), root);
        let mut encodings = Encodings::default();
        let text = encodings.read(&root.join(LIST))?;
        let (mut lines, mut again, mut rows) = (HashMap::new(), Tally::default(), 0);
        for line in text.lines() {
            let Some(id) = line.split_whitespace().next() else { continue };
            rows += 1;
            match lines.entry(id) {
                Entry::Vacant(place) => _ = place.insert(line),
                Entry::Occupied(_) => again.add(id),
            }
        }
        let mut state = State::new(options.protocol);
        let (mut no_row, mut other_voices, mut all) = (Tally::default(), Tally::default(), 0);
        for split in Split::ALL {
            let folder = root.join(split.name());
            if !folder.is_dir() {
                continue;
            }
            for recording in recordings(&folder)? {
                all += 1;
                let id = recording.stem().to_owned();
                let voice = id.split('-').next().unwrap_or_default().to_owned();
                let Some(line) = lines.remove(id.as_str()) else {
                    no_row.add(id);
                    continue;
                };
                if options.protocol == Protocol::Superb && !in_superb(split, &voice) {
                    other_voices.add(id);
                    continue;
                }
                let Some((text, slots)) = state.line(&id, line) else { continue };
                let fields = Fields::of(split).set("speaker", voice).set("text", text).set("slots", slots);
                found.push(id, recording.path, fields)?;
            }
        }
        found.note(
            no_row,
            What::NoRow { folder: "train, valid, test".to_owned(), list: LIST.to_owned(), of: all },
        );
        let mut left: Vec<&str> = lines.into_keys().collect();
        left.sort_unstable();
        found.note(left.into_iter().collect(), What::NoRecording { list: LIST.to_owned(), of: rows });
        let reason = "the utterance is in it before".to_owned();
        found.note(again, What::Unusable { place: LIST.to_owned(), reason, of: rows });
        let reason = "spoken by voices that SUPERB has in another split".to_owned();
        found.note(other_voices, What::LeftOut { reason });
        let unknown = unknown_kinds(root, &state.kinds, &mut encodings)?;
        found.note(unknown, What::UnknownLabel { task: "sf".to_owned(), key: "slots".to_owned() });
        state.notes(&mut found, rows);
        encodings.note(&mut found);
        found.note_empty("split", |split| format!("{split}/*.wav"));
        found.finish(options)
    }
}

/// The kinds of slots that `slots.txt` does not have.
fn unknown_kinds(
    root: &Path,
    kinds: &HashSet<String>,
    encodings: &mut Encodings,
) -> Result<Tally, DataError> {
    let path = root.join(SLOTS);
    if !path.is_file() {
        return Ok(Tally::default());
    }
    let text = encodings.read(&path)?;
    let known: HashSet<&str> = text.lines().map(str::trim).collect();
    let mut unknown: Vec<&str> =
        kinds.iter().map(String::as_str).filter(|kind| !known.contains(kind)).collect();
    unknown.sort_unstable();
    Ok(unknown.into_iter().collect())
}

struct State {
    protocol: Protocol,
    malformed: Tally,
    uneven: Tally,
    punctuation: Tally,
    ampersand: Tally,
    kinds: HashSet<String>,
}

impl State {
    fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            malformed: Tally::default(),
            uneven: Tally::default(),
            punctuation: Tally::default(),
            ampersand: Tally::default(),
            kinds: HashSet::new(),
        }
    }

    /// The text and the spans of slots of a line.
    fn line(&mut self, id: &str, line: &str) -> Option<(String, Value)> {
        let read = match IobLine::parse(line) {
            Ok(read) if !read.words.is_empty() => read,
            Err(TextError::TagCount { .. }) => {
                self.uneven.add(id);
                return None;
            }
            _ => {
                self.malformed.add(id);
                return None;
            }
        };
        let spell = |word| if self.protocol != Protocol::Sure && word == "&" { "AND" } else { word };
        let words: Vec<&str> = read.words.iter().map(|word| spell(*word)).collect();
        for (word, spelt) in read.words.iter().zip(&words) {
            if word != spelt {
                self.ampersand.add(id);
            }
        }
        let (mut text, mut slots) = spans_from_iob(&words, &read.tags).ok()?;
        if self.protocol != Protocol::Reference {
            (text, slots) = self.without_punctuation(id, &words, &slots);
        }
        for slot in &slots {
            if !self.kinds.contains(&slot.kind) {
                self.kinds.insert(slot.kind.clone());
            }
        }
        let slots = slots.into_iter().map(|slot| json!([slot.kind, slot.start, slot.end])).collect();
        Some((text, Value::Array(slots)))
    }

    /// The words, joined by blanks, without those that are punctuation, and the slots that have others.
    fn without_punctuation(
        &mut self,
        id: &str,
        words: &[&str],
        slots: &[SlotSpan],
    ) -> (String, Vec<SlotSpan>) {
        let (mut text, mut left): (String, Vec<SlotSpan>) = (String::new(), Vec::new());
        // Where the word was, and the slot of the last word that was kept.
        let (mut place, mut last) = (0, None);
        for word in words {
            let slot = slots.iter().position(|slot| (slot.start..slot.end).contains(&place));
            place += word.len() + 1;
            if is_punctuation(word) {
                self.punctuation.add(id);
                continue;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            let start = text.len();
            text.push_str(word);
            if let Some(slot) = slot {
                match left.last_mut().filter(|_| last == Some(slot)) {
                    Some(span) => span.end = text.len(),
                    None => left.push(SlotSpan { kind: slots[slot].kind.clone(), start, end: text.len() }),
                }
                last = Some(slot);
            }
        }
        (text, left)
    }

    fn notes(self, found: &mut Collector<'_>, rows: usize) {
        let reason =
            "they are not of the form `utterance BOS words EOS`, a tab, tags and the intent".to_owned();
        found.note(self.malformed, What::Unusable { place: LIST.to_owned(), reason, of: rows });
        let reason = "there are not as many tags as words".to_owned();
        found.note(self.uneven, What::Unusable { place: LIST.to_owned(), reason, of: rows });
        let reason = "words that are punctuation are left out".to_owned();
        found.note(self.punctuation, What::Reworded { reason });
        let reason = format!("`&` is AND in the protocol `{}`", self.protocol.name());
        found.note(self.ampersand, What::Reworded { reason });
    }
}

/// As in s3prl: a word that is a part of this string is not spoken.
fn is_punctuation(word: &str) -> bool {
    "?!.,;-".contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(protocol: Protocol, line: &str) -> Option<(String, Value)> {
        State::new(protocol).line("a", &format!("a {line}"))
    }

    #[test]
    fn slots_are_spans_of_the_text() {
        let line = "BOS PLAY Ænima , BY TOOL & MORE EOS\tO O album album O artist artist artist PlayMusic";
        let (text, slots) = read(Protocol::Sure, line).unwrap();
        assert_eq!(text, "PLAY Ænima BY TOOL & MORE");
        assert_eq!(slots, json!([["album", 5, 11], ["artist", 15, 26]]));
        assert_eq!((&text[5..11], &text[15..26]), ("Ænima", "TOOL & MORE"));
        let (text, slots) = read(Protocol::Superb, line).unwrap();
        assert_eq!(&text[15..28], "TOOL AND MORE");
        assert_eq!(slots, json!([["album", 5, 11], ["artist", 15, 28]]));
    }

    #[test]
    fn a_slot_keeps_its_ends_where_its_first_or_last_word_is_punctuation() {
        let (text, slots) =
            read(Protocol::Sure, "BOS SEE - HIM . NOW EOS\tO O movie movie movie O X").unwrap();
        assert_eq!((text.as_str(), slots), ("SEE HIM NOW", json!([["movie", 4, 7]])));
        let (text, slots) = read(Protocol::Sure, "BOS SEE . EOS\tO O movie X").unwrap();
        assert_eq!((text.as_str(), slots), ("SEE", json!([])));
        let (text, slots) = read(Protocol::Sure, "BOS A - B EOS\tO x x x X").unwrap();
        assert_eq!((text.as_str(), slots), ("A B", json!([["x", 0, 3]])));
    }

    #[test]
    fn punctuation_between_slots_parts_them_and_the_reference_sees_it() {
        let line = "BOS PLAY A , B EOS\tO O x O x X";
        let (text, slots) = read(Protocol::Sure, line).unwrap();
        assert_eq!((text.as_str(), slots), ("PLAY A B", json!([["x", 5, 6], ["x", 7, 8]])));
        let (text, slots) = read(Protocol::Reference, line).unwrap();
        assert_eq!((text.as_str(), slots), ("PLAY A , B", json!([["x", 5, 6], ["x", 9, 10]])));
        let (text, slots) = read(Protocol::Reference, "BOS SEE - HIM . EOS\tO O m m m X").unwrap();
        assert_eq!((text.as_str(), slots), ("SEE - HIM .", json!([["m", 4, 11]])));
    }

    #[test]
    fn prefixes_of_tags_part_slots_of_one_kind() {
        let (_, slots) = read(Protocol::Sure, "BOS A B C EOS\tO B-x I-x B-x X").unwrap();
        assert_eq!(slots, json!([["x", 0, 3], ["x", 4, 5]]));
    }

    #[test]
    fn a_line_with_another_number_of_tags_is_no_utterance() {
        for line in
            ["", "BOS A EOS", "BOS A EOS\tO O", "BOS EOS\tO X", "BOS A B EOS\tO O X", "A B EOS\tO O X"]
        {
            assert_eq!(read(Protocol::Sure, line), None, "{line}");
        }
    }
}
