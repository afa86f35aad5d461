//! Which recordings go through the encoder together: a function of their lengths and order alone, so that a run that
//! is resumed makes the same batches.

use std::{cmp::Reverse, fs, path::Path, thread};

use sure_nn::Prepare;

use super::inputs::Clip;

/// Clips in a batch at most.
const MOST_CLIPS: usize = 64;
/// What a model takes that brings every clip to one length, which is Whisper with the padding of `transformers`.
const FIXED_SECONDS: f64 = 30.0;
/// Bytes a second of a recording that does not say how long it is: 128 kbit/s, as most MP3 files.
const GUESSED_BYTES: f64 = 16_000.0;

/// How long clips are for the encoder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// Columns of a prepared clip for each second.
    columns: f64,
    /// Whether every clip becomes equally long.
    is_fixed: bool,
}

impl Scale {
    /// Tries what `preparer` makes of silence.
    pub(super) fn of(preparer: &dyn Prepare, rate_hz: u32) -> Self {
        let rate = rate_hz as usize;
        let length = |seconds: usize| preparer.prepare(&vec![0.0; seconds * rate]).map(|clip| clip.length);
        match (length(1), length(2)) {
            (Ok(one), Ok(two)) if one == two => Self { columns: one as f64 / FIXED_SECONDS, is_fixed: true },
            (Ok(one), Ok(two)) => Self { columns: two.saturating_sub(one).max(1) as f64, is_fixed: false },
            // Nothing that is known refuses two seconds; such a one gets samples as its columns.
            _ => Self { columns: f64::from(rate_hz), is_fixed: false },
        }
    }
}

/// How much may be in a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limit {
    /// Padded seconds at most; a longer clip is alone.
    pub(super) seconds: f64,
    /// Whether clips of different lengths may meet: then the shorter ones are padded.
    pub(super) may_pad: bool,
}

/// Groups clips of these lengths: the longest first, those of one length in their order. Returns indices.
pub(super) fn group(lengths: &[f64], most: f64, may_pad: bool) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by(|&a, &b| Reverse(lengths[a]).0.total_cmp(&lengths[b]).reverse().then(a.cmp(&b)));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for index in order {
        let fits = |group: &&mut Vec<usize>| {
            let longest = lengths[group[0]];
            group.len() < MOST_CLIPS
                && (group.len() + 1) as f64 * longest <= most
                && (may_pad || lengths[index] == longest)
        };
        match groups.last_mut().filter(fits) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// The batches of a run, the longest clips first: what is too much for the memory is so at the start.
pub(super) fn batches(seconds: &[f64], limit: Limit, scale: Scale) -> Vec<Vec<usize>> {
    let as_heard: Vec<f64> =
        seconds.iter().map(|&s| if scale.is_fixed { FIXED_SECONDS } else { s }).collect();
    group(&as_heard, limit.seconds, limit.may_pad)
}

/// The same for clips that are prepared, in columns: one batch, unless a header was wrong or lengths differ that may not.
pub(super) fn split(columns: &[usize], limit: Limit, scale: Scale) -> Vec<Vec<usize>> {
    let lengths: Vec<f64> = columns.iter().map(|&columns| columns as f64).collect();
    // A header's length is rounded on its way to columns.
    group(&lengths, limit.seconds * scale.columns * 1.01, limit.may_pad)
}

/// How long each recording is by its header, in seconds; of one that does not say, a guess from its size.
pub(super) fn stated(clips: &[&Clip], threads: usize) -> Vec<f64> {
    let share = clips.len().div_ceil(threads.max(1)).max(1);
    thread::scope(|scope| {
        let parts: Vec<_> = clips
            .chunks(share)
            .map(|part| {
                scope.spawn(move || part.iter().map(|clip| length_of(&clip.path)).collect::<Vec<_>>())
            })
            .collect();
        let join = |part: thread::ScopedJoinHandle<'_, Vec<f64>>| {
            part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        parts.into_iter().flat_map(join).collect()
    })
}

/// A file that cannot be read has no length; why is found out when it is decoded.
fn length_of(path: &Path) -> f64 {
    let guess = || fs::metadata(path).map_or(0.0, |about| about.len() as f64 / GUESSED_BYTES);
    sure_audio::stated(path).map_or(0.0, |stated| stated.seconds.unwrap_or_else(guess))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_of_similar_length_share_a_batch_and_the_longest_come_first() {
        assert_eq!(group(&[1.0, 9.0, 1.5, 8.0, 1.0], 18.0, true), [vec![1, 3], vec![2, 0, 4]]);
        // The bound is on padded seconds, and a clip above it is alone.
        assert_eq!(group(&[20.0, 5.0, 5.0, 5.0], 10.0, true), [vec![0], vec![1, 2], vec![3]]);
        assert!(group(&[], 10.0, true).is_empty());
        assert_eq!(group(&[0.1; 100], 100.0, true).len(), 2);
    }

    #[test]
    fn clips_of_different_lengths_do_not_meet_where_padding_is_heard() {
        assert_eq!(group(&[1.0, 2.0, 1.0, 2.5], 100.0, false), [vec![3], vec![1], vec![0, 2]]);
    }

    #[test]
    fn a_model_of_fixed_length_gets_as_many_clips_as_the_seconds_hold() {
        let limit = Limit { seconds: 60.0, may_pad: false };
        let scale = Scale { columns: 100.0, is_fixed: true };
        assert_eq!(batches(&[1.0, 2.0, 3.0], limit, scale), [vec![0, 1], vec![2]]);
    }
}
