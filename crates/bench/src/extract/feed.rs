//! Decoding and preparing on threads of their own, ahead of the encoder.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use sure_nn::{Prepare, Prepared};

use super::{inputs::Clip, journal::Stamp};

/// A clip that is ready.
pub(super) struct Heard {
    pub(super) prepared: Prepared,
    /// How long it is.
    pub(super) seconds: f64,
    /// Its file, as it was before it was read.
    pub(super) stamp: Stamp,
}

/// A batch whose recordings are decoded.
pub(super) struct Ready {
    /// Its clips by index, in the order of the plan, or what is wrong with them.
    pub(super) clips: Vec<(usize, Result<Heard, String>)>,
}

/// What is decoded, and for whom.
pub(super) struct Feed<'a> {
    pub(super) clips: &'a [Clip],
    /// The clips of each batch, in the order in which they are handed out.
    pub(super) batches: &'a [Vec<usize>],
    pub(super) preparer: &'a dyn Prepare,
    pub(super) rate_hz: u32,
    pub(super) workers: usize,
}

impl Feed<'_> {
    /// Hands each batch to `take`, in order, until it breaks off. Each worker is at most two batches ahead, however many
    /// there are.
    pub(super) fn run<T>(&self, mut take: impl FnMut(Ready) -> ControlFlow<T>) -> Option<T> {
        let workers = self.workers.clamp(1, self.batches.len().max(1));
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let lines: Vec<mpsc::Receiver<Ready>> = (0..workers)
                .map(|worker| {
                    let (sender, receiver) = mpsc::sync_channel(1);
                    let stop = &stop;
                    scope.spawn(move || {
                        for clips in self.batches.iter().skip(worker).step_by(workers) {
                            let ready = self.prepare(clips, stop);
                            if ready.is_none_or(|ready| sender.send(ready).is_err()) {
                                break;
                            }
                        }
                    });
                    receiver
                })
                .collect();
            let mut ended = None;
            for place in 0..self.batches.len() {
                // A worker that hangs up has panicked; leaving the scope says so.
                let Ok(ready) = lines[place % workers].recv() else { break };
                if let ControlFlow::Break(value) = take(ready) {
                    ended = Some(value);
                    break;
                }
            }
            stop.store(true, Ordering::Relaxed);
            // Those that wait for room are let go with their receivers.
            drop(lines);
            ended
        })
    }

    /// `None` once nobody wants it any more.
    fn prepare(&self, clips: &[usize], stop: &AtomicBool) -> Option<Ready> {
        let one = |&index: &usize| {
            (!stop.load(Ordering::Relaxed)).then(|| (index, self.prepare_one(&self.clips[index].path)))
        };
        Some(Ready { clips: clips.iter().map(one).collect::<Option<_>>()? })
    }

    /// What is wrong names the file.
    fn prepare_one(&self, path: &Path) -> Result<Heard, String> {
        let stamp = Stamp::of(path);
        let wave = sure_audio::load(path, self.rate_hz).map_err(|error| describe(&error))?;
        let prepared = self.preparer.prepare(&wave.samples);
        let prepared = prepared.map_err(|error| format!("{}: {}", path.display(), describe(&error)))?;
        Ok(Heard { prepared, seconds: wave.seconds(), stamp })
    }
}

/// An error with its causes.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
