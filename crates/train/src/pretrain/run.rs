//! One iteration: cluster, then train on the clusters.

use std::{path::Path, time::Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sure_nn::{
    Backbone, Cut, Cx, Hooks, Input, Keep, Loading, NoAdapter, Prepare, Role, Seed, Source, State, Store,
    seed_torch,
    tch::{self, Device, Tensor},
};

use super::{
    Clustering, Corpus, FeatureSource, Features, Grid, Iteration, PretrainHead, Recipe, Recording,
    corpus::hex, progress::Progress,
};
use crate::{AdamW, Event, Observer, Sampler, Schedule, TrainError, Warmup, sampler};

/// Fewest seconds of a recording in a batch: so many batches' worth of clips are sorted by length together.
const SHORTEST: f64 = 0.5;

/// What an iteration works on.
#[derive(Debug, Clone, Copy)]
pub struct Iterating<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// The iteration's number, from 0.
    pub number: usize,
    /// The network that is trained, with its first weights.
    pub network: &'a dyn Backbone,
    /// The network of the iteration before, where its hidden states are the targets.
    pub teacher: Option<&'a dyn Backbone>,
    /// The recordings.
    pub corpus: &'a Corpus,
    /// The iteration's own folder: clusters and checkpoint are kept there.
    pub folder: &'a Path,
}

/// What an iteration gave, besides the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IterationRecord {
    /// Hash of the data and of the recipe up to this iteration.
    pub run: String,
    /// What was clustered.
    pub targets: FeatureSource,
    /// Frames that the clusters were made of.
    pub clustered_frames: usize,
    /// Mean squared distance of these frames to their centroids, a dimension having variance 1.
    pub inertia: f64,
    /// Frames that are learnt from.
    pub train_frames: usize,
    /// Parameters that were trained: the network's, without the head's.
    pub parameters: u64,
    /// Steps.
    pub steps: u64,
    /// Every validation.
    pub curve: Vec<PretrainPoint>,
    /// Accuracy of who always names the most frequent cluster.
    pub baseline_accuracy: f64,
    /// Seconds of clustering and of finding all targets.
    pub seconds_targets: f64,
    /// Seconds of training.
    pub seconds_train: f64,
}

/// A validation: hidden frames of the recordings that are held out, the same at each.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PretrainPoint {
    /// Steps done.
    pub step: u64,
    /// Mean training loss since the last validation.
    pub train_loss: f64,
    /// Mean loss of a hidden frame.
    pub valid_loss: f64,
    /// Share of hidden frames whose cluster is named.
    pub valid_accuracy: f64,
}

/// Runs one iteration; the network then has the trained weights. A checkpoint of a killed run of the same recipe and data
/// is taken up, and the run then ends as if it had never been killed.
///
/// # Errors
/// When the recipe makes no sense, a recording cannot be used, the loss stops being a number, the observer asks to stop, or a
/// file fails.
pub fn pretrain(work: &Iterating, observer: &mut dyn Observer) -> Result<IterationRecord, TrainError> {
    work.recipe.check()?;
    let run_id = work.run_id()?;
    let start = Instant::now();
    let targets = work.targets(&run_id, observer)?;
    let seconds_targets = start.elapsed().as_secs_f64();
    let run = Run::new(work, &targets)?;
    let mut optimiser = AdamW::new();
    let stores = [("backbone", work.network.store()), ("head", &run.head_store)];
    for (prefix, store) in stores {
        optimiser.add(prefix, store, run.iteration.lr, work.recipe.weight_decay);
    }
    let path = work.folder.join("checkpoint.safetensors");
    let mut progress = Progress::resume(&path, &run_id, &stores, &mut optimiser)?;
    let mut since = Instant::now();
    let total = run.iteration.steps;
    tracing::info!(first = progress.step, steps = total, "pretraining");
    while progress.step < total {
        progress.loss_sum += run.step(progress.step, &mut optimiser)?;
        progress.loss_count += 1;
        progress.step += 1;
        let done = progress.step;
        let loss = progress.loss_sum / progress.loss_count as f64;
        let mut stop = observer.on(Event::Step { done, total, loss }).is_break();
        if done.is_multiple_of(work.recipe.eval_every) || done == total {
            let point = run.validate(done, loss)?;
            tracing::info!(
                step = done,
                loss,
                valid = point.valid_loss,
                accuracy = point.valid_accuracy,
                "validated"
            );
            progress.curve.push(point);
            (progress.loss_sum, progress.loss_count) = (0.0, 0);
            stop |= observer.on(Event::Evaluated { done, score: point.valid_accuracy }).is_break();
        }
        if stop || done.is_multiple_of(work.recipe.checkpoint_every) {
            progress.seconds += since.elapsed().as_secs_f64();
            since = Instant::now();
            progress.save(&path, &stores, &optimiser)?;
            if stop || observer.on(Event::Checkpointed { done }).is_break() {
                return Err(TrainError::Interrupted { step: done });
            }
        }
    }
    let _ = observer.on(Event::Trained { best_step: total });
    Ok(IterationRecord {
        run: run_id,
        targets: run.iteration.targets,
        clustered_frames: targets.clustering.frames,
        inertia: targets.clustering.inertia(),
        train_frames: targets.train.iter().map(Vec::len).sum(),
        parameters: work.network.store().count(),
        steps: total,
        curve: progress.curve,
        baseline_accuracy: targets.baseline(),
        seconds_targets,
        seconds_train: progress.seconds + since.elapsed().as_secs_f64(),
    })
}

