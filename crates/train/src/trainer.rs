//! The loop.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use sure_data::Example;
use sure_metrics::Metric;
use sure_nn::{Recorder, Seed, seed_torch};
use sure_records::CurvePoint;
use sure_tasks::Task;

use crate::{
    AdamW, Augment, Doctor, Event, Model, Observer, Sampler, Schedule, TrainError, Trunk,
    checkpoint::{self, Best, Progress},
    evaluate,
};

/// A split: examples, and the index of each one's clip in the trunk.
#[derive(Debug, Clone)]
pub struct Subset {
    /// The examples.
    pub examples: Vec<Example>,
    /// The clip of each example.
    pub clips: Vec<usize>,
}

/// How to train. Every number is spelled out: there is no default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Optimiser steps.
    pub steps: u64,
    /// Utterances in a batch at most.
    pub batch: usize,
    /// Seconds in a batch at most, padding included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_seconds: Option<f64>,
    /// Batches in a step.
    pub accumulate: u64,
    /// Peak learning rate of the adapter, or of the unfrozen backbone.
    pub lr: f64,
    /// Peak learning rate of the head.
    pub head_lr: f64,
    /// Decoupled weight decay, on weights only.
    pub weight_decay: f64,
    /// How the rates change over the steps.
    pub schedule: Schedule,
    /// Gradients are scaled down to this common norm.
    pub clip_norm: f64,
    /// Steps between evaluations on the validation split; the best of them is kept.
    pub eval_every: u64,
    /// Stop after so many evaluations without a better one; 0 = never.
    pub patience: usize,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// What is hidden from the network.
    pub augment: Augment,
    /// Whether the backbone's own dropout acts above the cut, at the rates of its configuration.
    pub backbone_dropout: bool,
}

impl TrainConfig {
    fn check(&self) -> Result<(), TrainError> {
        let reason = "must be at least 1";
        for (key, value) in [
            ("steps", self.steps),
            ("batch", self.batch as u64),
            ("accumulate", self.accumulate),
            ("eval_every", self.eval_every),
            ("checkpoint_every", self.checkpoint_every),
        ] {
            if value == 0 {
                return Err(TrainError::Config { key, value: value.to_string(), reason });
            }
        }
        if let Augment::SpecAugment(spans) = self.augment
            && let Some((key, value, reason)) = spans.fault()
        {
            return Err(TrainError::Config { key, value, reason });
        }
        if let Some(seconds) = self.batch_seconds.filter(|seconds| !(seconds.is_finite() && *seconds > 0.0)) {
            let (key, reason) = ("batch_seconds", "must be a number above 0");
            return Err(TrainError::Config { key, value: seconds.to_string(), reason });
        }
        for (key, value) in [("lr", self.lr), ("head_lr", self.head_lr)] {
            if !(value.is_finite() && value >= 0.0) {
                let reason = "must be a number of at least 0";
                return Err(TrainError::Config { key, value: value.to_string(), reason });
            }
        }
        Ok(())
    }
}

/// How training went; the model holds the best weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// Every evaluation.
    pub curve: Vec<CurvePoint>,
    /// The step of the best one.
    pub best_step: u64,
    /// Whether the validation score had stopped rising, that is, whether the last quarter of the evaluations brought at most 0.01.
    pub converged: bool,
    /// Steps taken by this process (fewer than configured after a resume).
    pub steps_here: u64,
    /// Clips that training has seen, over all epochs.
    pub seen: u64,
    /// Those of them that had fewer frames than their answer needs, see [`Task::too_short`].
    pub too_short: u64,
}

/// What a run works on.
struct Run<'a> {
    model: &'a Model,
    task: &'a dyn Task,
    trunk: &'a Trunk,
    train: &'a Subset,
    config: &'a TrainConfig,
    sampler: Sampler,
    seed: Seed,
}

