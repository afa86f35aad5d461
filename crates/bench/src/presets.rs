//! Presets: tasks, methods and suites as TOML, compiled in. A file below `presets/` is all there is to one: its name is
//! the name.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sure_adapters::AdapterConfig;
use sure_data::TaskCard;
use sure_train::{Augment, Schedule, TrainConfig, Unfreeze};

// `METHODS`, `TASKS`, `SUITES`: name and text of every file below presets/, see build.rs.
include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// A method: what is put into the backbone, and what of it is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodPreset {
    /// One line for the registry.
    pub summary: String,
    /// Paper or origin.
    pub source: String,
    /// What of the backbone itself is trained.
    pub unfreeze: Unfreeze,
    /// The modules that are put into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter: Option<AdapterConfig>,
}

/// A suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// What it is.
    pub title: String,
    /// Raised by anything that can move a number.
    pub version: u32,
    /// Its profiles by name.
    pub profiles: BTreeMap<String, Profile>,
}

/// How a suite is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// One line for the registry.
    pub summary: String,
    /// Its tasks.
    pub tasks: Vec<String>,
    /// Its methods.
    pub methods: Vec<String>,
    /// The training budget, without learning rates.
    pub train: Budget,
    /// Learning rates by method.
    pub rates: BTreeMap<String, Rates>,
}

/// A training budget; see [`TrainConfig`] for the fields.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of TrainConfig, documented there")]
pub struct Budget {
    pub steps: u64,
    pub batch: usize,
    pub accumulate: u64,
    pub weight_decay: f64,
    pub schedule: Schedule,
    pub clip_norm: f64,
    pub eval_every: u64,
    pub patience: usize,
    pub checkpoint_every: u64,
    pub augment: Augment,
    pub backbone_dropout: bool,
}

/// Peak learning rates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Of the adapter or the unfrozen backbone.
    pub lr: f64,
    /// Of the head.
    pub head_lr: f64,
}

impl Profile {
    /// The whole training configuration of `method`.
    ///
    /// # Errors
    /// When the profile has no learning rate for it.
    pub fn train_config(&self, method: &str) -> Result<TrainConfig> {
        let rates = self.rates.get(method);
        let Rates { lr, head_lr } =
            *rates.with_context(|| format!("no learning rate for method {method}"))?;
        let Budget {
            steps,
            batch,
            accumulate,
            weight_decay,
            schedule,
            clip_norm,
            eval_every,
            patience,
            checkpoint_every,
            augment,
            backbone_dropout,
        } = self.train;
        Ok(TrainConfig {
            steps,
            batch,
            accumulate,
            lr,
            head_lr,
            weight_decay,
            schedule,
            clip_norm,
            eval_every,
            patience,
            checkpoint_every,
            augment,
            backbone_dropout,
        })
    }
}

/// The names of all methods.
pub fn methods() -> Vec<&'static str> {
    METHODS.iter().map(|(name, _)| *name).collect()
}

/// The names of all tasks.
pub fn tasks() -> Vec<&'static str> {
    TASKS.iter().map(|(name, _)| *name).collect()
}

/// The names of all suites.
pub fn suites() -> Vec<&'static str> {
    SUITES.iter().map(|(name, _)| *name).collect()
}

/// The method called `name`.
///
/// # Errors
/// When there is none; the message lists what there is.
pub fn method(name: &str) -> Result<MethodPreset> {
    parse("method", METHODS, name)
}

/// The task called `name`.
///
/// # Errors
/// When there is none; the message lists what there is.
pub fn task(name: &str) -> Result<TaskCard> {
    parse("task", TASKS, name)
}

/// The suite called `name`.
///
/// # Errors
/// When there is none; the message lists what there is.
pub fn suite(name: &str) -> Result<Suite> {
    parse("suite", SUITES, name)
}

fn parse<T: DeserializeOwned>(what: &str, all: &[(&str, &str)], name: &str) -> Result<T> {
    let Some((_, text)) = all.iter().find(|(known, _)| *known == name) else {
        let known: Vec<_> = all.iter().map(|(name, _)| *name).collect();
        bail!("unknown {what} {name:?}; known: {}", known.join(", "));
    };
    toml::from_str(text).with_context(|| format!("preset of {what} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_parses_and_bears_its_own_name() {
        for name in methods() {
            method(name).unwrap();
        }
        for name in tasks() {
            assert_eq!(task(name).unwrap().name, name);
        }
        for name in suites() {
            let suite = suite(name).unwrap();
            assert_eq!(suite.name, name);
            for profile in suite.profiles.values() {
                for task in &profile.tasks {
                    super::task(task).unwrap();
                }
                for method in &profile.methods {
                    profile.train_config(method).unwrap();
                }
            }
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let error = method("lorra").unwrap_err().to_string();
        assert!(error.contains("lorra") && error.contains("lora"), "{error}");
    }
}