/// The cluster of each frame of each recording.
struct Targets {
    clustering: Clustering,
    train: Vec<Vec<u16>>,
    valid: Vec<Vec<u16>>,
}

impl Targets {
    /// Share of the validation's frames in the cluster that is most frequent in training.
    fn baseline(&self) -> f64 {
        let mut counts = std::collections::BTreeMap::new();
        for target in self.train.iter().flatten() {
            *counts.entry(target).or_insert(0_usize) += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count).map_or(0, |(target, _)| *target);
        let all: usize = self.valid.iter().map(Vec::len).sum();
        let right = self.valid.iter().flatten().filter(|target| **target == most).count();
        right as f64 / all.max(1) as f64
    }
}

impl Iterating<'_> {
    /// Hash of the data and of the recipe up to this iteration: what comes after does not change it.
    ///
    /// # Errors
    /// [`TrainError::Config`] when there is no such iteration.
    pub fn run_id(&self) -> Result<String, TrainError> {
        let reason = "there is no such iteration";
        let none = || TrainError::Config { key: "iterations", value: self.number.to_string(), reason };
        let iterations = self.recipe.iterations.get(..=self.number).ok_or_else(none)?.to_vec();
        let recipe = Recipe { iterations, ..self.recipe.clone() };
        let sets: Vec<&str> = self.corpus.sets.iter().map(|set| set.hash.as_str()).collect();
        let text =
            serde_json::json!({"recipe": recipe, "data": sets, "rate_hz": self.corpus.rate_hz}).to_string();
        Ok(hex(&Sha256::digest(text.as_bytes())[..16]))
    }

    fn seed(&self) -> Seed {
        Seed::new(self.recipe.seed).derive(&format!("iteration {}", self.number))
    }

    fn grid(&self) -> Grid {
        Grid::new(&self.network.anatomy().front_end)
    }

    /// Finds the clusters, or reads those that were found before, and every frame's own.
    fn targets(&self, run: &str, observer: &mut dyn Observer) -> Result<Targets, TrainError> {
        let iteration = &self.recipe.iterations[self.number];
        let features = match (iteration.targets, self.teacher) {
            (FeatureSource::Layer(layer), Some(network)) => Features::Layer { network, layer },
            (FeatureSource::Layer(layer), None) => {
                let (key, value) = ("iterations.targets", format!("layer {layer}"));
                return Err(TrainError::Config { key, value, reason: "there is no model before it" });
            }
            (FeatureSource::Mfcc, _) => Features::mfcc(self.network),
        };
        let path = self.folder.join("clusters.safetensors");
        let known = if path.is_file() { Clustering::read(&path, run)? } else { None };
        let clustering = if let Some(known) = known {
            known
        } else {
            let seed = self.seed().derive("clusters");
            let found = Clustering::fit(&features, &self.corpus.train, iteration.clusters, seed)?;
            found.write(&path, run)?;
            found
        };
        let train = clustering.targets(&features, &self.corpus.train, observer)?;
        let valid = clustering.targets(&features, &self.corpus.valid, observer)?;
        Ok(Targets { clustering, train, valid })
    }
}

