//! LibriSpeech (Panayotov et al. 2015): `train-clean-100`, `dev-clean` and `test-clean`.
//!
//! The trees of openslr.org/12, `{part}/{speaker}/{chapter}/{speaker}-{chapter}-{number}.flac` with a `.trans.txt` a
//! chapter; or the parquet files of `openslr/librispeech_asr` on the hub. Other parts of the corpus may lie beside them and
//! are not read.

use std::collections::HashMap;
use std::path::Path;

use super::collect::{Collector, Fields};
use super::files::{Encodings, Entry, files, folders, recordings};
use super::hub::Shard;
use super::unpack::{hub_rows, unnamed_rows};
use super::{ReadOptions, Reader, Reading, What, note::Tally};
use crate::{DataError, Split};

pub(crate) struct LibriSpeech;

const PARTS: [(&str, Split); 3] =
    [("train-clean-100", Split::Train), ("dev-clean", Split::Valid), ("test-clean", Split::Test)];
/// The hub's names in its configuration `clean`, and those in `all`, which has the same recordings.
const HUB_PARTS: [(&str, &str, Split); 3] = [
    ("train.100", "train.clean.100", Split::Train),
    ("validation", "validation.clean", Split::Valid),
    ("test", "test.clean", Split::Test),
];
const COLUMNS: [&str; 4] = ["id", "text", "speaker_id", "chapter_id"];

/// The split of a file of the hub, where it is one of the configuration `clean`. The configuration `other` has splits of
/// the same names.
fn clean_split(shard: &Shard) -> Option<Split> {
    let other = shard.name.split('/').any(|folder| folder == "other");
    HUB_PARTS.iter().find(|(clean, ..)| !other && *clean == shard.part).map(|(.., split)| *split)
}

/// The split of a file of the hub. Whoever has fetched the whole repository has each recording twice: of a split that is
/// there as `clean`, that is read alone.
fn hub_split(shard: &Shard, clean: &[Split]) -> Option<Split> {
    let whole = || HUB_PARTS.iter().find(|(_, whole, _)| *whole == shard.part).map(|(.., split)| *split);
    clean_split(shard).or_else(|| whole().filter(|split| !clean.contains(split)))
}

fn has_tree(root: &Path) -> bool {
    PARTS.iter().any(|(part, _)| root.join(part).is_dir())
}

impl Reader for LibriSpeech {
    fn name(&self) -> &'static str {
        "librispeech"
    }

    fn layout(&self) -> &'static str {
        "folders train-clean-100, dev-clean, test-clean, or parquet files of the hub with a column chapter_id"
    }

    fn detect(&self, root: &Path) -> bool {
        has_tree(root)
    }

    fn columns(&self) -> &'static [&'static str] {
        &COLUMNS
    }

    fn read(&self, root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
        if !has_tree(root) {
            return read_hub(root, options);
        }
        let mut found = Collector::new(self.name(), root);
        let mut encodings = Encodings::default();
        for (part, split) in PARTS {
            let folder = root.join(part);
            if folder.is_dir() {
                read_part(&mut found, &folder, part, split, &mut encodings)?;
            }
        }
        let is_known = |name: &str| PARTS.iter().any(|(part, _)| *part == name);
        let others: Tally =
            folders(root)?.into_iter().map(|entry| entry.name).filter(|name| !is_known(name)).collect();
        found.note(others, What::OtherPart);
        encodings.note(&mut found);
        found.note_empty("split", |split| {
            let part = PARTS.iter().find(|(_, known)| *known == split).map_or("", |(part, _)| part);
            format!("{part}/*/*/*.flac")
        });
        found.finish(options)
    }
}

fn read_part(
    found: &mut Collector<'_>,
    folder: &Path,
    part: &str,
    split: Split,
    encodings: &mut Encodings,
) -> Result<(), DataError> {
    let (mut no_row, mut no_recording) = (Tally::default(), Tally::default());
    let (mut all_recordings, mut all_rows) = (0, 0);
    for speaker in folders(folder)? {
        for chapter in folders(&speaker.path)? {
            let mut texts = transcripts(&chapter, encodings)?;
            all_rows += texts.len();
            for recording in recordings(&chapter.path)? {
                all_recordings += 1;
                let id = recording.stem().to_owned();
                let Some(text) = texts.remove(&id) else {
                    no_row.add(id);
                    continue;
                };
                let fields = Fields::of(split).set("speaker", speaker.name.as_str()).set("text", text);
                found.push(id, recording.path, fields)?;
            }
            let mut left: Vec<String> = texts.into_keys().collect();
            left.sort();
            for id in left {
                no_recording.add(id);
            }
        }
    }
    let list = format!("{part}/*/*/*.trans.txt");
    found.note(no_row, What::NoRow { folder: part.to_owned(), list: list.clone(), of: all_recordings });
    found.note(no_recording, What::NoRecording { list, of: all_rows });
    Ok(())
}

/// The sentences of a chapter by id: a line is `id sentence`.
fn transcripts(chapter: &Entry, encodings: &mut Encodings) -> Result<HashMap<String, String>, DataError> {
    let mut texts = HashMap::new();
    for list in files(&chapter.path, &["txt"])? {
        if !list.name.ends_with(".trans.txt") {
            continue;
        }
        for line in encodings.read(&list.path)?.lines() {
            if let Some((id, text)) = line.trim().split_once(' ') {
                texts.insert(id.to_owned(), text.trim().to_owned());
            }
        }
    }
    Ok(texts)
}

fn read_hub(root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
    let mut found = Collector::new(LibriSpeech.name(), root);
    let mut no_text = Tally::default();
    let clean: Vec<Split> = super::hub::shards(root)?.iter().filter_map(clean_split).collect();
    let rows = hub_rows(&mut found, &COLUMNS, options, |shard| hub_split(shard, &clean))?;
    let (mut unnamed, all) = (Tally::default(), rows.len());
    for (split, audio, row) in rows {
        let Some(id) = row.text("id").filter(|id| !id.is_empty()) else {
            unnamed.add(row.place());
            continue;
        };
        let text = row.text("text");
        if text.is_none() {
            no_text.add(id.as_str());
        }
        let fields = Fields::of(split).maybe("speaker", row.text("speaker_id")).maybe("text", text);
        found.push_row(id, audio, &row, fields)?;
    }
    found.note(unnamed, unnamed_rows("id", all));
    let of = found.len();
    found.note(no_text, What::NoText { of });
    found.note_empty("split", |split| {
        let parts = HUB_PARTS.iter().find(|(.., known)| *known == split);
        parts.map_or_else(String::new, |(clean, whole, _)| format!("parquet files of {clean} or {whole}"))
    });
    found.finish(options)
}
