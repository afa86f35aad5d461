//! One step of an iteration: crops, hidden frames, loss.

use std::sync::Arc;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sure_nn::{
    Cut, Cx, Hooks, Input, Keep, Loading, NoAdapter, Prepare, Role, Seed, Source, State, Store, seed_torch,
    tch::{self, Device, Tensor},
};

use super::{
    Grid, Iterating, Iteration, PretrainHead, PretrainPoint, Recording,
    run::{SHORTEST, Targets},
};
use crate::{AdamW, Sampler, Schedule, TrainError, Warmup, sampler};

/// The parts of a training.
pub(super) struct Run<'a> {
    work: &'a Iterating<'a>,
    pub(super) iteration: &'a Iteration,
    targets: &'a Targets,
    grid: Grid,
    preparer: Arc<dyn Prepare>,
    head: PretrainHead,
    pub(super) head_store: Store,
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
    pub(super) fn new(work: &'a Iterating<'a>, targets: &'a Targets) -> Result<Self, TrainError> {
        let (recipe, iteration) = (work.recipe, &work.recipe.iterations[work.number]);
        let (seed, grid) = (work.seed(), work.grid());
        let rate = f64::from(work.corpus.rate_hz);
        let crop = (recipe.crop_seconds * rate) as usize;
        for (_, param) in work.network.store().iter().filter(|(_, param)| param.role != Role::Fixed) {
            let _ = param.tensor.set_requires_grad(true);
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
    pub(super) fn step(&self, step: u64, optimiser: &mut AdamW) -> Result<f64, TrainError> {
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
    pub(super) fn validate(&self, step: u64, train_loss: f64) -> Result<PretrainPoint, TrainError> {
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
