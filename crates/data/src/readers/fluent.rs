//! Fluent Speech Commands (Lugosch et al. 2019, arXiv 1904.03670): spoken commands with an action, an object and a
//! location each.
//!
//! `data/{train,valid,test}_data.csv` with the paths of the recordings, which start at the set's folder and stay in it.

use std::path::Path;

use serde_json::{Map, Value};

use super::collect::{Collector, Fields};
use super::files::{Encodings, Table, inside};
use super::{ReadOptions, Reader, Reading, What, note::Tally};
use crate::{DataError, Split};

pub(crate) struct Fluent;

const LISTS: [(&str, Split); 3] = [
    ("data/train_data.csv", Split::Train),
    ("data/valid_data.csv", Split::Valid),
    ("data/test_data.csv", Split::Test),
];

impl Reader for Fluent {
    fn name(&self) -> &'static str {
        "fluent-speech-commands"
    }

    fn layout(&self) -> &'static str {
        "data/train_data.csv, data/valid_data.csv, data/test_data.csv beside the folder wavs"
    }

    fn detect(&self, root: &Path) -> bool {
        LISTS.iter().any(|(list, _)| root.join(list).is_file())
    }

    fn read(&self, root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
        let mut found = Collector::new(self.name(), root);
        let mut encodings = Encodings::default();
        for (list, split) in LISTS {
            let path = root.join(list);
            if path.is_file() {
                read_list(&mut found, &path, list, split, &mut encodings)?;
            }
        }
        encodings.note(&mut found);
        found.note_empty("split", |split| {
            let list = LISTS.iter().find(|(_, known)| *known == split).map_or("", |(list, _)| list);
            format!("the rows of {list}")
        });
        found.finish(options)
    }
}

fn read_list(
    found: &mut Collector<'_>,
    path: &Path,
    list: &str,
    split: Split,
    encodings: &mut Encodings,
) -> Result<(), DataError> {
    let columns = ["path", "speakerId", "transcription", "action", "object", "location"];
    let table = Table::read(path, &columns, encodings)?;
    let (mut no_recording, mut no_intent, mut outside) =
        (Tally::default(), Tally::default(), Tally::default());
    for (line, [audio, speaker, text, action, object, location]) in table.rows() {
        let slots = [("action", action), ("object", object), ("location", location)];
        if slots.iter().any(|(_, value)| value.is_empty()) {
            no_intent.add(format!("line {line}"));
            continue;
        }
        let Some(recording) = inside(found.root(), Path::new(audio)) else {
            outside.add(format!("line {line} ({audio})"));
            continue;
        };
        if !recording.is_file() {
            no_recording.add(audio);
            continue;
        }
        let id = recording.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let intent: Map<String, Value> =
            slots.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        let fields = Fields::of(split).set("speaker", speaker).set("text", text).set("intent", intent);
        found.push(id, recording, fields)?;
    }
    let of = table.len();
    found.note(no_recording, What::NoRecording { list: list.to_owned(), of });
    let reason = "the path leads out of the data set".to_owned();
    found.note(outside, What::Unusable { place: list.to_owned(), reason, of });
    let reason = "action, object or location is empty".to_owned();
    found.note(no_intent, What::Unusable { place: list.to_owned(), reason, of });
    Ok(())
}