/// The parts of a training.
struct Run<'a> {
    work: &'a Iterating<'a>,
    iteration: &'a Iteration,
    targets: &'a Targets,
    grid: Grid,
    preparer: std::sync::Arc<dyn Prepare>,
    head: PretrainHead,
    head_store: Store,
    sampler: Sampler,
    schedule: Schedule,
    seed: Seed,
    /// Samples of a crop, and of a batch.
    crop: usize,
    batch: usize,
}

/// Crops of one length, with the cluster of each frame.
struct Batch {
    input: Input,
    /// `[clips * frames]`.
    targets: Tensor,
}

/// The loss of hidden frames, `[]`, the share of them that is named, and their number.
struct Judged {
    loss: Tensor,
    accuracy: f64,
    frames: i64,
}

impl<'a> Run<'a> {
    fn new(work: &'a Iterating<'a>, targets: &'a Targets) -> Result<Self, TrainError> {
        let (recipe, iteration) = (work.recipe, &work.recipe.iterations[work.number]);
        let (seed, grid) = (work.seed(), work.grid());
        let rate = f64::from(work.corpus.rate_hz);
        let least = grid.frames((SHORTEST * rate) as usize);
        if recipe.mask.length > least {
            let (key, value) = ("mask.length", recipe.mask.length.to_string());
            return Err(TrainError::Config { key, value, reason: "is longer than half a second" });
        }
        let crop = (recipe.crop_seconds * rate) as usize;
        if recipe.crop_seconds < SHORTEST {
            let (key, value) = ("crop_seconds", recipe.crop_seconds.to_string());
            return Err(TrainError::Config { key, value, reason: "must be at least 0.5" });
        }
        let mut masks = false;
        for (_, param) in work.network.store().iter().filter(|(_, param)| param.role != Role::Fixed) {
            let _ = param.tensor.set_requires_grad(true);
            masks |= param.role == Role::MaskVector;
        }
        if !masks {
            let reason = "must be above 0, or the model has no vector for hidden frames";
            return Err(TrainError::Config { key: "model.mask_time_prob", value: "0".to_owned(), reason });
        }
        let loading = Loading::trainable(Source::Init(seed.derive("head")), Device::Cpu);
        let hidden = work.network.anatomy().stacks.last().map_or(0, |stack| stack.hidden);
        let widths = (hidden, recipe.final_dim);
        let head = PretrainHead::new(&loading.root(), widths, iteration.clusters, recipe.temperature)?;
        let head_store = loading.finish(|_| false)?;
        let batch = (iteration.batch_seconds * rate) as usize;
        let most = (iteration.batch_seconds / SHORTEST).ceil() as usize;
        let lengths = work.corpus.train.iter().map(|recording| recording.samples.len().min(crop)).collect();
        Ok(Self {
            sampler: Sampler::new(lengths, most, Some(batch), seed),
            schedule: Schedule::Linear { warmup: Warmup::Ratio(iteration.warmup) },
            preparer: work.network.preparer(),
            seed: seed.derive("step"),
            work,
            iteration,
            targets,
            grid,
            head,
            head_store,
            crop,
            batch,
        })
    }

