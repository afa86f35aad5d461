//! What a labelled set is, in numbers and one hash.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{AudioFacts, DataError, LabelledSet, Labels, Split, Target};

/// Which data a result belongs to, and what is odd about its splits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fingerprint {
    /// The task.
    pub task: String,
    /// The data set.
    pub set: String,
    /// How many utterances there are.
    pub utterances: usize,
    /// How long they are together.
    pub seconds: f64,
    /// How many speakers are named.
    pub speakers: usize,
    /// What each split holds: train, valid, test.
    pub splits: Vec<SplitCounts>,
    /// Utterances of one split that have the same samples.
    pub duplicates: Vec<SameAudio>,
    /// Utterances of several splits that have the same samples.
    pub leakage: Vec<SameAudio>,
    /// The sha256 over the labels and the sorted (id, split, label, samples' sha256), in hexadecimal.
    pub hash: String,
}

/// What a split holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SplitCounts {
    /// The split.
    pub split: Split,
    /// How many utterances there are.
    pub utterances: usize,
    /// How long they are together.
    pub seconds: f64,
    /// How many utterances each class has, by label; empty for transcripts.
    pub labels: BTreeMap<String, usize>,
}

/// Utterances with the same samples.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct SameAudio {
    /// The utterances, as `split/id`, sorted by split and id.
    pub utterances: Vec<String>,
}

impl Fingerprint {
    /// The fingerprint of a set, from its facts in the order of [`LabelledSet::examples`] at `rate_hz`.
    ///
    /// # Errors
    ///
    /// [`DataError::FactsMismatch`] where there is not one fact for each utterance.
    pub fn new(set: &LabelledSet, facts: &[AudioFacts], rate_hz: u32) -> Result<Self, DataError> {
        if facts.len() != set.len() {
            return Err(DataError::FactsMismatch { facts: facts.len(), utterances: set.len() });
        }
        let seconds = |samples: usize| samples as f64 / f64::from(rate_hz);
        let mut rest = facts;
        let mut splits = Vec::new();
        let mut lines = Vec::new();
        let mut same: BTreeMap<[u8; 32], Vec<(Split, &str)>> = BTreeMap::new();
        for split in Split::ALL {
            let examples = set.split(split);
            let (these, others) = rest.split_at(examples.len());
            rest = others;
            let mut labels: BTreeMap<String, usize> = BTreeMap::new();
            for (example, fact) in examples.iter().zip(these) {
                let label = set.labels.render(&example.target);
                // A list of all transcripts would say nothing.
                if !matches!(example.target, Target::Text(_)) {
                    *labels.entry(label.clone()).or_default() += 1;
                }
                lines.push((example.id.as_str(), split.name(), label, fact.sha256));
                same.entry(fact.sha256).or_default().push((split, &example.id));
            }
            let samples = these.iter().map(|fact| fact.samples).sum();
            splits.push(SplitCounts { split, utterances: examples.len(), seconds: seconds(samples), labels });
        }
        let (leakage, duplicates) = same_audio(same);
        let speakers: BTreeSet<&String> =
            set.examples().filter_map(|example| example.speaker.as_ref()).collect();
        Ok(Self {
            task: set.task.clone(),
            set: set.set.clone(),
            utterances: set.len(),
            seconds: seconds(facts.iter().map(|fact| fact.samples).sum()),
            speakers: speakers.len(),
            splits,
            duplicates,
            leakage,
            hash: hash(&set.labels, lines),
        })
    }
}

/// The groups of more than one utterance: those over several splits, and those within one.
fn same_audio(groups: BTreeMap<[u8; 32], Vec<(Split, &str)>>) -> (Vec<SameAudio>, Vec<SameAudio>) {
    let mut groups: Vec<Vec<(Split, &str)>> = groups.into_values().filter(|group| group.len() > 1).collect();
    for group in &mut groups {
        group.sort_unstable();
    }
    groups.sort_unstable();
    let (within, across): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|group| group.iter().all(|(split, _)| *split == group[0].0));
    let name = |group: Vec<(Split, &str)>| SameAudio {
        utterances: group.into_iter().map(|(split, id)| format!("{split}/{id}")).collect(),
    };
    (across.into_iter().map(name).collect(), within.into_iter().map(name).collect())
}

fn hash(labels: &Labels, mut lines: Vec<(&str, &str, String, [u8; 32])>) -> String {
    lines.sort_unstable();
    let mut hash = Sha256::new();
    // They are made of all training rows, also those that a limit leaves out.
    hash.update(serde_json::to_vec(labels).expect("labels are lists of texts"));
    for (id, split, label, samples) in lines {
        // Lengths first, so that no two lists of texts give the same bytes.
        for text in [id, split, &label] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        hash.update(samples);
    }
    let digits = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}
