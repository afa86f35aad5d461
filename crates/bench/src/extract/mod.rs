//! Hidden states of many recordings: decoded ahead, in batches of similar length, written as they come, and resumable.
//!
//! | step | module |
//! |---|---|
//! | files, folders, manifests, lists to named clips | `inputs` |
//! | clips to batches, by their headers alone | `plan` |
//! | decoding and preparing on threads ahead of the encoder | `feed` |
//! | a batch to the layers that are wanted | `states` |
//! | what is done, and where | `journal`, `layout` |
//! | safetensors, npy, parquet | `shards`, `npy`, `table` |
//!
//! In memory are the batch in the encoder, the one that is being written, and at most two a thread that wait: none of it
//! grows with the number of recordings.

mod feed;
mod inputs;
mod journal;
mod layout;
mod meter;
mod npy;
mod plan;
mod shards;
mod states;
mod table;
mod target;

use std::{
    collections::HashSet,
    fmt::Write as _,
    ops::ControlFlow,
    path::PathBuf,
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use sha2::{Digest, Sha256};
use sure_nn::{
    Input, Prepared,
    tch::{Device, Kind, Tensor},
};

use self::{
    feed::{Feed, Heard, Ready},
    journal::{End, Entry, Journal, Kept, Stamp},
    layout::Layout,
    plan::{Limit, Scale},
    shards::Shards,
    states::States,
};
pub use self::{
    inputs::{Clip, Inputs},
    meter::Meter,
    states::{Dtype, Layers, Network, Taken},
    target::{Bytes, Format, Target},
};
use crate::environment;

/// What is to be done.
#[derive(Debug)]
pub struct Job<'a> {
    /// What computes.
    pub network: Network<'a>,
    /// Stands for it: two networks of one identity answer alike.
    pub identity: &'a str,
    /// The recordings.
    pub clips: &'a [Clip],
    /// What of them.
    pub taken: Taken,
    /// Where to.
    pub target: &'a Target,
    /// Padded seconds in a batch at most.
    pub batch_seconds: f64,
    /// Whether clips of different lengths may be in a batch: where padding changes an answer, they may not.
    pub may_pad: bool,
    /// Threads that decode.
    pub threads: usize,
    /// Whether the first recording that cannot be used ends the run.
    pub strict: bool,
}

/// How it ended.
#[derive(Debug)]
pub enum Outcome {
    /// All is written, or all that could be.
    Written(Report),
    /// Ctrl-C was pressed; the same job goes on behind what is done.
    Interrupted {
        /// Recordings whose states are kept.
        done: usize,
    },
    /// The first recording that could not be used, of a strict job.
    Stopped(Failure),
}

/// What was written.
#[derive(Debug)]
pub struct Report {
    /// The files.
    pub files: Vec<PathBuf>,
    /// Names and shapes, in the order of the recordings.
    pub tensors: Vec<(String, Vec<i64>)>,
    /// The recordings without states.
    pub failed: Vec<Failure>,
    /// Recordings whose states were there already.
    pub resumed: usize,
    /// Seconds of audio that went through the encoder.
    pub seconds: f64,
    /// How long that took.
    pub took: Duration,
}

/// A recording without states.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Failure {
    /// The recording.
    pub audio: PathBuf,
    /// The name that its states would have.
    pub name: String,
    /// What is wrong; it names the file.
    pub reason: String,
}

/// A batch on its way to the disk.
struct Done {
    clips: Vec<(usize, Stamp, States)>,
    seconds: f64,
}

/// Why the encoder stopped before the last batch.
enum Stop {
    Interrupted,
    Strict,
    /// Why, the writer says.
    Writer,
}

