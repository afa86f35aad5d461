//! The recordings, decoded once and kept in memory.

use std::thread;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sure_data::{AudioFacts, DataError, Reading, Row, Split};

use super::run::SHORTEST;
use crate::{Event, Observer, TrainError, trunk::hex};

/// The keys that may say of a row that something else is measured on it.
const SPLIT_KEYS: [&str; 2] = ["split", "sid_split"];
/// Longer recordings are cut into parts of so many seconds: attention over a whole hour fits no memory.
const LONGEST: usize = 30;
/// Recordings decoded between two reports.
const PART: usize = 64;

/// What is learnt from, and what is validated on.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    /// What is learnt from.
    pub train: Vec<Recording>,
    /// What is held out.
    pub valid: Vec<Recording>,
    /// The data sets.
    pub sets: Vec<CorpusSet>,
    /// Samples a second.
    pub rate_hz: u32,
}

/// A recording, or a part of a long one.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Data set, id, and the number of the part.
    pub id: String,
    /// `[samples]`, full scale is -1..1.
    pub samples: Vec<f32>,
}

/// What was taken of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorpusSet {
    /// Its name.
    pub name: String,
    /// Recordings that are used.
    pub utterances: usize,
    /// How long they are together.
    pub seconds: f64,
    /// Rows that are no training rows, and are not used.
    pub not_train: usize,
    /// Recordings that are shorter than half a second, and are not used.
    pub too_short: usize,
    /// The sha256 over ids and samples of those that are used, in hexadecimal.
    pub hash: String,
}

/// A recording that is to be read.
struct Wanted<'a> {
    row: &'a Row,
    id: String,
}

impl Corpus {
    /// Reads the training rows of `readings`: those with at least one of the keys `split` and `sid_split`, of which every one
    /// that is there says `train`. `holdout` is the share that is held out: the recordings whose ids' hashes come first.
    ///
    /// # Errors
    /// When a set has no such keys, when nothing is left, when a recording cannot be read, or when the observer asks to stop.
    pub fn read(
        readings: &[Reading],
        rate_hz: u32,
        holdout: f64,
        threads: usize,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let mut chosen = Vec::new();
        for reading in readings {
            chosen.push(training_rows(reading)?);
        }
        let total: usize = chosen.iter().map(|(wanted, _)| wanted.len()).sum();
        let (mut recordings, mut sets, mut done) = (Vec::new(), Vec::new(), 0);
        for (reading, (wanted, not_train)) in readings.iter().zip(&chosen) {
            let mut hash = Sha256::new();
            let name = reading.manifest.name.clone();
            let (utterances, seconds, too_short) = (0, 0.0, 0);
            let mut set = CorpusSet {
                name,
                utterances,
                seconds,
                not_train: *not_train,
                too_short,
                hash: String::new(),
            };
            for part in wanted.chunks(PART) {
                for (wanted, samples) in part.iter().zip(decode(part, rate_hz, threads)?) {
                    let seconds = samples.len() as f64 / f64::from(rate_hz);
                    if seconds < SHORTEST {
                        set.too_short += 1;
                        continue;
                    }
                    set.utterances += 1;
                    set.seconds += seconds;
                    hash.update(wanted.id.as_bytes());
                    hash.update(AudioFacts::of(&samples).sha256);
                    recordings.extend(parts(&wanted.id, samples, rate_hz));
                }
                done += part.len();
                if observer.on(Event::Filled { done, total }).is_break() {
                    return Err(TrainError::Interrupted { step: 0 });
                }
            }
            set.hash = hex(&hash.finalize());
            sets.push(set);
        }
        let (train, valid) = hold_out(recordings, holdout)?;
        Ok(Self { train, valid, sets, rate_hz })
    }

    /// Seconds of all recordings.
    pub fn seconds(&self) -> f64 {
        self.sets.iter().map(|set| set.seconds).sum()
    }
}

/// The rows of a set that may be learnt from, and how many may not.
fn training_rows(reading: &Reading) -> Result<(Vec<Wanted<'_>>, usize), TrainError> {
    let manifest = &reading.manifest;
    let (mut wanted, mut keyed) = (Vec::new(), false);
    for row in &manifest.rows {
        let mut splits = Vec::new();
        for key in SPLIT_KEYS {
            let Some(value) = row.fields.get(key).filter(|value| !value.is_null()) else { continue };
            let unknown = || DataError::BadValue {
                path: manifest.path.clone(),
                line: row.line,
                key: key.to_owned(),
                expected: "train, valid or test",
                found: value.to_string(),
            };
            splits.push(value.as_str().and_then(Split::parse).ok_or_else(unknown)?);
        }
        keyed |= !splits.is_empty();
        if !splits.is_empty() && splits.iter().all(|split| *split == Split::Train) {
            wanted.push(Wanted { row, id: format!("{}/{}", manifest.name, row.id) });
        }
    }
    if !keyed {
        return Err(TrainError::NoSplit { path: manifest.path.clone() });
    }
    let left = manifest.rows.len() - wanted.len();
    Ok((wanted, left))
}