/// Trains `model` on the first split of `splits`, chooses the best step on the second, and leaves its weights in the
/// model. A checkpoint in `folder` from a killed run of the same configuration is taken up, and the run then ends as if
/// it had never been killed.
///
/// # Errors
/// When the loss stops being a number, the doctor finds something, the observer asks to stop, or a file fails.
#[expect(clippy::too_many_arguments, reason = "the parts of a run, each named once by the one caller")]
pub fn train(
    model: &Model,
    task: &dyn Task,
    trunk: &Trunk,
    (training, validation): (&Subset, &Subset),
    metric: &dyn Metric,
    config: &TrainConfig,
    (run, seed): (&str, Seed),
    folder: &Path,
    doctor: &mut Doctor,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    config.check()?;
    let path = folder.join("checkpoint.safetensors");
    let mut optimiser = AdamW::new();
    for (prefix, store) in model.trained() {
        let lr = if prefix == "head" { config.head_lr } else { config.lr };
        optimiser.add(prefix, store, lr, config.weight_decay);
    }
    let (mut progress, mut best) = if path.is_file() {
        let (progress, best) = checkpoint::resume(&path, run, model, &mut optimiser)?;
        doctor.adopt(progress.checks.clone());
        (progress, best)
    } else {
        (Progress::new(run), BTreeMap::new())
    };
    let first = progress.step;
    let _run = tracing::info_span!("run", id = run).entered();
    tracing::info!(first, steps = config.steps, cut = ?model.cut, "training");
    let lengths = training.clips.iter().map(|&clip| trunk.clips()[clip].facts.samples).collect();
    let rate_hz = f64::from(model.backbone.rate_hz());
    let samples = config.batch_seconds.map(|seconds| (seconds * rate_hz) as usize);
    let sampler = Sampler::new(lengths, config.batch, samples, seed);
    let run = Run { model, task, trunk, train: training, config, sampler, seed: seed.derive("step") };
    let higher = metric.info().higher_is_better;
    while progress.step < config.steps && (config.patience == 0 || progress.stale < config.patience) {
        let Step { loss, seen, too_short } = run.step(progress.step, &mut optimiser, doctor)?;
        progress.step += 1;
        progress.seen += seen;
        progress.too_short += too_short;
        progress.loss_sum += loss;
        progress.loss_count += 1;
        let done = progress.step;
        let mut flow = observer.on(Event::Step { done, total: config.steps, loss });
        if done.is_multiple_of(config.eval_every) || done == config.steps {
            let valid = {
                let _eval = tracing::debug_span!("eval", step = done).entered();
                evaluate(model, task, trunk, validation, metric)?
            };
            tracing::info!(step = done, score = valid.score, loss = valid.loss, "evaluated");
            note(&mut progress, valid.score, valid.loss, higher, || best = model.snapshot());
            if observer.on(Event::Evaluated { done, score: valid.score }).is_break() {
                flow = std::ops::ControlFlow::Break(());
            }
        }
        let stop = flow.is_break();
        if stop || done.is_multiple_of(config.checkpoint_every) {
            progress.checks = doctor.results().to_vec();
            checkpoint::save(&path, model, &best, &optimiser, &progress)?;
            if stop || observer.on(Event::Checkpointed { done }).is_break() {
                return Err(TrainError::Interrupted { step: done });
            }
        }
    }
    model.restore(&best)?;
    let best_step = progress.best.map_or(progress.step, |best| best.step);
    let converged = has_converged(&progress.curve, higher);
    // Too late to stop: what is left takes no time.
    let _ = observer.on(Event::Trained { best_step });
    let Progress { curve, step, seen, too_short, .. } = progress;
    Ok(Trained { curve, best_step, converged, steps_here: step - first, seen, too_short })
}

/// What one optimiser step saw.
struct Step {
    /// The loss before it.
    loss: f64,
    /// Clips.
    seen: u64,
    /// Those too short for their answer.
    too_short: u64,
}