/// Does the job.
///
/// # Errors
/// When the target cannot be written, or takes no such states. A recording that cannot be used is none: it is in the
/// report.
pub fn extract(job: &Job, meter: &Meter) -> Result<Outcome> {
    job.target.check(job.clips, &job.taken)?;
    let begun = Instant::now();
    let layout =
        Layout { names: job.clips.iter().map(|clip| clip.name.clone()).collect(), taken: job.taken.clone() };
    let mut journal = Journal::open(&job.target.path, &job.key())?;
    let mut sink = job.resume(&mut journal, &layout)?;
    let done: HashSet<usize> = journal.entries.iter().flat_map(|entry| &entry.kept).map(|k| k.clip).collect();
    let resumed = done.len();
    meter.begin(job.clips.len(), resumed, journal.began_anew);

    let todo: Vec<usize> = (0..job.clips.len()).filter(|clip| !done.contains(clip)).collect();
    let (mut failed, mut seconds) = (Vec::new(), 0.0);
    let stop = job.compute(&todo, &layout, &mut journal, sink.as_mut(), meter, &mut failed, &mut seconds)?;
    meter.clear();
    let mut failed: Vec<Failure> =
        failed.into_iter().map(|(clip, reason)| job.failure(clip, reason)).collect();
    match stop {
        Some(Stop::Strict) => {
            if let Some(failure) = failed.pop() {
                return Ok(Outcome::Stopped(failure));
            }
        }
        Some(Stop::Interrupted) => {
            let done = journal.entries.iter().map(|entry| entry.kept.len()).sum();
            return Ok(Outcome::Interrupted { done });
        }
        Some(Stop::Writer) | None => {}
    }
    drop(sink);
    let mut kept: Vec<Kept> = journal.entries.iter().flat_map(|entry| entry.kept.iter().copied()).collect();
    kept.sort_by_key(|kept| kept.clip);
    let files = job.finish(&journal, &layout, &kept)?;
    journal.remove()?;
    let tensors = kept.iter().flat_map(|kept| {
        let shape = layout.shape(kept.frames, kept.hidden);
        let named = |&layer: &usize| (layout.tensor_name(kept.clip, layer), shape.clone());
        layout.taken.layers.iter().map(named).collect::<Vec<_>>()
    });
    Ok(Outcome::Written(Report {
        files,
        tensors: tensors.collect(),
        failed,
        resumed,
        seconds,
        took: begun.elapsed(),
    }))
}

impl Job<'_> {
    /// Everything that the states depend on but the recordings themselves, which the journal has stamps of.
    fn key(&self) -> String {
        let mut hash = Sha256::new();
        let (taken, limit) = (&self.taken, (self.batch_seconds, self.may_pad));
        let (device, format, shards) = (self.network.device, self.target.format, self.target.shard_bytes);
        hash.update(format!(
            "extract 1\n{}\n{taken:?}{limit:?}{device:?}{format:?}{shards:?}",
            self.identity
        ));
        for clip in self.clips {
            hash.update(format!("\n{:?} ", clip.name));
            hash.update(clip.path.as_os_str().as_encoded_bytes());
        }
        hash.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Opens the data files behind what the journal says; none for npy, which has a file for each layer. Where a
    /// recording or the data changed in the meantime, the journal is emptied.
    fn resume(&self, journal: &mut Journal, layout: &Layout) -> Result<Option<Shards>> {
        let mut all = journal.entries.iter().flat_map(|entry| &entry.kept);
        if all.any(|kept| Stamp::of(&self.clips[kept.clip].path) != kept.stamp) {
            journal.begin_anew()?;
        }
        if self.target.format == Format::Npy {
            return Ok(None);
        }
        let open = |journal: &Journal| {
            Shards::resume(journal.folder(), self.target.shard_bytes, layout, &journal.entries)
        };
        let kept: usize = journal.entries.iter().map(|entry| entry.kept.len()).sum();
        let found = open(journal);
        // With every clip done the files may have been moved already.
        if found.is_none() && kept < self.clips.len() {
            journal.begin_anew()?;
            return Ok(open(journal));
        }
        Ok(found)
    }

    /// Takes the clips `todo` through decoder, encoder and writer.
    #[expect(clippy::too_many_arguments, reason = "the state of one run, which nothing else needs")]
    fn compute(
        &self,
        todo: &[usize],
        layout: &Layout,
        journal: &mut Journal,
        sink: Option<&mut Shards>,
        meter: &Meter,
        failed: &mut Vec<(usize, String)>,
        seconds: &mut f64,
    ) -> Result<Option<Stop>> {
        let (preparer, rate_hz) = (self.network.backbone.preparer(), self.network.backbone.rate_hz());
        let scale = Scale::of(&*preparer, rate_hz);
        let limit = Limit { seconds: self.batch_seconds, may_pad: self.may_pad };
        let clips: Vec<&Clip> = todo.iter().map(|&clip| &self.clips[clip]).collect();
        let planned = plan::batches(&plan::stated(&clips, self.threads), limit, scale);
        let batches: Vec<Vec<usize>> =
            planned.into_iter().map(|batch| batch.into_iter().map(|place| todo[place]).collect()).collect();
        let feed = Feed {
            clips: self.clips,
            batches: &batches,
            preparer: &*preparer,
            rate_hz,
            workers: self.threads,
        };
        // Without room between: what is handed over is what the writer writes next, so that a process that is killed
        // has at most one computed batch that is not on the disk.
        let (sender, receiver) = mpsc::sync_channel(0);
        thread::scope(|scope| {
            let writer = scope.spawn(move || write(&receiver, layout, journal, sink, meter));
            let stop = feed.run(|ready| {
                if environment::interrupted() {
                    return ControlFlow::Break(Stop::Interrupted);
                }
                let before = failed.len();
                let done = self.encode(ready, limit, scale, failed);
                if self.strict && failed.len() > before {
                    failed.truncate(before + 1);
                    return ControlFlow::Break(Stop::Strict);
                }
                meter.add((failed.len() - before) as u64, 0.0);
                *seconds += done.seconds;
                if !done.clips.is_empty() && sender.send(done).is_err() {
                    return ControlFlow::Break(Stop::Writer);
                }
                ControlFlow::Continue(())
            });
            drop(sender);
            writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok(stop)
        })
    }

    /// The states of a batch; what cannot be used goes to `failed`.
    fn encode(&self, ready: Ready, limit: Limit, scale: Scale, failed: &mut Vec<(usize, String)>) -> Done {
        let mut heard: Vec<(usize, Heard)> = Vec::new();
        for (clip, result) in ready.clips {
            match result {
                Ok(one) => heard.push((clip, one)),
                Err(reason) => failed.push((clip, reason)),
            }
        }
        let columns: Vec<usize> = heard.iter().map(|(_, heard)| heard.prepared.length).collect();
        let mut done = Done { clips: Vec::new(), seconds: 0.0 };
        for group in plan::split(&columns, limit, scale) {
            let take = |&place: &usize| {
                let empty = Prepared { data: Vec::new(), channels: 0, length: 0 };
                std::mem::replace(&mut heard[place].1.prepared, empty)
            };
            let prepared: Vec<Prepared> = group.iter().map(take).collect();
            let states = self.network.states(&Input::collate(&prepared, self.network.device), &self.taken);
            for (&place, states) in group.iter().zip(states) {
                let (clip, heard) = &heard[place];
                match states {
                    Ok(states) => {
                        done.clips.push((*clip, heard.stamp, states));
                        done.seconds += heard.seconds;
                    }
                    Err(reason) => {
                        failed.push((*clip, format!("{}: {reason}", self.clips[*clip].path.display())));
                    }
                }
            }
        }
        done
    }

    /// Puts what is in the journal's folder into its place.
    fn finish(&self, journal: &Journal, layout: &Layout, kept: &[Kept]) -> Result<Vec<PathBuf>> {
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        let (folder, out) = (journal.folder(), &*self.target.path);
        match self.target.format {
            Format::Safetensors => shards::finish(folder, out, layout, &journal.entries, kept),
            Format::Npy => npy::finish(folder, out, self.target.is_one_file(), layout, kept),
            Format::Parquet => table::finish(folder, out, layout, &journal.entries, kept),
        }
    }

    fn failure(&self, clip: usize, reason: String) -> Failure {
        let Clip { name, path } = &self.clips[clip];
        Failure { audio: path.clone(), name: name.clone(), reason }
    }
}

