//! Google Speech Commands (Warden 2018, arXiv 1804.03209), versions 0.01 and 0.02.
//!
//! A folder a word, `testing_list.txt` and `validation_list.txt`; what neither list names is for training. The SURE paper
//! takes 11 words, those of arXiv 2101.04792, and neither silence nor other words. SUPERB has 12 classes: 10 words,
//! `_unknown_` for all others and `_silence_` for background noise; it tests on another archive,
//! `speech_commands_test_set_v0.01`, which has a folder a class. The parquet files of `google/speech_commands` on the hub
//! have that test set too, for both versions. In it `four` is one of the words of `_unknown_`, so that the 11 words of the
//! SURE paper have 10 in test.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use serde_json::Value;

use super::collect::{Collector, Fields};
use super::files::{Encodings, folders, recordings};
use super::unpack::{Unpacked, hub_rows, unnamed_rows};
use super::{Note, Protocol, ReadOptions, Reader, Reading, What, note::Tally};
use crate::{DataError, Split};

pub(crate) struct SpeechCommands;

const LISTS: [(&str, Split); 2] = [("testing_list.txt", Split::Test), ("validation_list.txt", Split::Valid)];
const NOISE: &str = "_background_noise_";
const SILENCE: &str = "_silence_";
const UNKNOWN: &str = "_unknown_";
/// The reference's order.
const WORDS: [&str; 11] = ["off", "up", "stop", "four", "no", "down", "left", "go", "yes", "on", "right"];
const SUPERB_WORDS: [&str; 10] = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"];
/// Words that only version 0.02 has.
const LATER_WORDS: [&str; 5] = ["backward", "follow", "forward", "learn", "visual"];
/// Where SUPERB's other archive is looked for.
const TEST_SETS: [&str; 2] = ["speech_commands_test_set_v0.01", "test"];

/// The hub's names.
const HUB_PARTS: [(&str, Split); 3] =
    [("train", Split::Train), ("validation", Split::Valid), ("test", Split::Test)];
const COLUMNS: [&str; 4] = ["file", "label", "speaker_id", "utterance_id"];

fn has_lists(root: &Path) -> bool {
    LISTS.iter().all(|(list, _)| root.join(list).is_file())
}

impl Reader for SpeechCommands {
    fn name(&self) -> &'static str {
        "speech-commands"
    }

    fn layout(&self) -> &'static str {
        "testing_list.txt and validation_list.txt beside a folder for each word, or parquet files of the hub with a column \
         utterance_id"
    }

    fn detect(&self, root: &Path) -> bool {
        has_lists(root)
    }

    fn columns(&self) -> &'static [&'static str] {
        &COLUMNS
    }

    fn read(&self, root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
        if !has_lists(root) {
            return read_hub(root, options);
        }
        let mut found = Collector::new(self.name(), root);
        let mut encodings = Encodings::default();
        let lists = Lists::read(root, &mut encodings)?;
        let version = if lists.words().any(|word| LATER_WORDS.contains(&word)) { "0.02" } else { "0.01" };
        let classes = Classes::of(options.protocol);
        let mut tree = Tree { lists: &lists, classes, seen: HashSet::new(), others: BTreeMap::new() };
        let mut words = BTreeSet::new();
        for folder in folders(root)? {
            match folder.name.as_str() {
                NOISE if classes == Classes::Superb => noise(&mut found, &folder.path)?,
                NOISE => {}
                name if TEST_SETS.contains(&name) && classes == Classes::Superb => {}
                word => {
                    words.insert(word.to_owned());
                    tree.word(&mut found, word, &folder.path)?;
                }
            }
        }
        let Tree { seen, others, .. } = tree;
        found.say(What::Version { version: version.to_owned() });
        if classes == Classes::Superb {
            superb_test(&mut found, root)?;
        }
        for (name, split) in LISTS {
            // Whoever keeps a few words only has the whole lists nevertheless.
            let rows: Vec<&str> = lists.of(split).filter(|path| words.contains(word_of(path))).collect();
            let missing: Tally = rows.iter().filter(|path| !seen.contains(**path)).copied().collect();
            found.note(missing, What::NoRecording { list: name.to_owned(), of: rows.len() });
        }
        note_others(&mut found, others, options.protocol);
        found.note_untested("keyword");
        encodings.note(&mut found);
        found.note_empty("split", |split| match LISTS.iter().find(|(_, known)| *known == split) {
            Some((list, _)) => format!("recordings of these words in {list}"),
            None => "recordings that are in neither list".to_owned(),
        });
        found.finish(options)
    }
}