/// The samples of each recording, decoded on several threads.
fn decode(part: &[Wanted], rate_hz: u32, threads: usize) -> Result<Vec<Vec<f32>>, TrainError> {
    let one = |wanted: &Wanted| {
        sure_audio::load(&wanted.row.audio, rate_hz)
            .map(|wave| wave.samples)
            .map_err(|source| TrainError::from(DataError::Audio { id: wanted.id.clone(), source }))
    };
    let share = part.len().div_ceil(threads.max(1)).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> = part
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(one).collect::<Result<Vec<_>, _>>()))
            .collect();
        let mut all = Vec::with_capacity(part.len());
        for worker in workers {
            all.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    })
}

fn parts(id: &str, samples: Vec<f32>, rate_hz: u32) -> Vec<Recording> {
    let longest = LONGEST * rate_hz as usize;
    if samples.len() <= longest {
        return vec![Recording { id: id.to_owned(), samples }];
    }
    // What is left at the end may be shorter than what is of use.
    let shortest = (SHORTEST * f64::from(rate_hz)).ceil() as usize;
    let part =
        |(index, part): (usize, &[f32])| Recording { id: format!("{id}#{index}"), samples: part.to_vec() };
    samples.chunks(longest).filter(|part| part.len() >= shortest).enumerate().map(part).collect()
}

/// Divides by the hash of the ids, so that the order of the sets changes nothing.
fn hold_out(
    mut recordings: Vec<Recording>,
    share: f64,
) -> Result<(Vec<Recording>, Vec<Recording>), TrainError> {
    let held = (recordings.len() as f64 * share).round().max(1.0) as usize;
    if recordings.len() < 2 || held >= recordings.len() {
        return Err(TrainError::TooFewRecordings { count: recordings.len() });
    }
    recordings.sort_by_cached_key(|recording| {
        let digest: [u8; 32] = Sha256::digest(recording.id.as_bytes()).into();
        digest
    });
    let train = recordings.split_off(held);
    Ok((train, recordings))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use sure_data::Manifest;

    use super::*;

    fn reading(rows: &[Value]) -> Reading {
        let row = |(index, fields): (usize, &Value)| Row {
            id: index.to_string(),
            audio: "clip.wav".into(),
            line: index + 1,
            fields: fields.as_object().cloned().unwrap_or_default(),
        };
        let rows = rows.iter().enumerate().map(row).collect();
        Reading {
            manifest: Manifest { name: "set".into(), path: "set.jsonl".into(), rows },
            notes: Vec::new(),
        }
    }

    fn recordings(count: usize) -> Vec<Recording> {
        (0..count).map(|index| Recording { id: format!("set/{index}"), samples: vec![0.0; 8_000] }).collect()
    }

    #[test]
    fn only_rows_of_which_every_key_says_train_are_taken() {
        let rows = [
            serde_json::json!({"split": "train", "sid_split": "train"}),
            serde_json::json!({"split": "train", "sid_split": "test"}),
            serde_json::json!({"split": "valid", "sid_split": "train"}),
            serde_json::json!({"sid_split": "training", "split": null}),
            serde_json::json!({"split": "dev"}),
            serde_json::json!({"text": "no split at all"}),
        ];
        let reading = reading(&rows);
        let (wanted, left) = training_rows(&reading).unwrap();
        let ids: Vec<&str> = wanted.iter().map(|wanted| wanted.id.as_str()).collect();
        assert_eq!((ids, left), (vec!["set/0", "set/3"], 4));
    }

    #[test]
    fn a_set_without_splits_and_a_split_of_no_known_name_are_refused() {
        let refused = |rows: &[Value]| training_rows(&reading(rows)).err().unwrap().to_string();
        assert!(refused(&[serde_json::json!({"text": "yes"})]).contains("set.jsonl"));
        let strange = refused(&[serde_json::json!({"split": "everything"})]);
        assert!(strange.contains("set.jsonl") && strange.contains("everything"), "{strange}");
    }

    #[test]
    fn what_is_held_out_depends_on_the_ids_alone() {
        let (train, valid) = hold_out(recordings(50), 0.1).unwrap();
        assert_eq!((train.len(), valid.len()), (45, 5));
        let (_, again) = hold_out(recordings(50).into_iter().rev().collect(), 0.1).unwrap();
        assert_eq!(valid, again);
        assert!(matches!(hold_out(recordings(1), 0.5), Err(TrainError::TooFewRecordings { count: 1 })));
    }

    #[test]
    fn long_recordings_come_in_parts_without_a_short_rest() {
        let lengths = |seconds: f64| -> Vec<usize> {
            let samples = vec![0.0; (seconds * 1000.0) as usize];
            parts("a", samples, 1000).iter().map(|part| part.samples.len()).collect()
        };
        assert_eq!(lengths(29.0), [29_000]);
        assert_eq!(lengths(61.0), [30_000, 30_000, 1_000]);
        assert_eq!(lengths(60.4), [30_000, 30_000]);
    }
}
