//! Builds a model from its configuration.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sure_data::{Protocol, TaskCard};
use sure_nn::{Backbone, Loading, Seed, Source, tch::Device};
use sure_tasks::Task;
use sure_train::{Adapted, Headed, Model, Regime, TrainConfig};

use crate::presets::MethodPreset;

/// Everything about a run that can move a number, besides data, backbone and seed: stored in its cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The method.
    pub method: MethodPreset,
    /// The task.
    pub task: TaskCard,
    /// Training.
    pub train: TrainConfig,
    /// Utterances a split at most.
    pub limit: Option<usize>,
    /// How a published data set is read.
    #[serde(default, skip_serializing_if = "is_default")]
    pub protocol: Protocol,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl RunConfig {
    /// What is trained, and under which disturbances.
    pub fn regime(&self) -> Regime {
        let TrainConfig { augment, backbone_dropout, .. } = self.train;
        Regime { unfreeze: self.method.unfreeze, augment, backbone_dropout }
    }
}

/// Where the trainable values come from.
#[derive(Debug, Clone, Copy)]
pub enum Start {
    /// Fresh, from a seed.
    Seeded(Seed),
    /// Uninitialised: to be overwritten or only counted.
    Blank,
}

impl Start {
    fn source(self, part: &str) -> Source {
        match self {
            Self::Seeded(seed) => Source::Init(seed.derive(part)),
            Self::Blank => Source::Blank,
        }
    }
}

/// The parameters that the formulas of method and head declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// Of the adapter.
    pub adapter: u64,
    /// Of the head.
    pub head: u64,
}

/// Puts `method` and the head of `task` onto `backbone`, to be trained as `regime` says.
///
/// # Errors
/// When the method does not fit the backbone.
pub fn build(
    backbone: Box<dyn Backbone>,
    method: &MethodPreset,
    task: &dyn Task,
    regime: Regime,
    start: Start,
) -> Result<(Model, Declared)> {
    let device = device(&*backbone);
    let anatomy = backbone.anatomy().clone();
    let (adapted, adapter) = adapt(&*backbone, method, start)?;
    let loading = Loading::trainable(start.source("head"), device);
    let head = task.head(anatomy.hidden(), &loading.root()).context("building the head")?;
    let headed = Headed { head, store: loading.finish(|_| false)? };
    let declared = Declared { adapter, head: task.head_count(anatomy.hidden()) };
    Ok((Model::new(backbone, adapted, headed, regime), declared))
}

/// Puts `method` onto `backbone` without any head.
///
/// # Errors
/// When the method does not fit the backbone.
pub fn build_adapted(backbone: Box<dyn Backbone>, method: &MethodPreset, start: Start) -> Result<Model> {
    let (adapted, _) = adapt(&*backbone, method, start)?;
    Ok(Model::new(backbone, adapted, Headed::none(), Regime::undisturbed(method.unfreeze)))
}

/// The method's modules for `backbone`, and the count that their formula declares.
///
/// # Errors
/// When the method does not fit the backbone.
pub fn adapt(backbone: &dyn Backbone, method: &MethodPreset, start: Start) -> Result<(Adapted, u64)> {
    let anatomy = backbone.anatomy();
    let device = device(backbone);
    Ok(match &method.adapter {
        None => (Adapted::none(), 0),
        Some(config) => {
            let declared = config.declared_count(anatomy)?;
            let loading = Loading::trainable(start.source("adapter"), device);
            let built = config.build(anatomy, &loading.root()).context("putting the adapter in")?;
            let adapted = Adapted {
                adapter: built.adapter,
                sites: built.sites,
                unused: built.unused,
                store: loading.finish(|_| false)?,
            };
            (adapted, declared)
        }
    })
}

/// Where the backbone lives.
fn device(backbone: &dyn Backbone) -> Device {
    backbone.store().iter().next().map_or(Device::Cpu, |(_, param)| param.tensor.device())
}