/// Which words are classes.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Classes {
    Sure,
    Superb,
}

impl Classes {
    fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Sure | Protocol::Reference => Self::Sure,
            Protocol::Superb => Self::Superb,
        }
    }

    /// The class of a word; none where it is left out.
    fn class(self, word: &str) -> Option<&str> {
        match self {
            Self::Sure => WORDS.contains(&word).then_some(word),
            Self::Superb if SUPERB_WORDS.contains(&word) || [SILENCE, UNKNOWN].contains(&word) => Some(word),
            Self::Superb => Some(UNKNOWN),
        }
    }
}

/// The owner's lists: the split by `word/file`.
struct Lists(HashMap<String, Split>);

impl Lists {
    fn read(root: &Path, encodings: &mut Encodings) -> Result<Self, DataError> {
        let mut splits = HashMap::new();
        for (name, split) in LISTS {
            for line in encodings.read(&root.join(name))?.lines() {
                let line = line.trim();
                if !line.is_empty() {
                    splits.insert(line.to_owned(), split);
                }
            }
        }
        Ok(Self(splits))
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|path| word_of(path))
    }

    /// The recordings of a split, sorted.
    fn of(&self, split: Split) -> impl Iterator<Item = &str> {
        let paths: BTreeSet<&str> =
            self.0.iter().filter(|(_, found)| **found == split).map(|(path, _)| path.as_str()).collect();
        paths.into_iter()
    }
}

fn word_of(path: &str) -> &str {
    path.split_once('/').map_or("", |(word, _)| word)
}

/// `00176480_nohash_0` is the first recording of the speaker `00176480`.
fn speaker_of(stem: &str) -> Option<&str> {
    stem.split_once("_nohash_").map(|(speaker, _)| speaker)
}

struct Tree<'a> {
    lists: &'a Lists,
    classes: Classes,
    /// What was found, as the lists name it.
    seen: HashSet<String>,
    /// How many recordings words have that are no classes.
    others: BTreeMap<String, usize>,
}

impl Tree<'_> {
    fn word(&mut self, found: &mut Collector<'_>, word: &str, folder: &Path) -> Result<(), DataError> {
        let class = self.classes.class(word);
        for recording in recordings(folder)? {
            let path = format!("{word}/{}", recording.name);
            let split = self.lists.0.get(&path).copied().unwrap_or(Split::Train);
            self.seen.insert(path);
            match class {
                // SUPERB's test recordings come from the other archive.
                Some(_) if self.classes == Classes::Superb && split == Split::Test => {}
                Some(class) => {
                    let fields = Fields::of(split)
                        .set("keyword", class)
                        .maybe("speaker", speaker_of(recording.stem()));
                    found.push(format!("{word}/{}", recording.stem()), recording.path, fields)?;
                }
                None => *self.others.entry(word.to_owned()).or_default() += 1,
            }
        }
        Ok(())
    }
}

/// The note about words that are no classes.
fn note_others(found: &mut Collector<'_>, others: BTreeMap<String, usize>, protocol: Protocol) {
    let (count, names): (usize, Vec<String>) = (others.values().sum(), others.into_keys().collect());
    if count > 0 {
        let reason =
            format!("recordings of {} words that are no classes of `{}`", names.len(), protocol.name());
        found.add(Note {
            what: What::LeftOut { reason },
            count,
            examples: names.into_iter().take(3).collect(),
        });
    }
}

