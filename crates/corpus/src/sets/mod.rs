//! What is said: one file a set, each a list of lines.

mod commands;
mod extra;
mod readings;
mod requests;
mod sentences;
mod styles;
mod words;

pub use extra::{EXTRA, extra_lines};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{Part, Prosody, Voice, room::Difficulty};

/// A set of the corpus.
#[derive(Debug, Clone, Copy)]
pub struct Set {
    /// Its folder.
    pub name: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// Samples a second.
    pub rate_hz: u32,
    /// How hard its recordings are; `None` for clean ones.
    pub difficulty: Option<Difficulty>,
    /// Whether a list of trials for speaker verification stands beside the manifest.
    pub has_trials: bool,
    /// Its lines, in the order of the manifest.
    pub lines: fn() -> Vec<Line>,
}

/// All sets.
pub const SETS: [Set; 6] =
    [words::SET, styles::SET, commands::SET, sentences::SET, requests::SET, readings::SET];

/// Something to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its id, unique in the set.
    pub id: String,
    /// Who says it; `None` for silence.
    pub voice: Option<Voice>,
    /// What is said.
    pub text: String,
    /// How.
    pub prosody: Prosody,
    /// How loud against the voice's plain manner, dB.
    pub gain_db: f64,
    /// The split.
    pub part: Part,
    /// The labels, by key.
    pub labels: Map<String, Value>,
}

impl Line {
    fn new(set: &str, number: usize, part: Part, voice: Voice, text: &str) -> Self {
        Self {
            id: format!("{set}-{}-{number:04}", voice.name),
            voice: Some(voice),
            text: text.to_owned(),
            prosody: Prosody::PLAIN,
            gain_db: 0.0,
            part,
            labels: Map::new(),
        }
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.labels.insert(key.to_owned(), value.into());
        self
    }

    fn spoken(mut self, prosody: Prosody) -> Self {
        self.prosody = prosody;
        self
    }
}

/// Randomness that belongs to a name: the same whatever else is drawn.
pub(crate) fn random(name: &str) -> ChaCha8Rng {
    let digest = Sha256::digest(format!("sure mini 1/{name}").as_bytes());
    ChaCha8Rng::from_seed(digest.into())
}

/// A manner near the plain one: nobody says everything alike.
fn manner(random: &mut ChaCha8Rng) -> Prosody {
    use rand::RngExt as _;
    let mut around = |middle: i32, width: i32| middle + random.random_range(-width..=width);
    Prosody { pitch: around(50, 12), range: around(50, 15), rate: around(170, 25), volume: 100 }
}

/// `count` voices, each as often as the others but for one, in a drawn order.
fn in_turn(voices: &[Voice], count: usize, random: &mut ChaCha8Rng) -> Vec<Voice> {
    use rand::seq::SliceRandom as _;
    let mut turn = Vec::with_capacity(count + voices.len());
    while turn.len() < count {
        let mut round = voices.to_vec();
        round.shuffle(random);
        turn.extend(round);
    }
    turn.truncate(count);
    turn
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn ids_are_unique_and_no_voice_is_in_two_splits_of_a_set() {
        for set in SETS {
            let lines = (set.lines)();
            let ids: BTreeSet<_> = lines.iter().map(|line| &line.id).collect();
            assert_eq!(ids.len(), lines.len(), "{}", set.name);
            let mut parts: BTreeMap<&str, BTreeSet<Part>> = BTreeMap::new();
            for line in &lines {
                if let Some(voice) = line.voice {
                    parts.entry(voice.name).or_default().insert(line.part);
                }
            }
            let own = set.name == "readings" || parts.values().all(|parts| parts.len() == 1);
            assert!(own, "{}: {parts:?}", set.name);
            assert_eq!(lines, (set.lines)(), "{} is drawn anew each time", set.name);
        }
    }

    #[test]
    fn every_label_is_in_every_split() {
        for (set, key) in [("words", "keyword"), ("styles", "emotion"), ("commands", "intent")] {
            let lines = (SETS.iter().find(|known| known.name == set).unwrap().lines)();
            let labels = |part| -> BTreeSet<String> {
                lines
                    .iter()
                    .filter(|line| line.part == part)
                    .map(|line| line.labels[key].to_string())
                    .collect()
            };
            assert_eq!(labels(Part::Train), labels(Part::Test), "{set}");
            assert_eq!(labels(Part::Train), labels(Part::Valid), "{set}");
        }
    }
}
