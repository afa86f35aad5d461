//! What a pretraining is, in numbers: a TOML file that spells out every one of them.

use serde::{Deserialize, Serialize};

use crate::{SpecAugment, TrainError};

/// A pretraining: the model, the data's treatment, and the iterations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The seed of everything that is random.
    pub seed: u64,
    /// The longest stretch of a recording that a step sees, in seconds; longer ones are cropped at random.
    pub crop_seconds: f64,
    /// Share of the recordings that are held out to validate on, chosen by the hash of their ids.
    pub holdout: f64,
    /// Steps between validations.
    pub eval_every: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// Width of the space in which frames and clusters are compared.
    pub final_dim: i64,
    /// The cosine is divided by this before the softmax.
    pub temperature: f64,
    /// The loss of the frames that are not hidden counts so much; 0 leaves it out.
    pub unmasked_weight: f64,
    /// Gradients that reach the convolutional front end are multiplied by this.
    pub front_end_gradient: f64,
    /// Whether the model's own dropout acts, at the rates of its configuration.
    pub dropout: bool,
    /// Decoupled weight decay, on weights only.
    pub weight_decay: f64,
    /// Gradients are scaled down to this common norm.
    pub clip_norm: f64,
    /// What is hidden.
    pub mask: Mask,
    /// The values of the model's `config.json`.
    pub model: serde_json::Map<String, serde_json::Value>,
    /// The iterations, each on the targets that the one before gives.
    pub iterations: Vec<Iteration>,
}

/// Which frames are hidden: `share * frames / length` spans a clip, which may overlap.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// Share of the frames that would be hidden if no spans overlapped.
    pub share: f64,
    /// Frames a span.
    pub length: usize,
}

/// One round of clustering and training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Iteration {
    /// What is clustered.
    pub targets: FeatureSource,
    /// Number of clusters.
    pub clusters: usize,
    /// Where the weights start.
    pub init: InitFrom,
    /// Optimiser steps.
    pub steps: u64,
    /// Seconds of sound in a batch.
    pub batch_seconds: f64,
    /// Peak learning rate.
    pub lr: f64,
    /// Share of the steps in which the learning rate rises; it then falls to zero, both in a straight line.
    pub warmup: f64,
}

/// What is clustered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureSource {
    /// Cepstral coefficients with their differences.
    Mfcc,
    /// Hidden states of the model of the iteration before: 0 is the input of the first block, `n` the output of block `n`.
    Layer(usize),
}

/// Where an iteration's weights start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitFrom {
    /// At random values.
    Random,
    /// At those of the iteration before.
    Previous,
}

impl Mask {
    /// As the code that draws it has it; a clip has one span at least.
    pub(super) fn spans(self) -> SpecAugment {
        SpecAugment { share: self.share, length: self.length, min_spans: 1 }
    }
}

impl Recipe {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`TrainError::Config`] names the key and its value.
    pub fn check(&self) -> Result<(), TrainError> {
        let refuse = |key, value: String, reason| Err(TrainError::Config { key, value, reason });
        let counts = [
            ("eval_every", self.eval_every),
            ("checkpoint_every", self.checkpoint_every),
            ("final_dim", self.final_dim.max(0) as u64),
        ];
        if let Some((key, value)) = counts.into_iter().find(|(_, value)| !(1..=1 << 32).contains(value)) {
            return refuse(key, value.to_string(), "must be at least 1");
        }
        let above_zero = [
            ("crop_seconds", self.crop_seconds),
            ("temperature", self.temperature),
            ("front_end_gradient", self.front_end_gradient),
            ("clip_norm", self.clip_norm),
        ];
        if let Some((key, value)) =
            above_zero.into_iter().find(|(_, value)| !(*value > 0.0 && value.is_finite()))
        {
            return refuse(key, value.to_string(), "must be a number above 0");
        }
        let not_below = [("weight_decay", self.weight_decay), ("unmasked_weight", self.unmasked_weight)];
        if let Some((key, value)) =
            not_below.into_iter().find(|(_, value)| !(*value >= 0.0 && value.is_finite()))
        {
            return refuse(key, value.to_string(), "must be a number of at least 0");
        }
        if !(self.holdout > 0.0 && self.holdout < 1.0) {
            return refuse("holdout", self.holdout.to_string(), "must be between 0 and 1");
        }
        if let Some((key, value, reason)) = self.mask.spans().fault() {
            let key = if key == "share" { "mask.share" } else { "mask.length" };
            return refuse(key, value, reason);
        }
        if self.iterations.is_empty() {
            return refuse("iterations", "[]".to_owned(), "there must be at least one");
        }
        self.iterations.iter().enumerate().try_for_each(|(index, iteration)| iteration.check(index))
    }
}