fn read_hub(root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
    let mut found = Collector::new(SpeechCommands.name(), root);
    let classes = Classes::of(options.protocol);
    let other_version = other_version(root, classes)?;
    let rows = hub_rows(&mut found, &COLUMNS, options, |shard| {
        let wanted = !shard.name.split('/').any(|folder| Some(folder) == other_version);
        HUB_PARTS.iter().find(|(part, _)| wanted && *part == shard.part).map(|(_, split)| *split)
    })?;
    let (mut others, mut later) = (BTreeMap::<String, usize>::new(), false);
    let (mut unnamed, all) = (Tally::default(), rows.len());
    for (split, audio, row) in rows {
        // A copy without the names of classes has numbers; the folder says the word as well.
        let label = row.values.get("label").and_then(Value::as_str);
        let word = label.or_else(|| word_of_file(&row)).unwrap_or_default().to_owned();
        later |= LATER_WORDS.contains(&word.as_str());
        let Some(class) = classes.class(&word) else {
            *others.entry(word).or_default() += 1;
            continue;
        };
        let Some(stem) = row.stem("file") else {
            unnamed.add(row.place());
            continue;
        };
        // The same files of noise are in several splits, and the test set is another archive.
        let id = match (split, word.as_str()) {
            (Split::Test, _) | (_, SILENCE) => format!("{split}/{word}/{stem}"),
            _ => format!("{word}/{stem}"),
        };
        let speaker = row.text("speaker_id").filter(|speaker| !speaker.is_empty());
        let fields = Fields::of(split).set("keyword", class).maybe("speaker", speaker);
        found.push_row(id, audio, &row, fields)?;
    }
    found.note(unnamed, unnamed_rows("file", all));
    found.say(What::Version { version: if later { "0.02" } else { "0.01" }.to_owned() });
    let rule = "test is the hub's: the owner's archive of 12 classes, which is smaller than testing_list.txt";
    found.say(What::Rule { rule: rule.to_owned() });
    note_others(&mut found, others, options.protocol);
    found.note_untested("keyword");
    found.note_empty("split", |split| {
        let part = HUB_PARTS.iter().find(|(_, known)| *known == split).map_or("", |(part, _)| part);
        format!("parquet files of {part}")
    });
    found.finish(options)
}

fn word_of_file(row: &Unpacked) -> Option<&str> {
    row.values.get("file")?.as_str()?.rsplit('/').nth(1)
}

/// The version that is not read where both are there: SUPERB has 0.01, the SURE paper 0.02.
fn other_version(root: &Path, classes: Classes) -> Result<Option<&'static str>, DataError> {
    let shards = super::hub::shards(root)?;
    let has =
        |version: &str| shards.iter().any(|shard| shard.name.split('/').any(|folder| folder == version));
    let other = if classes == Classes::Superb { "v0.02" } else { "v0.01" };
    Ok((has("v0.01") && has("v0.02")).then_some(other))
}

/// SUPERB's silence: the files of noise, in training and in validation.
fn noise(found: &mut Collector<'_>, folder: &Path) -> Result<(), DataError> {
    for split in [Split::Train, Split::Valid] {
        for recording in recordings(folder)? {
            let id = format!("{split}/{NOISE}/{}", recording.stem());
            found.push(id, recording.path, Fields::of(split).set("keyword", SILENCE))?;
        }
    }
    let rule =
        "`_silence_` is the beginning of each file of noise, where SUPERB draws a second of it at random";
    found.say(What::Rule { rule: rule.to_owned() });
    Ok(())
}

/// SUPERB's test archive: a folder a class.
fn superb_test(found: &mut Collector<'_>, root: &Path) -> Result<(), DataError> {
    let beside = root.parent().map(|parent| parent.join(TEST_SETS[0]));
    let inside = TEST_SETS.iter().map(|name| root.join(name));
    let folder = inside.chain(beside).find(|folder| folder.is_dir());
    let folder = folder.ok_or_else(|| DataError::MissingPart {
        set: "speech-commands",
        path: root.join(TEST_SETS[0]),
        advice: "SUPERB tests on the archive speech_commands_test_set_v0.01.tar.gz; unpack it there, or use the \
                 protocol `sure`",
    })?;
    for class in folders(&folder)? {
        for recording in recordings(&class.path)? {
            let id = format!("test/{}/{}", class.name, recording.stem());
            let label = Classes::Superb.class(&class.name).unwrap_or(UNKNOWN);
            let fields =
                Fields::of(Split::Test).set("keyword", label).maybe("speaker", speaker_of(recording.stem()));
            found.push(id, recording.path, fields)?;
        }
    }
    Ok(())
}
