//! Suites: which tasks and methods are run, and how each is trained.
//!
//! A profile has one training budget and one learning rate a method; `changes` says what is different for a task, or for
//! a task on one data set, and `reference` what the paper's own code did differently (`--compat reference`). A change is a
//! part of a budget, of a task's card or of a method's preset, and is checked against them word by word.

use std::{collections::BTreeMap, num::NonZeroUsize};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sure_data::TaskCard;
use sure_train::{Augment, Schedule, TrainConfig};

use crate::presets::MethodPreset;

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
    /// Its tasks: `task`, or `task/set`.
    pub tasks: Vec<String>,
    /// Its methods.
    pub methods: Vec<String>,
    /// Whether it is for the embedded corpus, and for nothing else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub embedded: bool,
    /// The backbone that is meant where none is named, as `--backbone` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backbone: Option<String>,
    /// Threads of each cell; without it the cells share all cores. Small networks gain little from several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<NonZeroUsize>,
    /// The training budget, without learning rates.
    pub train: Budget,
    /// Learning rates by method.
    pub rates: BTreeMap<String, Rates>,
    /// What is different for a task, or for `task/set`; the latter goes on top of the former.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, Change>,
    /// What `--compat reference` makes different.
    #[serde(default)]
    pub reference: Reference,
}

/// A training budget; see [`TrainConfig`] for the fields.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of TrainConfig, documented there")]
pub struct Budget {
    pub length: Length,
    pub batch: usize,
    #[serde(default)]
    pub batch_seconds: Option<f64>,
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

/// How long a training is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// Optimiser steps.
    Steps(u64),
    /// Times that every training utterance is seen.
    Epochs(f64),
}

impl Length {
    /// Optimiser steps over `utterances` with `accumulate` batches of `batch` in each step.
    fn steps(self, utterances: usize, batch: usize, accumulate: u64) -> u64 {
        match self {
            Self::Steps(steps) => steps,
            Self::Epochs(epochs) => {
                let batches = epochs * utterances.div_ceil(batch.max(1)) as f64;
                ((batches / accumulate.max(1) as f64).ceil() as u64).max(1)
            }
        }
    }
}

/// Peak learning rates, and what else is different for the method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Of the adapter or the unfrozen backbone.
    pub lr: f64,
    /// Of the head.
    pub head_lr: f64,
    /// Changes of the budget.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub train: Map<String, Value>,
}

/// What is different for a task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Of the budget.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub train: Map<String, Value>,
    /// Of the task's card.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub card: Map<String, Value>,
    /// Of method presets, by method.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub methods: BTreeMap<String, Map<String, Value>>,
    /// Of the learning rates, by method.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rates: BTreeMap<String, Rates>,
}

/// What the reference did differently.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Changes of cards, by `task` or `task/set`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cards: BTreeMap<String, Map<String, Value>>,
    /// Changes of method presets, by `method` or `task.method`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub methods: BTreeMap<String, Map<String, Value>>,
}

impl Suite {
    /// The profile called `name`.
    ///
    /// # Errors
    /// When there is none; the message lists what there is.
    pub fn profile(&self, name: &str) -> Result<&Profile> {
        self.profiles.get(name).with_context(|| {
            let known: Vec<_> = self.profiles.keys().map(String::as_str).collect();
            format!("suite {} has no profile {name:?}; known: {}", self.name, known.join(", "))
        })
    }
}

/// Cells at a time and threads of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// Cells at a time.
    pub jobs: usize,
    /// Threads of each.
    pub threads: usize,
}

impl Profile {
    /// How cells share `cores`, with the user's own numbers in the place of the profile's.
    pub fn shares(&self, cores: usize, jobs: Option<NonZeroUsize>, threads: Option<NonZeroUsize>) -> Shares {
        let [own, jobs, threads] = [self.threads, jobs, threads].map(|number| number.map(NonZeroUsize::get));
        let threads = threads.or(own).unwrap_or_else(|| (cores / jobs.unwrap_or(1)).max(1));
        let jobs = jobs.unwrap_or(if own.is_some() { (cores / threads).max(1) } else { 1 });
        Shares { jobs, threads }
    }

