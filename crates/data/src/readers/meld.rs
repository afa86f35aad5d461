//! MELD (Poria et al. 2019, arXiv 1810.02508): utterances of a television series, one of seven emotions each.
//!
//! `{train|dev|test}/diaX_uttY.wav` with `{train|dev|test}_sent_emo.csv`. The owner hands out videos; the wav files are
//! made from them. The test folder as published has 137 files more than its list, which the SURE paper's code skips in
//! silence.

use std::collections::{BTreeMap, HashSet, btree_map::Entry};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::collect::{Collector, Fields};
use super::files::{AUDIO, Encodings, Table, files};
use super::{ReadOptions, Reader, Reading, What, note::Tally};
use crate::{DataError, Split};

pub(crate) struct Meld;

struct Part {
    split: Split,
    list: &'static str,
    /// The folder for wav files, that of the reference in it, and the owner's name for that of the videos.
    folders: [&'static str; 3],
}

const PARTS: [Part; 3] = [
    Part {
        split: Split::Train,
        list: "train_sent_emo.csv",
        folders: ["train", "train/train_splits", "train_splits"],
    },
    Part {
        split: Split::Valid,
        list: "dev_sent_emo.csv",
        folders: ["dev", "dev/dev_splits_complete", "dev_splits_complete"],
    },
    Part {
        split: Split::Test,
        list: "test_sent_emo.csv",
        folders: ["test", "test/output_repeated_splits_test", "output_repeated_splits_test"],
    },
];

impl Part {
    /// The list, in the set's folder or in the folder of its recordings.
    fn list(&self, root: &Path) -> Option<PathBuf> {
        let inner = self.folders[0];
        [root.join(self.list), root.join(inner).join(self.list)].into_iter().find(|path| path.is_file())
    }

    /// The first folder with recordings; without one the first with videos, else the first that is there.
    fn folder(&self, root: &Path) -> Result<Option<Content>, DataError> {
        let mut best: Option<Content> = None;
        for folder in self.folders.iter().map(|name| root.join(name)).filter(|folder| folder.is_dir()) {
            let content = Content::of(folder)?;
            if best.as_ref().is_none_or(|best| content.rank() > best.rank()) {
                best = Some(content);
            }
        }
        Ok(best)
    }
}

impl Reader for Meld {
    fn name(&self) -> &'static str {
        "meld"
    }

    fn layout(&self) -> &'static str {
        "train_sent_emo.csv, dev_sent_emo.csv, test_sent_emo.csv beside the folders train, dev, test"
    }

    fn detect(&self, root: &Path) -> bool {
        PARTS.iter().any(|part| part.list(root).is_some())
    }

    fn read(&self, root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
        let mut found = Collector::new(self.name(), root);
        let mut encodings = Encodings::default();
        for part in &PARTS {
            let Some(content) = part.folder(root)? else { continue };
            let list = part.list(root).ok_or_else(|| DataError::MissingPart {
                set: "meld",
                path: root.join(part.list),
                advice: "it comes with MELD.Raw.tar.gz, and from github.com/declare-lab/MELD",
            })?;
            read_part(&mut found, part.split, &list, content, &mut encodings)?;
        }
        encodings.note(&mut found);
        found.note_empty("split", |split| {
            let part = PARTS.iter().find(|part| part.split == split);
            part.map_or_else(String::new, |part| format!("{}/dia*_utt*.wav", part.folders[0]))
        });
        found.finish(options)
    }
}

fn read_part(
    found: &mut Collector<'_>,
    split: Split,
    list: &Path,
    content: Content,
    encodings: &mut Encodings,
) -> Result<(), DataError> {
    let Content { folder, mut recordings, videos, again } = content;
    let place = found.name_of(&folder);
    let of = recordings.len() + videos.count() + again.count();
    let reason = "they are videos; make a wav file of each: ffmpeg -i X.mp4 -ac 1 -ar 16000 X.wav".to_owned();
    found.note(videos, What::Unusable { place: place.clone(), reason, of });
    let reason = "another recording of the same utterance is taken".to_owned();
    found.note(again, What::Unusable { place: place.clone(), reason, of });
    let columns = ["Dialogue_ID", "Utterance_ID", "Speaker", "Emotion", "Utterance"];
    let table = Table::read(list, &columns, encodings)?;
    let (mut no_recording, mut no_emotion, mut twice) =
        (Tally::default(), Tally::default(), Tally::default());
    let mut seen = HashSet::new();
    for (line, [dialogue, utterance, speaker, emotion, text]) in table.rows() {
        let key = format!("dia{dialogue}_utt{utterance}");
        if !seen.insert(key.clone()) {
            twice.add(format!("line {line} ({key})"));
            continue;
        }
        if emotion.is_empty() {
            no_emotion.add(format!("line {line}"));
            recordings.remove(&key);
            continue;
        }
        let Some(recording) = recordings.remove(&key) else {
            no_recording.add(key);
            continue;
        };
        // Every split counts its dialogues from 0.
        let id = format!("{split}_{key}");
        let fields = Fields::of(split).set("speaker", speaker).set("emotion", emotion).set("text", text);
        found.push(id, recording, fields)?;
    }
    let name = found.name_of(list);
    let of = table.len();
    found.note(no_recording, What::NoRecording { list: name.clone(), of });
    let reason = "the utterance is in it before".to_owned();
    found.note(twice, What::Unusable { place: name.clone(), reason, of });
    let reason = "the emotion is empty".to_owned();
    found.note(no_emotion, What::Unusable { place: name.clone(), reason, of });
    let of = recordings.len() + found.in_split(split);
    let no_row: Tally = recordings.into_keys().collect();
    found.note(no_row, What::NoRow { folder: place, list: name, of });
    Ok(())
}

/// What a folder of recordings holds.
struct Content {
    folder: PathBuf,
    /// By the name of the utterance.
    recordings: BTreeMap<String, PathBuf>,
    /// Videos of which there is no recording.
    videos: Tally,
    /// Further recordings of an utterance.
    again: Tally,
}

impl Content {
    fn of(folder: PathBuf) -> Result<Self, DataError> {
        let (mut recordings, mut videos, mut again) = (BTreeMap::new(), Tally::default(), Tally::default());
        let mut audio = files(&folder, &AUDIO)?;
        // Some converters append their ending: `dia0_utt0.mp4.wav`. One that is called as it should be goes before.
        let key = |file: &super::files::Entry| file.stem().trim_end_matches(".mp4").to_owned();
        audio.sort_by_key(|file| key(file) != file.stem());
        for file in audio {
            match recordings.entry(key(&file)) {
                Entry::Vacant(place) => _ = place.insert(file.path),
                Entry::Occupied(_) => again.add(file.name),
            }
        }
        for file in files(&folder, &["mp4"])? {
            if recordings.contains_key(file.stem()) {
                continue;
            }
            if is_audio(&file.path) {
                recordings.insert(file.stem().to_owned(), file.path);
            } else {
                videos.add(file.name);
            }
        }
        Ok(Self { folder, recordings, videos, again })
    }

    fn rank(&self) -> (bool, bool) {
        (!self.recordings.is_empty(), self.videos.count() > 0)
    }
}

/// Whether a file that is called like a video is a wav or FLAC file.
fn is_audio(path: &Path) -> bool {
    let mut start = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && [b"RIFF", b"fLaC"].contains(&&start)
}
