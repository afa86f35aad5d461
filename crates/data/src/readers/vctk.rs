//! VCTK (Yamagishi et al., University of Edinburgh): English speakers of many accents, for speaker recognition.
//!
//! Version 0.80 is `wav48/pNNN/pNNN_MMM.wav`; version 0.92 is `wav48_silence_trimmed/pNNN/pNNN_MMM_mic1.flac` with a
//! second microphone, which is not read. The recordings of a speaker, sorted by name, are cut as in the SURE paper: the
//! last tenth for test, the tenth before it for validation. Its code takes them in the order of the folder and has 107
//! speakers written down; here they come from the data, and the protocol `reference` leaves out those it lacks.

use std::path::{Path, PathBuf};

use super::collect::{Collector, Fields};
use super::files::{Encodings, Entry, folders, recordings};
use super::{Protocol, ReadOptions, Reader, Reading, What, note::Tally};
use crate::{DataError, Split};

pub(crate) struct Vctk;

const LAYOUTS: [(&str, &str); 2] = [("wav48_silence_trimmed", "0.92"), ("wav48", "0.80")];
/// Speakers that the reference does not have.
const NOT_IN_REFERENCE: [&str; 3] = ["p280", "p315", "s5"];

/// The folder of the recordings, and the version that it belongs to.
fn layout(root: &Path) -> Option<(PathBuf, &'static str)> {
    LAYOUTS.iter().map(|(name, version)| (root.join(name), *version)).find(|(folder, _)| folder.is_dir())
}

impl Reader for Vctk {
    fn name(&self) -> &'static str {
        "vctk"
    }

    fn layout(&self) -> &'static str {
        "a folder wav48 (version 0.80) or wav48_silence_trimmed (0.92) with a folder for each speaker"
    }

    fn detect(&self, root: &Path) -> bool {
        layout(root).is_some()
    }

    fn read(&self, root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
        let mut found = Collector::new(self.name(), root);
        let (folder, version) = layout(root).ok_or(DataError::MissingPart {
            set: "vctk",
            path: root.join("wav48"),
            advice: "unpack the archive of the owner there",
        })?;
        let (mut left_out, mut few, mut no_text) = (Tally::default(), Tally::default(), Tally::default());
        let mut encodings = Encodings::default();
        for speaker in folders(&folder)? {
            if options.protocol == Protocol::Reference && NOT_IN_REFERENCE.contains(&speaker.name.as_str()) {
                left_out.add(speaker.name);
                continue;
            }
            let recordings = first_microphone(recordings(&speaker.path)?);
            if recordings.len() < 10 {
                few.add(speaker.name.as_str());
            }
            let count = recordings.len();
            for (index, recording) in recordings.into_iter().enumerate() {
                let id = recording.stem().trim_end_matches("_mic1").to_owned();
                let text = root.join("txt").join(&speaker.name).join(format!("{id}.txt"));
                let text = if text.is_file() { Some(encodings.read(&text)?) } else { None };
                if text.is_none() {
                    no_text.add(id.as_str());
                }
                // Only `sid_split`: the speakers are the same in all three.
                let fields = Fields::default()
                    .set("sid_split", split_of(index, count).name())
                    .set("speaker", speaker.name.as_str())
                    .maybe("text", text.map(|text| text.trim().to_owned()));
                found.push(id, recording.path, fields)?;
            }
        }
        found.say(What::Version { version: version.to_owned() });
        let reason = "speakers that the reference does not have".to_owned();
        found.note(left_out, What::LeftOut { reason });
        let rule = "speakers with less than 10 recordings are for training alone".to_owned();
        found.note(few, What::Rule { rule });
        let of = found.len();
        found.note(no_text, What::NoText { of });
        encodings.note(&mut found);
        found.note_empty("sid_split", |_| "10 recordings of a speaker, of which one is in it".to_owned());
        found.finish(options)
    }
}

/// Version 0.92 has each sentence from two microphones, `_mic1` and `_mic2`; version 0.80 from one.
fn first_microphone(mut recordings: Vec<Entry>) -> Vec<Entry> {
    recordings.retain(|recording| !recording.stem().ends_with("_mic2"));
    recordings
}

/// The split of one of `count` recordings.
fn split_of(index: usize, count: usize) -> Split {
    let tenth = count / 10;
    match index {
        index if index < count - 2 * tenth => Split::Train,
        index if index < count - tenth => Split::Valid,
        _ => Split::Test,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tenth_is_for_test_and_the_one_before_for_validation() {
        let sizes = |count: usize| {
            Split::ALL.map(|split| (0..count).filter(|&index| split_of(index, count) == split).count())
        };
        assert_eq!(sizes(231), [185, 23, 23]);
        assert_eq!(sizes(10), [8, 1, 1]);
        assert_eq!(sizes(9), [9, 0, 0]);
        assert_eq!(sizes(0), [0, 0, 0]);
        assert_eq!([split_of(7, 10), split_of(8, 10), split_of(9, 10)], Split::ALL);
    }
}