impl Iteration {
    fn check(&self, index: usize) -> Result<(), TrainError> {
        let refuse = |key, value: String, reason| Err(TrainError::Config { key, value, reason });
        if index == 0 && self.targets != FeatureSource::Mfcc {
            let value = format!("{:?}", self.targets);
            return refuse(
                "iterations.targets",
                value,
                "the first iteration has no model before it: \"mfcc\"",
            );
        }
        if index == 0 && self.init == InitFrom::Previous {
            return refuse(
                "iterations.init",
                "previous".to_owned(),
                "the first iteration has no model before it",
            );
        }
        // Targets are kept as 16-bit numbers.
        if !(2..=1 << 16).contains(&self.clusters) {
            return refuse("iterations.clusters", self.clusters.to_string(), "must be between 2 and 65536");
        }
        if !(1..=1 << 32).contains(&self.steps) {
            return refuse("iterations.steps", self.steps.to_string(), "must be at least 1");
        }
        let above_zero = [("iterations.batch_seconds", self.batch_seconds), ("iterations.lr", self.lr)];
        if let Some((key, value)) =
            above_zero.into_iter().find(|(_, value)| !(*value > 0.0 && value.is_finite()))
        {
            return refuse(key, value.to_string(), "must be a number above 0");
        }
        if !(0.0..1.0).contains(&self.warmup) {
            return refuse(
                "iterations.warmup",
                self.warmup.to_string(),
                "must be at least 0 and less than 1",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iteration() -> Iteration {
        Iteration {
            targets: FeatureSource::Mfcc,
            clusters: 100,
            init: InitFrom::Random,
            steps: 10,
            batch_seconds: 30.0,
            lr: 1e-3,
            warmup: 0.1,
        }
    }

    fn recipe(iterations: Vec<Iteration>) -> Recipe {
        Recipe {
            seed: 0,
            crop_seconds: 4.0,
            holdout: 0.1,
            eval_every: 10,
            checkpoint_every: 10,
            final_dim: 16,
            temperature: 0.1,
            unmasked_weight: 0.0,
            front_end_gradient: 1.0,
            dropout: false,
            weight_decay: 0.01,
            clip_norm: 5.0,
            mask: Mask { share: 0.65, length: 10 },
            model: serde_json::Map::new(),
            iterations,
        }
    }

    #[test]
    fn numbers_that_make_no_sense_are_named() {
        let plain = recipe(vec![iteration()]);
        assert!(plain.check().is_ok());
        let refused = |recipe: Recipe| recipe.check().unwrap_err().to_string();
        assert!(refused(Recipe { temperature: f64::NAN, ..plain.clone() }).contains("temperature = NaN"));
        assert!(refused(Recipe { holdout: 1.0, ..plain.clone() }).contains("holdout = 1"));
        assert!(refused(Recipe { eval_every: 0, ..plain.clone() }).contains("eval_every = 0"));
        assert!(refused(Recipe { final_dim: -3, ..plain.clone() }).contains("final_dim"));
        let mask = Mask { share: 0.0, length: 0 };
        assert!(refused(Recipe { mask, ..plain }).contains("mask.length = 0"));
        assert!(refused(recipe(Vec::new())).contains("iterations"));
        let with = |changed: Iteration| refused(recipe(vec![changed]));
        assert!(with(Iteration { clusters: 1, ..iteration() }).contains("clusters = 1"));
        assert!(with(Iteration { clusters: 70_000, ..iteration() }).contains("clusters = 70000"));
        assert!(with(Iteration { warmup: 1.0, ..iteration() }).contains("warmup = 1"));
        assert!(with(Iteration { lr: f64::INFINITY, ..iteration() }).contains("lr = inf"));
    }

    #[test]
    fn the_first_iteration_has_no_model_before_it() {
        let layer = Iteration { targets: FeatureSource::Layer(2), ..iteration() };
        assert!(recipe(vec![layer.clone()]).check().is_err());
        assert!(recipe(vec![Iteration { init: InitFrom::Previous, ..iteration() }]).check().is_err());
        assert!(recipe(vec![iteration(), Iteration { init: InitFrom::Previous, ..layer }]).check().is_ok());
    }
}
