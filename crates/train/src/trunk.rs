//! The cut-aware cache: everything below the cut is computed once and kept.
//!
//! Utterances are sorted by length and id and grouped by a rule that depends on them alone; each group goes through
//! the frozen part as one padded batch, in eval mode, without gradient. A group's result is one safetensors file named
//! after the hash of its utterances' samples, in a folder named after everything else that the result depends on:
//! weights, graph, preprocessing, cut, precision, device, threads, processor. Files appear by rename and never change, so any
//! number of processes share them; a claim beside the file says who computes a missing one.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    fs,
    path::PathBuf,
    thread,
    time::Duration,
};

use sha2::{Digest, Sha256};
use sure_data::{AudioFacts, DataError};
use sure_nn::{
    Backbone, Checkpoint, Cut, FrameMask, Input, Prepare, Prepared, State,
    tch::{Device, Kind, Tensor},
};
use sure_records::{Claim, ClaimState, write_atomic};

use crate::{Event, Observer, TrainError};

/// Clips in a group at most, and padded samples in a group at most (80 s at 16 kHz).
const GROUP_CLIPS: usize = 32;
const GROUP_SAMPLES: usize = 80 * 16_000;

/// A recording with its facts.
#[derive(Debug, Clone)]
pub struct Clip {
    /// The utterance's id.
    pub id: String,
    /// The recording.
    pub path: PathBuf,
    /// The text that is read in its place.
    pub text: Option<String>,
    /// Length and hash of its samples at the backbone's rate. Of a longer recording so many first samples are taken.
    pub facts: AudioFacts,
}

/// Where the results are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheMode {
    /// In this folder, shared with every run that has the same cut.
    Shared(PathBuf),
    /// In this folder, for this run alone: it is emptied before and after.
    Private(PathBuf),
}

/// Everything besides the utterances that a result depends on.
#[derive(Debug, Clone)]
pub struct TrunkKey {
    /// The backbone's identity: weights as they were loaded, and the graph.
    pub weights: String,
    /// `fp32` or `bf16`.
    pub precision: String,
    /// Threads of a tensor operation: their number changes the order of sums.
    pub threads: usize,
    /// The processor or GPU, and the version of libtorch.
    pub machine: String,
}

/// The outputs at the cut of a list of clips.
#[derive(Debug)]
pub struct Trunk {
    clips: Vec<Clip>,
    groups: Vec<Group>,
    /// Group and row of each clip.
    place: Vec<(usize, usize)>,
    folder: PathBuf,
    private: bool,
    shards: RefCell<Vec<Option<Checkpoint>>>,
    cut: Cut,
    device: Device,
    threads: usize,
}

#[derive(Debug)]
struct Group {
    clips: Vec<usize>,
    name: String,
}

impl Trunk {
    /// The trunk of `backbone` below `cut` for `clips`; nothing is computed yet.
    ///
    /// # Errors
    /// When the cache folder cannot be made.
    pub fn open(
        backbone: &dyn Backbone,
        cut: Cut,
        clips: Vec<Clip>,
        key: &TrunkKey,
        cache: &CacheMode,
    ) -> Result<Self, TrainError> {
        let device = backbone.store().iter().next().map_or(Device::Cpu, |(_, param)| param.tensor.device());
        let (root, private) = match cache {
            CacheMode::Shared(root) => (root, false),
            CacheMode::Private(root) => (root, true),
        };
        let text = format!(
            "trunk 1\n{}\n{}\n{cut:?}\n{}\n{device:?}\n{}\n{}",
            key.weights,
            backbone.graph(),
            key.precision,
            key.threads,
            key.machine
        );
        let folder = root.join(hash([text.as_bytes()]));
        let io = |source| TrainError::Cache { path: folder.clone(), source };
        if private && root.exists() {
            fs::remove_dir_all(root).map_err(io)?;
        }
        fs::create_dir_all(&folder).map_err(io)?;
        write_atomic(&folder.join("key.txt"), text.as_bytes())?;
        let groups = group(&clips);
        let mut place = vec![(0, 0); clips.len()];
        for (number, group) in groups.iter().enumerate() {
            for (row, &clip) in group.clips.iter().enumerate() {
                place[clip] = (number, row);
            }
        }
        let shards = RefCell::new(groups.iter().map(|_| None).collect());
        Ok(Self { clips, groups, place, folder, private, shards, cut, device, threads: key.threads })
    }

    /// Computes what is missing, sharing the work with other processes; returns the number of groups computed here.
    ///
    /// # Errors
    /// When a recording cannot be read or used, the cache cannot be written, or the observer asks to stop.
    pub fn fill(&self, backbone: &dyn Backbone, observer: &mut dyn Observer) -> Result<usize, TrainError> {
        let total = self.groups.len();
        let mut computed = 0;
        let mut pending: VecDeque<usize> =
            (0..total).filter(|&number| !self.path(&self.groups[number]).is_file()).collect();
        let mut waited = 0;
        while let Some(number) = pending.pop_front() {
            let group = &self.groups[number];
            match Claim::acquire(&self.folder, &group.name)? {
                ClaimState::Mine(_claim) => {
                    waited = 0;
                    // Somebody may have finished it between the look and the claim.
                    if !self.path(group).is_file() {
                        self.compute(backbone, group)?;
                        computed += 1;
                    }
                }
                ClaimState::Theirs { .. } => {
                    pending.push_back(number);
                    waited += 1;
                    if waited >= pending.len() {
                        thread::sleep(Duration::from_millis(100));
                    }
                    pending.retain(|&number| !self.path(&self.groups[number]).is_file());
                    continue;
                }
            }
            let event = Event::Filled { done: total - pending.len(), total };
            if observer.on(event).is_break() {
                return Err(TrainError::Interrupted { step: 0 });
            }
        }
        Ok(computed)
    }