    /// One optimiser step; gives the loss before it.
    fn step(&self, step: u64, optimiser: &mut AdamW) -> Result<f64, TrainError> {
        let seed = self.seed.at(step);
        seed_torch(seed);
        optimiser.zero_grad();
        let indices = self.sampler.batch(step);
        let batch = self.batch(&self.work.corpus.train, &self.targets.train, &indices, Some(seed))?;
        let judged = self.judge(&batch, seed, true);
        judged.loss.backward();
        let loss = judged.loss.double_value(&[]);
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step, loss });
        }
        optimiser.clip_grad_norm(self.work.recipe.clip_norm);
        optimiser.step(self.schedule.factor(step, self.iteration.steps));
        Ok(loss)
    }

    /// Loss and accuracy on what is held out.
    fn validate(&self, step: u64, train_loss: f64) -> Result<PretrainPoint, TrainError> {
        let _guard = tch::no_grad_guard();
        let valid = &self.work.corpus.valid;
        let mut order: Vec<usize> = (0..valid.len()).collect();
        order.sort_by_key(|&index| (valid[index].samples.len().min(self.crop), &valid[index].id));
        let length = |index: usize| valid[index].samples.len().min(self.crop);
        let (mut loss, mut right, mut frames) = (0.0, 0.0, 0.0);
        for (number, part) in sampler::chunks(&order, valid.len(), Some(self.batch), length).enumerate() {
            let batch = self.batch(valid, &self.targets.valid, part, None)?;
            let judged = self.judge(&batch, self.seed.derive("valid").at(number as u64), false);
            let count = judged.frames as f64;
            loss += judged.loss.double_value(&[]) * count;
            right += judged.accuracy * count;
            frames += count;
        }
        let frames = f64::max(frames, 1.0);
        Ok(PretrainPoint { step, train_loss, valid_loss: loss / frames, valid_accuracy: right / frames })
    }

    /// Crops of the recordings, all as long as the shortest of them: no time goes into padding. Where they begin is drawn
    /// from `seed`; without one they begin where the recordings do. They begin on the grid, so that the targets stay those
    /// of the whole recording.
    fn batch(
        &self,
        recordings: &[Recording],
        targets: &[Vec<u16>],
        indices: &[usize],
        seed: Option<Seed>,
    ) -> Result<Batch, TrainError> {
        let shortest = indices.iter().map(|&index| recordings[index].samples.len()).min().unwrap_or(0);
        let length = shortest.min(self.crop);
        let frames = self.grid.frames(length);
        let mut rng = seed.map(|seed| ChaCha8Rng::seed_from_u64(seed.derive("crop").value()));
        let (mut clips, mut all) =
            (Vec::with_capacity(indices.len()), Vec::with_capacity(indices.len() * frames));
        for &index in indices {
            let recording = &recordings[index];
            let room = (recording.samples.len() - length) / self.grid.hop;
            let first = rng.as_mut().map_or(0, |rng| rng.random_range(0..=room));
            let samples = &recording.samples[first * self.grid.hop..][..length];
            clips.push(self.preparer.prepare(samples)?);
            all.extend(targets[index][first..first + frames].iter().map(|&target| i64::from(target)));
        }
        Ok(Batch { input: Input::collate(&clips, Device::Cpu), targets: Tensor::from_slice(&all) })
    }

    /// Hides frames as `seed` says and lets the network name their clusters.
    fn judge(&self, batch: &Batch, seed: Seed, train: bool) -> Judged {
        let recipe = self.work.recipe;
        let cx = if train { Cx::train(seed.value()) } else { Cx::eval() };
        let cx = Cx { backbone_dropout: train && recipe.dropout, ..cx };
        let State { hidden, mask } = self.work.network.front_end(&batch.input, &Hooks::new(&NoAdapter, &cx));
        let hidden = scale_gradient(hidden, recipe.front_end_gradient);
        let masked = recipe.mask.spans().draw(seed, &mask);
        let state = State { hidden, mask };
        let cx = Cx { time_mask: Some(masked.shallow_clone()), ..cx };
        let encoded = self.work.network.encode_from(state, Cut::Features, &NoAdapter, &cx, Keep::Last);
        let flat = encoded.last().flatten(0, 1);
        let judge = |chosen: &Tensor| {
            let chosen = chosen.flatten(0, 1).nonzero().squeeze_dim(1);
            let logits = self.head.forward(&flat.index_select(0, &chosen));
            let (loss, accuracy) = PretrainHead::loss(&logits, &batch.targets.index_select(0, &chosen));
            Judged { loss, accuracy, frames: chosen.size()[0] }
        };
        let hidden = judge(&masked);
        if !train || recipe.unmasked_weight == 0.0 {
            return hidden;
        }
        let seen = judge(&masked.logical_not());
        // Where all frames are hidden there is nothing else to judge.
        let extra =
            if seen.frames == 0 { hidden.loss.zeros_like() } else { seen.loss * recipe.unmasked_weight };
        Judged { loss: hidden.loss + extra, ..hidden }
    }
}

/// `x` itself, with a gradient that is multiplied by `factor`.
fn scale_gradient(x: Tensor, factor: f64) -> Tensor {
    if factor == 1.0 || !x.requires_grad() {
        return x;
    }
    let constant = x.detach();
    // The difference is zero to the bit, so that the value stays what it was.
    (x - &constant) * factor + constant
}
