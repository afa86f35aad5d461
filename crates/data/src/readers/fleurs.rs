//! FLEURS (Conneau et al. 2022, arXiv 2205.12446): read sentences, American English alone.
//!
//! `{train,dev,test}.tsv` without a header beside `audio/{train,dev,test}/*.wav`, as in the folder `data/en_us` of
//! `google/fleurs` on the Hugging Face hub once its archives are unpacked; or the parquet files of `en_us` on that
//! repository's branch `refs/convert/parquet`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::collect::{Collector, Fields};
use super::files::{Encodings, Entry, recordings};
use super::unpack::{hub_rows, unnamed_rows};
use super::{ReadOptions, Reader, Reading, What, note::Tally};
use crate::{DataError, Split};

pub(crate) struct Fleurs;

const PARTS: [(&str, Split); 3] = [("train", Split::Train), ("dev", Split::Valid), ("test", Split::Test)];

/// The hub's names.
const HUB_PARTS: [(&str, Split); 3] =
    [("train", Split::Train), ("validation", Split::Valid), ("test", Split::Test)];
const COLUMNS: [&str; 3] = ["path", "transcription", "raw_transcription"];

/// The folder of the tables.
fn folder(root: &Path) -> Option<PathBuf> {
    ["", "en_us", "data/en_us"].iter().map(|inner| root.join(inner)).find(|folder| {
        // Common Voice has tables of these names too, but no folder `audio`.
        folder.join("audio").is_dir()
            && PARTS.iter().any(|(part, _)| folder.join(format!("{part}.tsv")).is_file())
    })
}

impl Reader for Fleurs {
    fn name(&self) -> &'static str {
        "fleurs"
    }

    fn layout(&self) -> &'static str {
        "train.tsv, dev.tsv, test.tsv beside the folder audio, here or in data/en_us, or parquet files of the hub with a \
         column raw_transcription"
    }

    fn detect(&self, root: &Path) -> bool {
        folder(root).is_some()
    }

    fn columns(&self) -> &'static [&'static str] {
        &COLUMNS
    }

    fn read(&self, root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
        let Some(folder) = folder(root) else { return read_hub(root, options) };
        let mut found = Collector::new(self.name(), root);
        let mut encodings = Encodings::default();
        for (part, split) in PARTS {
            let list = folder.join(format!("{part}.tsv"));
            let audio = folder.join("audio").join(part);
            if !list.is_file() {
                continue;
            }
            if !audio.is_dir() {
                return Err(DataError::MissingPart {
                    set: "fleurs",
                    path: audio,
                    advice: "unpack audio/train.tar.gz, audio/dev.tar.gz and audio/test.tar.gz where they are",
                });
            }
            read_part(&mut found, &list, &audio, split, &mut encodings)?;
        }
        encodings.note(&mut found);
        found.note_empty("split", |split| {
            let part = PARTS.iter().find(|(_, known)| *known == split).map_or("", |(part, _)| part);
            format!("the rows of {part}.tsv")
        });
        found.finish(options)
    }
}

fn read_part(
    found: &mut Collector<'_>,
    list: &Path,
    audio: &Path,
    split: Split,
    encodings: &mut Encodings,
) -> Result<(), DataError> {
    let mut recordings: HashMap<String, Entry> =
        recordings(audio)?.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
    let all = recordings.len();
    let (mut no_recording, mut short, mut rows) = (Tally::default(), Tally::default(), 0);
    for (index, line) in encodings.read(list)?.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        rows += 1;
        // sentence, file, text as written, text in lower case without punctuation, the same by letters, samples, gender
        let parts: Vec<&str> = line.split('\t').collect();
        let [_, file, raw, text, ..] = parts[..] else {
            short.add(format!("line {}", index + 1));
            continue;
        };
        let Some(recording) = recordings.remove(file) else {
            no_recording.add(file);
            continue;
        };
        let fields = fields(split, Some(text), Some(raw));
        // The numbers of recordings are unique within a split.
        found.push(format!("{split}/{}", recording.stem()), recording.path, fields)?;
    }
    let name = found.name_of(list);
    found.note(no_recording, What::NoRecording { list: name.clone(), of: rows });
    let reason = "they have less than 4 columns".to_owned();
    found.note(short, What::Unusable { place: name.clone(), reason, of: rows });
    let mut left: Vec<String> = recordings.into_keys().collect();
    left.sort();
    let folder = found.name_of(audio);
    found.note(left.into_iter().collect(), What::NoRow { folder, list: name, of: all });
    Ok(())
}

fn read_hub(root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
    let mut found = Collector::new(Fleurs.name(), root);
    let rows = hub_rows(&mut found, &COLUMNS, options, |shard| {
        // Whoever has fetched the whole repository has a hundred languages, each alone and `all` together.
        let mut folders = shard.name.split('/').rev().skip(1);
        let foreign = folders.any(|name| name == "all" || name != "en_us" && is_language(name));
        let known = HUB_PARTS.iter().find(|(part, _)| !foreign && *part == shard.part);
        known.map(|(_, split)| *split)
    })?;
    let (mut no_text, mut unnamed, all) = (Tally::default(), Tally::default(), rows.len());
    for (split, audio, row) in rows {
        let Some(stem) = row.stem("audio_path").or_else(|| row.stem("path")) else {
            unnamed.add(row.place());
            continue;
        };
        let id = format!("{split}/{stem}");
        let text = row.text("transcription");
        if text.is_none() {
            no_text.add(id.as_str());
        }
        let fields = fields(split, text.as_deref(), row.text("raw_transcription").as_deref());
        found.push_row(id, audio, &row, fields)?;
    }
    found.note(unnamed, unnamed_rows("path", all));
    let of = found.len();
    found.note(no_text, What::NoText { of });
    found.note_empty("split", |split| {
        let part = HUB_PARTS.iter().find(|(_, known)| *known == split).map_or("", |(part, _)| part);
        format!("parquet files of {part}")
    });
    found.finish(options)
}

/// Whether a folder is called like a language of the set, for example `cmn_hans_cn`.
fn is_language(name: &str) -> bool {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_lowercase())
        && parts.next().is_some()
}

/// The keys of a row; there is no name of a speaker.
fn fields(split: Split, text: Option<&str>, raw: Option<&str>) -> Fields {
    Fields::of(split).maybe("text", text.map(str::trim)).maybe("raw_text", raw.map(str::trim))
}