/// Lets the encoder's threads wait asleep. libgomp has a thread that waits for the others spin for milliseconds, as long
/// as it manages no more threads than there are cores; that takes the cores from those who decode, and from other
/// programs. A team of a second thread, which lives as long as that thread, makes them more.
fn wait_asleep() {
    // Large enough to be shared among threads.
    let _ = Tensor::zeros([1 << 18], (Kind::Float, Device::Cpu)) + 1.0;
}

/// Writes each batch and notes it.
fn write(
    batches: &Receiver<Done>,
    layout: &Layout,
    journal: &mut Journal,
    mut sink: Option<&mut Shards>,
    meter: &Meter,
) -> Result<()> {
    wait_asleep();
    for Done { clips, seconds } in batches {
        let (stamps, states): (Vec<Stamp>, Vec<(usize, States)>) =
            clips.into_iter().map(|(clip, stamp, states)| (stamp, (clip, states))).unzip();
        let (end, places) = if let Some(shards) = &mut sink {
            shards.put(&states, layout)?
        } else {
            npy::put(journal.folder(), &states, layout)?;
            (End::default(), vec![0; states.len()])
        };
        let kept = states.iter().zip(stamps).zip(places).map(|(((clip, states), stamp), at)| Kept {
            clip: *clip,
            frames: states.frames,
            hidden: states.hidden(),
            shard: end.shard,
            at,
            stamp,
        });
        let entry = Entry { end, kept: kept.collect() };
        meter.add(entry.kept.len() as u64, seconds);
        journal.note(entry)?;
    }
    Ok(())
}
