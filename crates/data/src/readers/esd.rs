//! The Emotional Speech Dataset (Zhou et al. 2021, arXiv 2010.14794): its English part, speakers 0011 to 0020.
//!
//! `{speaker}/{Emotion}/{train|evaluation|test}/*.wav` with `{speaker}/{speaker}.txt`, or the copies without folders for
//! splits. There the split follows from the number in the name: of each 350 the first 20 are for evaluation, the next 30
//! for test, as in the copies with folders (`0011_000351` and `0018_001417` are for evaluation,
//! `0012_001421` for test, `0012_001451` for training).

use std::collections::HashMap;
use std::path::Path;

use super::collect::{Collector, Fields};
use super::files::{Encodings, Entry, any_folder, folders, recordings};
use super::{ReadOptions, Reader, Reading, What, note::Tally};
use crate::{DataError, Split};

pub(crate) struct Esd;

const EMOTIONS: [&str; 5] = ["Angry", "Happy", "Neutral", "Surprise", "Sad"];
const FOLDERS: [(&str, Split); 3] =
    [("train", Split::Train), ("evaluation", Split::Valid), ("test", Split::Test)];

/// The speakers of the set have four digits.
fn is_speaker(name: &str) -> bool {
    name.len() == 4 && name.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_english(name: &str) -> bool {
    is_speaker(name) && ("0011"..="0020").contains(&name)
}

impl Reader for Esd {
    fn name(&self) -> &'static str {
        "esd"
    }

    fn layout(&self) -> &'static str {
        "folders 0011 to 0020 with Angry, Happy, Neutral, Sad, Surprise in them"
    }

    fn detect(&self, root: &Path) -> bool {
        any_folder(root, |name| {
            is_speaker(name) && EMOTIONS.iter().any(|emotion| root.join(name).join(emotion).is_dir())
        })
    }

    fn read(&self, root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
        let mut found = Collector::new(self.name(), root);
        let mut state = State::default();
        for speaker in folders(root)? {
            match speaker.name.as_str() {
                name if is_english(name) => state.speaker(&mut found, &speaker)?,
                name if is_speaker(name) => state.foreign.add(name),
                name => state.other.add(name),
            }
        }
        let State { foreign, other, no_text, unnumbered, flat, encodings } = state;
        found.note(foreign, What::LeftOut { reason: "speakers of Mandarin".to_owned() });
        found.note(other, What::OtherPart);
        let of = flat + unnumbered.count();
        let reason = "the number in the name, which tells the split, is missing".to_owned();
        found.note(unnumbered, What::Unusable { place: "folders without splits".to_owned(), reason, of });
        let of = found.len();
        found.note(no_text, What::NoText { of });
        encodings.note(&mut found);
        if flat > 0 {
            let rule = "splits by number, as there are no folders for them: of each 350 utterances the first 20 for \
                        valid, the next 30 for test";
            found.say(What::Rule { rule: rule.to_owned() });
        }
        found.note_empty("split", |split| {
            let folder = FOLDERS.iter().find(|(_, known)| *known == split).map_or("", |(name, _)| name);
            format!("*/*/{folder}/*.wav")
        });
        found.finish(options)
    }
}

#[derive(Default)]
struct State {
    foreign: Tally,
    other: Tally,
    no_text: Tally,
    unnumbered: Tally,
    /// Recordings in folders without splits.
    flat: usize,
    encodings: Encodings,
}

impl State {
    fn speaker(&mut self, found: &mut Collector<'_>, speaker: &Entry) -> Result<(), DataError> {
        let list = speaker.path.join(format!("{}.txt", speaker.name));
        let texts = if list.is_file() { transcripts(&self.encodings.read(&list)?) } else { HashMap::new() };
        for emotion in folders(&speaker.path)? {
            if !EMOTIONS.contains(&emotion.name.as_str()) {
                self.other.add(found.name_of(&emotion.path));
                continue;
            }
            for (folder, split) in FOLDERS {
                let folder = emotion.path.join(folder);
                if folder.is_dir() {
                    for recording in recordings(&folder)? {
                        self.push(found, &texts, [&speaker.name, &emotion.name], recording, split)?;
                    }
                }
            }
            for recording in recordings(&emotion.path)? {
                let Some(split) = split_of(recording.stem()) else {
                    self.unnumbered.add(found.name_of(&recording.path));
                    continue;
                };
                self.flat += 1;
                self.push(found, &texts, [&speaker.name, &emotion.name], recording, split)?;
            }
        }
        Ok(())
    }