    /// The card of a task as this profile wants it on `set`.
    ///
    /// # Errors
    /// When a change does not fit the card.
    pub fn card(&self, card: &TaskCard, set: &str, reference: bool) -> Result<TaskCard> {
        let names = [card.name.clone(), format!("{}/{set}", card.name)];
        let mut changed = card.clone();
        for change in names.iter().filter_map(|name| self.changes.get(name)) {
            changed =
                merged(&changed, &change.card).with_context(|| format!("changing the card {}", card.name))?;
        }
        if reference {
            for change in names.iter().filter_map(|name| self.reference.cards.get(name)) {
                changed = merged(&changed, change)
                    .with_context(|| format!("changing the card {} to the reference's", card.name))?;
            }
        }
        Ok(changed)
    }

    /// The preset of a method as this profile wants it for `task` on `set`.
    ///
    /// # Errors
    /// When a change does not fit the preset.
    pub fn method(
        &self,
        name: &str,
        preset: &MethodPreset,
        (task, set): (&str, &str),
        reference: bool,
    ) -> Result<MethodPreset> {
        let names = [task.to_owned(), format!("{task}/{set}")];
        let ours = names.iter().filter_map(|key| self.changes.get(key)?.methods.get(name));
        let keys = [name.to_owned(), format!("{task}.{name}")];
        let theirs = keys.iter().filter(|_| reference).filter_map(|key| self.reference.methods.get(key));
        ours.chain(theirs).try_fold(preset.clone(), |preset, change| {
            merged(&preset, change).with_context(|| format!("changing the method {name} for {task}/{set}"))
        })
    }