    /// The clips, in the order of their indices.
    pub fn clips(&self) -> &[Clip] {
        &self.clips
    }

    /// The states at the cut of the clips with these indices, padded to the longest.
    ///
    /// # Errors
    /// When a file of the cache is gone or damaged.
    pub fn batch(&self, indices: &[usize]) -> Result<State, TrainError> {
        let rows = indices.iter().map(|&index| self.row(index)).collect::<Result<Vec<_>, _>>()?;
        let lengths: Vec<i64> = rows.iter().map(|row| row.size()[0]).collect();
        let time = lengths.iter().copied().max().unwrap_or(0);
        let width = rows.first().map_or(0, |row| row.size()[1]);
        let hidden = Tensor::zeros([rows.len() as i64, time, width], (Kind::Float, Device::Cpu));
        for (index, row) in rows.iter().enumerate() {
            hidden.get(index as i64).narrow(0, 0, row.size()[0]).copy_(row);
        }
        Ok(State { hidden: hidden.to_device(self.device), mask: FrameMask::new(lengths, time, self.device) })
    }

    /// One clip's state, `[time, hidden]`.
    fn row(&self, index: usize) -> Result<Tensor, TrainError> {
        let (number, row) = self.place[index];
        let path = self.path(&self.groups[number]);
        let mut shards = self.shards.borrow_mut();
        let shard = match &mut shards[number] {
            Some(shard) => shard,
            empty => empty.insert(Checkpoint::open(std::slice::from_ref(&path))?),
        };
        shard.tensor(&row.to_string())?.ok_or_else(|| TrainError::Cache {
            path,
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, format!("it holds no clip {row}")),
        })
    }

    fn path(&self, group: &Group) -> PathBuf {
        self.folder.join(format!("{}.safetensors", group.name))
    }

    fn compute(&self, backbone: &dyn Backbone, group: &Group) -> Result<(), TrainError> {
        let clips: Vec<&Clip> = group.clips.iter().map(|&index| &self.clips[index]).collect();
        let prepared = prepare(&*backbone.preparer(), &clips, backbone.rate_hz(), self.threads)?;
        let input = Input::collate(&prepared, self.device);
        let state = backbone.encode_until(&input, self.cut);
        let rows: BTreeMap<String, Tensor> = (0..clips.len())
            .map(|row| {
                let clip = state.hidden.get(row as i64).narrow(0, 0, state.mask.lengths()[row]);
                (row.to_string(), clip.contiguous())
            })
            .collect();
        tracing::debug!(clips = clips.len(), cut = ?self.cut, "computed a group of the trunk");
        write_atomic(&self.path(group), &Checkpoint::to_bytes(&rows, None)?)?;
        Ok(())
    }
}

impl Drop for Trunk {
    fn drop(&mut self) {
        if self.private {
            // The maps go first; a folder that cannot be removed is emptied by the next run.
            self.shards.borrow_mut().clear();
            let _ = self.folder.parent().map(fs::remove_dir_all);
        }
    }
}

/// Sorts by length and id, then cuts into groups of limited size.
fn group(clips: &[Clip]) -> Vec<Group> {
    let mut order: Vec<usize> = (0..clips.len()).collect();
    order.sort_by(|&a, &b| {
        (clips[a].facts.samples, &clips[a].id).cmp(&(clips[b].facts.samples, &clips[b].id))
    });
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for index in order {
        let longest = clips[index].facts.samples;
        match groups.last_mut() {
            Some(group) if group.len() < GROUP_CLIPS && (group.len() + 1) * longest <= GROUP_SAMPLES => {
                group.push(index);
            }
            _ => groups.push(vec![index]),
        }
    }
    let name = |group: &[usize]| hash(group.iter().map(|&index| clips[index].facts.sha256.as_slice()));
    groups.into_iter().map(|clips| Group { name: name(&clips), clips }).collect()
}

/// Decodes and prepares `clips` on several threads.
fn prepare(
    preparer: &dyn Prepare,
    clips: &[&Clip],
    rate_hz: u32,
    threads: usize,
) -> Result<Vec<Prepared>, TrainError> {
    let refused = |clip: &Clip, source| TrainError::Clip { path: clip.path.clone(), source };
    let one = |clip: &Clip| {
        if let Some(text) = &clip.text {
            return preparer.prepare_text(text).map_err(|source| refused(clip, source));
        }
        let wave = sure_audio::load(&clip.path, rate_hz)
            .map_err(|source| DataError::Audio { id: clip.id.clone(), source })?;
        let kept = clip.facts.samples.min(wave.samples.len());
        preparer.prepare(&wave.samples[..kept]).map_err(|source| refused(clip, source))
    };
    let share = clips.len().div_ceil(threads.max(1)).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> = clips
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(|clip| one(clip)).collect::<Result<Vec<_>, _>>()))
            .collect();
        let mut prepared = Vec::with_capacity(clips.len());
        for worker in workers {
            let part = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            prepared.extend(part);
        }
        Ok(prepared)
    })
}

fn hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hex(&hash.finalize()[..16])
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