    fn push(
        &mut self,
        found: &mut Collector<'_>,
        texts: &HashMap<String, String>,
        [speaker, emotion]: [&str; 2],
        recording: Entry,
        split: Split,
    ) -> Result<(), DataError> {
        let id = recording.stem().to_owned();
        let text = texts.get(&id).cloned();
        if text.is_none() {
            self.no_text.add(id.as_str());
        }
        // All speakers are in all splits, with other sentences, so speaker recognition has the same ones.
        let fields = Fields::of(split)
            .set("sid_split", split.name())
            .set("speaker", speaker)
            .set("emotion", emotion)
            .maybe("text", text);
        found.push(id, recording.path, fields)
    }
}

/// The split of `0011_000351`.
fn split_of(stem: &str) -> Option<Split> {
    let (_, number) = stem.rsplit_once('_')?;
    let number: u32 = number.parse().ok()?;
    Some(match number.checked_sub(1)? % 350 {
        0..20 => Split::Valid,
        20..50 => Split::Test,
        _ => Split::Train,
    })
}

/// The sentences by id. A line is `id <tab> sentence <tab> emotion`; in some copies some tabs are blanks. What stands
/// behind the second tab is the emotion, however it is spelt; behind a blank only one that is known is.
fn transcripts(text: &str) -> HashMap<String, String> {
    let mut texts = HashMap::new();
    for line in text.lines() {
        let line = line.trim_matches(|letter: char| letter.is_whitespace() || letter == '\0');
        let Some((id, rest)) = line.split_once(char::is_whitespace) else { continue };
        // What is left of a byte order mark that was written twice, or in another encoding, sticks to the first id.
        let id: String = id.chars().filter(|letter| letter.is_ascii_digit() || *letter == '_').collect();
        let rest = rest.trim();
        let sentence = match (rest.split_once('\t'), rest.rsplit_once(char::is_whitespace)) {
            (Some((sentence, _)), _) => sentence.trim(),
            (None, Some((sentence, emotion))) if EMOTIONS.contains(&emotion) => sentence.trim(),
            _ => rest,
        };
        if !id.is_empty() && !sentence.is_empty() {
            texts.insert(id, sentence.to_owned());
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_tells_the_split() {
        for (stem, split) in [
            ("0011_000001", Split::Valid),
            ("0011_000351", Split::Valid),
            ("0018_001417", Split::Valid),
            ("0012_001421", Split::Test),
            ("0011_000021", Split::Test),
            ("0011_000051", Split::Train),
            ("0012_001451", Split::Train),
            ("0020_001750", Split::Train),
        ] {
            assert_eq!(split_of(stem), Some(split), "{stem}");
        }
        for stem in ["0011", "0011_", "0011_x", "0011_000000", "0011_99999999999"] {
            assert_eq!(split_of(stem), None, "{stem}");
        }
    }

    #[test]
    fn transcripts_survive_junk_before_the_first_id_and_blanks_for_tabs() {
        let text = "0011_000004\tI did go.\tangry\n0011_000005 I did go.\tSuprise\n";
        assert_eq!(transcripts(text).into_values().collect::<Vec<_>>(), ["I did go."; 2]);
        let text = "ÿþ0011_000001\tThe nine the eggs, I keep.\tNeutral\r\n\n0011_000002 I did go. Angry\n0011_000003\n";
        let texts = transcripts(text);
        assert_eq!(texts["0011_000001"], "The nine the eggs, I keep.");
        assert_eq!(texts["0011_000002"], "I did go.");
        assert_eq!(texts.len(), 2);
    }
}