    /// The whole training configuration of `method` for `task` on `set`, which has so many training utterances.
    ///
    /// # Errors
    /// When the profile has no learning rate for the method, or a change does not fit the budget.
    pub fn train_config(
        &self,
        method: &str,
        task: &str,
        set: &str,
        utterances: usize,
    ) -> Result<TrainConfig> {
        let names = [task.to_owned(), format!("{task}/{set}")];
        let changes = || names.iter().filter_map(|name| self.changes.get(name));
        let rates = changes().filter_map(|change| change.rates.get(method)).next_back();
        let rates = rates.or_else(|| self.rates.get(method));
        let rates = rates.with_context(|| format!("no learning rate for method {method}"))?;
        let mut budget = self.train;
        for change in changes().map(|change| &change.train).chain([&rates.train]) {
            budget =
                merged(&budget, change).with_context(|| format!("changing the budget of {task}/{set}"))?;
        }
        let Budget {
            length,
            batch,
            batch_seconds,
            accumulate,
            weight_decay,
            schedule,
            clip_norm,
            eval_every,
            patience,
            checkpoint_every,
            augment,
            backbone_dropout,
        } = budget;
        Ok(TrainConfig {
            steps: length.steps(utterances, batch, accumulate),
            batch,
            batch_seconds,
            accumulate,
            lr: rates.lr,
            head_lr: rates.head_lr,
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

/// `value` with the keys of `change` in the place of its own; tables are merged key by key, but a table with another
/// single key is another choice and replaces the old one.
fn merged<T: Serialize + DeserializeOwned>(value: &T, change: &Map<String, Value>) -> Result<T> {
    let mut whole = serde_json::to_value(value)?;
    merge(&mut whole, change);
    Ok(serde_json::from_value(whole)?)
}

fn merge(into: &mut Value, change: &Map<String, Value>) {
    let Value::Object(fields) = into else { return };
    for (key, value) in change {
        match (fields.get_mut(key), value) {
            (Some(old @ Value::Object(_)), Value::Object(new)) if is_same_choice(old, new) => merge(old, new),
            _ => drop(fields.insert(key.clone(), value.clone())),
        }
    }
}

fn is_same_choice(old: &Value, new: &Map<String, Value>) -> bool {
    old.as_object().is_some_and(|old| new.keys().all(|key| old.contains_key(key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    #[test]
    fn every_task_and_method_of_every_profile_resolves() {
        for name in presets::suites() {
            let suite = presets::suite(name).unwrap();
            assert_eq!(suite.name, name);
            for profile in suite.profiles.values() {
                let mut places: Vec<&String> = profile.tasks.iter().collect();
                places.extend(profile.changes.keys().chain(profile.reference.cards.keys()));
                for place in places {
                    let (task, set) = place.split_once('/').unwrap_or((place, ""));
                    let card = presets::task(task).unwrap();
                    for reference in [false, true] {
                        profile.card(&card, set, reference).unwrap();
                    }
                    for method in &profile.methods {
                        profile.train_config(method, task, set, 1000).unwrap();
                        let preset = presets::method(method).unwrap();
                        profile.method(method, &preset, (task, set), true).unwrap();
                    }
                }
                for key in profile.reference.methods.keys() {
                    presets::method(key.rsplit('.').next().unwrap()).unwrap();
                }
            }
        }
    }

    #[test]
    fn a_change_goes_on_top_of_what_it_changes_and_a_misspelt_one_is_an_error() {
        let card = presets::task("ks").unwrap();
        let change = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let changed: TaskCard = merged(&card, &change(r#"{"cut_seconds": 2.5}"#)).unwrap();
        assert_eq!(changed, TaskCard { cut_seconds: Some(2.5), ..card.clone() });
        assert!(merged(&card, &change(r#"{"cut_second": 2.5}"#)).is_err());
        let budget = presets::suite("sure").unwrap().profiles["small"].train;
        let longer: Budget = merged(&budget, &change(r#"{"length": {"epochs": 3}}"#)).unwrap();
        assert_eq!(longer.length, Length::Epochs(3.0));
    }

    #[test]
    fn cells_share_the_cores_as_the_profile_or_the_user_says() {
        let suite = presets::suite("sure").unwrap();
        let shares = |profile: &str, jobs, threads| {
            let [jobs, threads] = [jobs, threads].map(NonZeroUsize::new);
            let Shares { jobs, threads } = suite.profiles[profile].shares(8, jobs, threads);
            (jobs, threads)
        };
        // 0 stands for a flag that was not given.
        for (profile, jobs, threads, expected) in [
            ("mini", 0, 0, (8, 1)),
            ("mini", 2, 0, (2, 1)),
            ("mini", 0, 4, (2, 4)),
            ("mini", 0, 9, (1, 9)),
            ("small", 0, 0, (1, 8)),
            ("small", 2, 0, (2, 4)),
            ("small", 99, 0, (99, 1)),
            ("small", 0, 2, (1, 2)),
            ("small", 3, 2, (3, 2)),
        ] {
            assert_eq!(shares(profile, jobs, threads), expected, "{profile} {jobs} {threads}");
        }
    }

    #[test]
    fn a_limit_that_is_infinite_is_none() {
        let profile = &presets::suite("sure").unwrap().profiles["paper"];
        let card = presets::task("pr").unwrap();
        assert_eq!(card.max_train_seconds, Some(20.0));
        assert_eq!(profile.card(&card, "librispeech", true).unwrap().max_train_seconds, None);
    }

    #[test]
    fn epochs_become_steps_over_whole_batches() {
        assert_eq!(Length::Epochs(2.0).steps(100, 32, 1), 8);
        assert_eq!(Length::Epochs(0.1).steps(3, 32, 1), 1);
        // 235 batches an epoch, eight in a step.
        assert_eq!(Length::Epochs(100.0).steps(15_000, 64, 8), 2_938);
        assert_eq!(Length::Steps(7).steps(100, 32, 2), 7);
    }
}