impl Run<'_> {
    /// One optimiser step.
    fn step(&self, step: u64, optimiser: &mut AdamW, doctor: &mut Doctor) -> Result<Step, TrainError> {
        let _step = tracing::debug_span!("step", step).entered();
        let seed = self.seed.at(step);
        // The one place where libtorch's generator is set: what a step draws depends on nothing before it.
        seed_torch(seed);
        optimiser.zero_grad();
        let accumulate = self.config.accumulate;
        let (mut total, mut seen, mut too_short) = (0.0, 0, 0);
        for part in 0..accumulate {
            let batch = self.sampler.batch(step * accumulate + part);
            let clips: Vec<usize> = batch.iter().map(|&index| self.train.clips[index]).collect();
            let examples: Vec<&Example> = batch.iter().map(|&index| &self.train.examples[index]).collect();
            let state = self.trunk.batch(&clips)?;
            let cx = self.model.training_cx(seed.at(part));
            let first = step == 0 && part == 0;
            let recorder = Recorder::new(&*self.model.adapted.adapter);
            let logits = if first {
                self.model.logits_with(&recorder, state, &cx)
            } else {
                self.model.logits(state, &cx)
            };
            let loss = self.task.loss(&logits, &examples);
            (&loss / accumulate as f64).backward();
            if first {
                doctor.first_step(self.model, optimiser, &recorder.sites())?;
            }
            seen += examples.len() as u64;
            too_short += self.task.too_short(&logits, &examples) as u64;
            total += loss.double_value(&[]) / accumulate as f64;
        }
        if !total.is_finite() {
            return Err(TrainError::Diverged { step, loss: total });
        }
        optimiser.clip_grad_norm(self.config.clip_norm);
        optimiser.step(self.config.schedule.factor(step, self.config.steps));
        Ok(Step { loss: total, seen, too_short })
    }
}

/// Writes an evaluation down; `keep` is called when it is the best so far. Equal scores are decided by the lower loss:
/// small validation sets give many equal scores.
fn note(progress: &mut Progress, score: f64, loss: f64, higher: bool, keep: impl FnOnce()) {
    let train_loss = progress.loss_sum / progress.loss_count.max(1) as f64;
    progress.curve.push(CurvePoint { step: progress.step, train_loss, valid: score, valid_loss: Some(loss) });
    progress.loss_sum = 0.0;
    progress.loss_count = 0;
    let better = progress.best.is_none_or(|best| {
        let ahead = if higher { score > best.score } else { score < best.score };
        ahead || (score == best.score && loss < best.loss)
    });
    if better {
        progress.best = Some(Best { step: progress.step, score, loss });
        progress.stale = 0;
        keep();
    } else {
        progress.stale += 1;
    }
}

/// Whether the last quarter of the evaluations brought no more than 0.01 over the best one before.
pub(crate) fn has_converged(curve: &[CurvePoint], higher: bool) -> bool {
    const GAIN: f64 = 0.01;
    if curve.len() < 4 {
        return false;
    }
    let sign = if higher { 1.0 } else { -1.0 };
    let best = |points: &[CurvePoint]| {
        points.iter().map(|point| sign * point.valid).fold(f64::NEG_INFINITY, f64::max)
    };
    let (before, last) = curve.split_at(curve.len() - curve.len() / 4);
    best(last) - best(before) <= GAIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(scores: &[f64]) -> Vec<CurvePoint> {
        let point = |(step, &valid): (usize, &f64)| CurvePoint {
            step: step as u64,
            train_loss: 1.0,
            valid,
            valid_loss: None,
        };
        scores.iter().enumerate().map(point).collect()
    }

    #[test]
    fn a_curve_that_still_rises_at_the_end_has_not_converged() {
        assert!(!has_converged(&curve(&[0.1, 0.2, 0.3, 0.4]), true));
        assert!(has_converged(&curve(&[0.1, 0.3, 0.4, 0.405]), true));
        assert!(has_converged(&curve(&[0.4, 0.2, 0.1, 0.3]), false));
        assert!(!has_converged(&curve(&[0.5]), true), "too short to tell");
    }

    #[test]
    fn equal_scores_are_decided_by_the_lower_loss() {
        let mut progress = Progress::new("test");
        let mut kept = 0;
        for (score, loss) in [(0.5, 1.0), (0.5, 0.9), (0.5, 0.95), (0.4, 0.1), (0.6, 2.0)] {
            note(&mut progress, score, loss, true, || kept += 1);
        }
        assert_eq!(kept, 3);
        assert_eq!(progress.best.unwrap().score, 0.6);
    }
}
