//! IEMOCAP (Busso et al. 2008): five sessions of two actors, utterances with one of eleven emotion labels.
//!
//! `SessionN/sentences/wav/Ses*/*.wav` with the labels in `SessionN/dialog/EmoEvaluation/Ses*.txt`. As in the SURE
//! paper's code, sessions 1 to 3 are for training, 4 for validation, 5 for test, and all labels stay, also `xxx` (no
//! agreement).

use std::collections::HashMap;
use std::path::Path;

use super::collect::{Collector, Fields};
use super::files::{Encodings, any_folder, files, folders, recordings};
use super::{ReadOptions, Reader, Reading, What, note::Tally};
use crate::{DataError, Split};

pub(crate) struct Iemocap;

const SESSIONS: [(&str, Split); 5] = [
    ("Session1", Split::Train),
    ("Session2", Split::Train),
    ("Session3", Split::Train),
    ("Session4", Split::Valid),
    ("Session5", Split::Test),
];

impl Reader for Iemocap {
    fn name(&self) -> &'static str {
        "iemocap"
    }

    fn layout(&self) -> &'static str {
        "folders Session1 to Session5 with sentences/wav and dialog/EmoEvaluation in them"
    }

    fn detect(&self, root: &Path) -> bool {
        any_folder(root, |name| {
            SESSIONS.iter().any(|(session, _)| *session == name)
                && root.join(name).join("sentences/wav").is_dir()
        })
    }

    fn read(&self, root: &Path, options: &ReadOptions) -> Result<Reading, DataError> {
        let mut found = Collector::new(self.name(), root);
        let mut encodings = Encodings::default();
        for (session, split) in SESSIONS {
            let folder = root.join(session);
            if folder.join("sentences/wav").is_dir() {
                read_session(&mut found, &folder, session, split, &mut encodings)?;
            }
        }
        encodings.note(&mut found);
        found.note_empty("split", |split| {
            let sessions: Vec<&str> =
                SESSIONS.iter().filter(|(_, known)| *known == split).map(|(session, _)| *session).collect();
            format!("sentences/wav/*/*.wav in {}", sessions.join(", "))
        });
        found.finish(options)
    }
}

fn read_session(
    found: &mut Collector<'_>,
    folder: &Path,
    session: &str,
    split: Split,
    encodings: &mut Encodings,
) -> Result<(), DataError> {
    let mut labels = HashMap::new();
    for list in files(&folder.join("dialog/EmoEvaluation"), &["txt"])? {
        labels.extend(evaluations(&encodings.read(&list.path)?));
    }
    let rows = labels.len();
    let (mut no_row, mut all) = (Tally::default(), 0);
    for dialogue in folders(&folder.join("sentences/wav"))? {
        for recording in recordings(&dialogue.path)? {
            all += 1;
            let id = recording.stem().to_owned();
            let Some(emotion) = labels.remove(&id) else {
                no_row.add(id);
                continue;
            };
            let fields = Fields::of(split).set("emotion", emotion).maybe("speaker", speaker_of(&id));
            found.push(id, recording.path, fields)?;
        }
    }
    let mut left: Vec<String> = labels.into_keys().collect();
    left.sort();
    let list = format!("{session}/dialog/EmoEvaluation/*.txt");
    found.note(
        no_row,
        What::NoRow { folder: format!("{session}/sentences/wav"), list: list.clone(), of: all },
    );
    found.note(left.into_iter().collect(), What::NoRecording { list, of: rows });
    Ok(())
}

/// The labels by utterance: `[6.2901 - 8.2357] <tab> Ses01F_impro01_F000 <tab> neu <tab> [2.5000, 2.5000, 2.5000]`. The
/// first line of that form is a header, and its third part is no label.
fn evaluations(text: &str) -> impl Iterator<Item = (String, String)> {
    text.lines().filter_map(|line| {
        let mut parts = line.trim().split('\t');
        let (time, id, label) = (parts.next()?, parts.next()?, parts.next()?);
        (time.starts_with('[') && time.ends_with(']') && id.starts_with("Ses"))
            .then(|| (id.trim().to_owned(), label.trim().to_owned()))
    })
}

/// `Ses01F_impro01_M003` is spoken by the man of session 1. The letter behind the session says who wears the markers.
fn speaker_of(id: &str) -> Option<String> {
    let session = id.get(..5)?;
    let (_, turn) = id.rsplit_once('_')?;
    let who = turn.chars().next().filter(|who| ['F', 'M'].contains(who))?;
    Some(format!("{session}{who}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turn_says_who_speaks() {
        assert_eq!(speaker_of("Ses01F_impro01_M003").as_deref(), Some("Ses01M"));
        assert_eq!(speaker_of("Ses05M_script01_1b_F012").as_deref(), Some("Ses05F"));
        for id in ["", "Ses", "Ses01F", "Ses01F_", "Ses01F_x", "é_é_é"] {
            assert_eq!(speaker_of(id), None, "{id}");
        }
    }
}
