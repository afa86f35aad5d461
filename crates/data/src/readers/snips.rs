//! Audio SNIPS (Lai et al. 2020, arXiv 2010.13826, as prepared by s3prl): commands with slots, spoken by 16 synthetic
//! voices.
//!
//! `{train,valid,test}/{voice}-snips-{split}-{number}.wav` and `all.iob.snips.txt`, where a line is
//! `utterance BOS w1 ... wn EOS <tab> O t1 ... tn Intent`. The SURE paper uses all voices in every split; SUPERB has 8
//! for training, 4 for validation, 4 for test. Both turn `&` into `AND` and leave out words that are punctuation; here
//! `&` stays, and slots are spans of the text, so that none loses an end to punctuation. The intent is not read.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::{Value, json};

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
        let mut lines: HashMap<&str, &str> =
            text.lines().filter_map(|line| line.trim().split_once(char::is_whitespace)).collect();
        let mut state = State { protocol: options.protocol, ..State::default() };
        let (rows, mut no_row, mut other_voices, mut all) =
            (lines.len(), Tally::default(), Tally::default(), 0);
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
    uneven: Tally,
    punctuation: Tally,
    ampersand: Tally,
    kinds: HashSet<String>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            protocol: Protocol::Sure,
            uneven: Tally::default(),
            punctuation: Tally::default(),
            ampersand: Tally::default(),
            kinds: HashSet::new(),
        }
    }
}

impl State {
    /// The text and the spans of slots of `BOS w1 ... wn EOS <tab> O t1 ... tn Intent`.
    fn line(&mut self, id: &str, line: &str) -> Option<(String, Value)> {
        let (words, tags) = line.split_once('\t').unwrap_or_default();
        let words: Vec<&str> = words.split_whitespace().collect();
        let tags: Vec<&str> = tags.split_whitespace().collect();
        if words.len() != tags.len() || words.len() < 3 {
            self.uneven.add(id);
            return None;
        }
        let (mut text, mut slots) = (String::new(), Vec::<(String, usize, usize)>::new());
        let mut before = "O";
        let mut open = false;
        for (word, tag) in words.iter().zip(&tags).take(words.len() - 1).skip(1) {
            // A tag is the kind alone; copies with IOB prefixes say where the next slot of the same kind begins.
            let (begins, kind) = match tag.split_once('-') {
                Some(("B", kind)) => (true, kind),
                Some(("I", kind)) => (false, kind),
                _ => (false, *tag),
            };
            if begins || kind != before {
                open = false;
            }
            before = kind;
            if is_punctuation(word) {
                self.punctuation.add(id);
                continue;
            }
            let word = match (*word, self.protocol) {
                ("&", Protocol::Reference | Protocol::Superb) => {
                    self.ampersand.add(id);
                    "AND"
                }
                (word, _) => word,
            };
            if !text.is_empty() {
                text.push(' ');
            }
            let start = text.len();
            text.push_str(word);
            if kind == "O" {
                continue;
            }
            match slots.last_mut().filter(|_| open) {
                Some((_, _, end)) => *end = text.len(),
                None => slots.push((kind.to_owned(), start, text.len())),
            }
            open = true;
            if !self.kinds.contains(kind) {
                self.kinds.insert(kind.to_owned());
            }
        }
        let slots = slots.into_iter().map(|(kind, start, end)| json!([kind, start, end])).collect();
        Some((text, Value::Array(slots)))
    }

    fn notes(self, found: &mut Collector<'_>, rows: usize) {
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
        State { protocol, ..State::default() }.line("a", line)
    }

    #[test]
    fn slots_are_spans_of_the_text() {
        let line = "BOS PLAY Ænima , BY TOOL & MORE EOS\tO O album album O artist artist artist PlayMusic";
        let (text, slots) = read(Protocol::Sure, line).unwrap();
        assert_eq!(text, "PLAY Ænima BY TOOL & MORE");
        assert_eq!(slots, json!([["album", 5, 11], ["artist", 15, 26]]));
        assert_eq!((&text[5..11], &text[15..26]), ("Ænima", "TOOL & MORE"));
        let (text, slots) = read(Protocol::Reference, line).unwrap();
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
    }

    #[test]
    fn prefixes_of_tags_part_slots_of_one_kind() {
        let (_, slots) = read(Protocol::Sure, "BOS A B C EOS\tO B-x I-x B-x X").unwrap();
        assert_eq!(slots, json!([["x", 0, 3], ["x", 4, 5]]));
    }

    #[test]
    fn a_line_with_another_number_of_tags_is_no_utterance() {
        for line in ["", "BOS A EOS", "BOS A EOS\tO O", "BOS EOS\tO X", "BOS A B EOS\tO O X"] {
            assert_eq!(read(Protocol::Sure, line), None, "{line}");
        }
    }
}
