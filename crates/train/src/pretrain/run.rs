//! One iteration: cluster, then train on the clusters.

use std::{collections::BTreeMap, path::Path, time::Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sure_nn::{Backbone, Role, Seed};

use super::{Clustering, Corpus, FeatureSource, Features, Grid, Recipe, progress::Progress, step::Run};
use crate::{AdamW, Event, Observer, TrainError, trunk::hex};

/// Seconds that a recording has at least: shorter ones are left out. As many recordings as a batch could hold of them are
/// sorted by length together.
pub(super) const SHORTEST: f64 = 0.5;

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
    work.check()?;
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
pub(super) struct Targets {
    clustering: Clustering,
    pub(super) train: Vec<Vec<u16>>,
    pub(super) valid: Vec<Vec<u16>>,
}

impl Targets {
    /// Share of the validation's frames in the cluster that is most frequent in training.
    fn baseline(&self) -> f64 {
        let mut counts = BTreeMap::new();
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

    /// Refuses what makes no sense with this network, also of later iterations, before any work is done.
    fn check(&self) -> Result<(), TrainError> {
        let refuse = |key, value: String, reason| Err(TrainError::Config { key, value, reason });
        let Recipe { crop_seconds, mask, iterations, .. } = self.recipe;
        self.recipe.check()?;
        if *crop_seconds < SHORTEST {
            return refuse("crop_seconds", crop_seconds.to_string(), "must be at least 0.5");
        }
        if mask.length > self.grid().frames((SHORTEST * f64::from(self.corpus.rate_hz)) as usize) {
            return refuse("mask.length", mask.length.to_string(), "is longer than half a second");
        }
        if !self.network.store().iter().any(|(_, param)| param.role == Role::MaskVector) {
            let reason = "must be above 0, or the model has no vector for hidden frames";
            return refuse("model.mask_time_prob", "0".to_owned(), reason);
        }
        let layers = iterations.iter().filter_map(|iteration| match iteration.targets {
            FeatureSource::Layer(layer) => Some(layer),
            FeatureSource::Mfcc => None,
        });
        match layers.max().filter(|&layer| layer > self.network.blocks()) {
            Some(layer) => {
                refuse("iterations.targets", format!("layer {layer}"), "the model has fewer blocks")
            }
            None => Ok(()),
        }
    }

    pub(super) fn seed(&self) -> Seed {
        Seed::new(self.recipe.seed).derive(&format!("iteration {}", self.number))
    }

    pub(super) fn grid(&self) -> Grid {
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
