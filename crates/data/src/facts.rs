//! Length and hash of recordings, decoded once and remembered.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::memo::{Memo, Stamp};
use crate::{DataError, Example};

/// What can be said of a recording once it has been decoded.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AudioFacts {
    /// The sha256 of the samples at the target rate, as little-endian f32.
    pub sha256: [u8; 32],
    /// How many samples there are at the target rate.
    pub samples: usize,
}

impl AudioFacts {
    /// The facts of a text that is read in the place of a recording: the sha256 and the number of its bytes.
    pub fn of_text(text: &str) -> Self {
        Self { sha256: Sha256::digest(text.as_bytes()).into(), samples: text.len() }
    }

    /// The facts of samples that are already there.
    pub fn of(samples: &[f32]) -> Self {
        let mut hash = Sha256::new();
        for sample in samples {
            hash.update(sample.to_le_bytes());
        }
        Self { sha256: hash.finalize().into(), samples: samples.len() }
    }
}

/// Decodes the recordings at `rate_hz` on `threads` threads and returns their facts in the same order; with `cut`, those
/// of at most so many first samples.
///
/// `memo` is a file that remembers them by path, size and time of change, so that a second call decodes nothing; a memo
/// that cannot be read is made anew.
///
/// # Errors
///
/// [`DataError::Audio`] for the first recording that cannot be decoded, [`DataError::Io`] where the memo cannot be
/// written.
pub fn facts<'a>(
    examples: impl IntoIterator<Item = &'a Example>,
    rate_hz: u32,
    cut: Option<usize>,
    threads: usize,
    memo: Option<&Path>,
) -> Result<Vec<AudioFacts>, DataError> {
    let examples: Vec<&Example> = examples.into_iter().collect();
    let mut known = memo.map(Memo::read).unwrap_or_default();
    let stamps: Vec<Option<Stamp>> =
        examples.iter().map(|example| Stamp::of(&example.audio, rate_hz, cut)).collect();
    let mut found: Vec<Option<AudioFacts>> =
        stamps.iter().map(|stamp| stamp.as_ref().and_then(|stamp| known.get(stamp))).collect();
    let missing: Vec<usize> = (0..examples.len()).filter(|&index| found[index].is_none()).collect();
    let decoded = decode(&examples, &missing, (rate_hz, cut), threads);
    let mut failure = None;
    for (index, result) in decoded {
        match result {
            Ok(facts) => {
                found[index] = Some(facts);
                if let Some(stamp) = &stamps[index] {
                    known.insert(stamp, facts);
                }
            }
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    // What was decoded before the failure need not be decoded again once it is mended.
    if let Some(path) = memo.filter(|_| !missing.is_empty()) {
        known.write(path)?;
    }
    match failure {
        Some(error) => Err(error),
        // Without a failure all of them were known or decoded, so that none is passed over here.
        None => Ok(found.into_iter().flatten().collect()),
    }
}

/// Decodes the examples at the given indices; the results are sorted by index. After a failure no further index is
/// begun; as indices are begun in order, the first result that is an error is the same in every run.
fn decode(
    examples: &[&Example],
    indices: &[usize],
    length: (u32, Option<usize>),
    threads: usize,
) -> Vec<(usize, Result<AudioFacts, DataError>)> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, indices.len().max(1)) {
            let (sender, next, failed) = (sender.clone(), &next, &failed);
            scope.spawn(move || {
                while !failed.load(Ordering::Relaxed) {
                    let Some(&index) = indices.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    let result = decode_one(examples[index], length);
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    sender.send((index, result)).expect("the receiver outlives the scope");
                }
            });
        }
    });
    drop(sender);
    let mut results: Vec<_> = receiver.into_iter().collect();
    results.sort_by_key(|(index, _)| *index);
    results
}

fn decode_one(example: &Example, (rate_hz, cut): (u32, Option<usize>)) -> Result<AudioFacts, DataError> {
    let waveform = sure_audio::load(&example.audio, rate_hz)
        .map_err(|source| DataError::Audio { id: example.id.clone(), source })?;
    let kept = cut.unwrap_or(usize::MAX).min(waveform.samples.len());
    Ok(AudioFacts::of(&waveform.samples[..kept]))
}
