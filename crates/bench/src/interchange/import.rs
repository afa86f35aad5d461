//! From what `peft` saved to a folder of ours.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use sure_data::{Labels, Protocol};
use sure_nn::tch::{Device, Tensor};
use sure_records::{Cell, write_atomic};
use sure_tasks::task_for;
use sure_train::{Augment, Schedule, TrainConfig, Warmup};
use sure_zoo::{Compat, published};

use super::{fresh_folder, peft::import_peft};
use crate::{
    backbone::BackboneRef,
    environment,
    model::{self, RunConfig, Start},
    presets,
    rundir::{AdapterFile, RunFile, model_path, save_model},
};

/// What the outputs of a head mean.
#[derive(Debug, Clone)]
pub struct ImportLabels {
    /// The task.
    pub task: String,
    /// The labels in the order of the logits.
    pub labels: Vec<String>,
}

/// What was imported.
#[derive(Debug)]
pub struct Imported {
    /// The folder's files.
    pub files: Vec<PathBuf>,
    /// Whether there was a head that was not asked for.
    pub head_left: bool,
}

/// Takes up the LoRA in `from` for the backbone that `backbone` names, and writes it to `out`: with `labels` as a run
/// with its head, without as an adapter alone.
///
/// # Errors
/// When it is no LoRA, does not fit the backbone, or has no head of the wanted size.
pub fn import(from: &Path, backbone: &str, labels: Option<ImportLabels>, out: &Path) -> Result<Imported> {
    let reference = BackboneRef::find(backbone)?;
    let network = reference.open(Device::Cpu, Compat::Sure)?;
    let weights_hash = network.identity();
    let peft = import_peft(from, &*network, published(&reference.folder)?)?;
    let backbone = reference.absolute()?;
    let mut values: BTreeMap<_, _> =
        peft.adapter.into_iter().map(|(name, tensor)| (format!("adapter.{name}"), tensor)).collect();
    let Some(ImportLabels { task, labels }) = labels else {
        let model = model::build_adapted(network, &peft.method, Start::Blank)?;
        model.restore(&values).with_context(|| format!("the adapter in {} does not fit", from.display()))?;
        fresh_folder(out)?;
        save_model(out, &model)?;
        let file = AdapterFile { backbone, weights_hash, method: peft.method };
        let path = AdapterFile::path(out);
        write_atomic(&path, serde_json::to_string_pretty(&file)?.as_bytes())?;
        return Ok(Imported { files: vec![path, model_path(out)], head_left: !peft.head.is_empty() });
    };
    ensure!(!peft.head.is_empty(), "the adapter in {} was saved without a head", from.display());
    let outputs = peft.head.get("classifier.bias").map_or(0, Tensor::numel);
    ensure!(outputs == labels.len(), "the head has {outputs} outputs, and there are {} labels", labels.len());
    values.extend(peft.head.into_iter().map(|(name, tensor)| (format!("head.{name}"), tensor)));
    let card = presets::task(&task)?;
    let config = RunConfig {
        method: peft.method,
        task: card,
        train: untrained(),
        limit: None,
        protocol: Protocol::default(),
    };
    let classes = Labels::Classes(labels.clone());
    let task = task_for(&config.task, &classes);
    let (model, _) = model::build(network, &config.method, &*task, config.regime(), Start::Blank)?;
    model.restore(&values).with_context(|| {
        format!(
            "adapter and head in {} do not fit {} labels behind this backbone",
            from.display(),
            labels.len()
        )
    })?;
    fresh_folder(out)?;
    save_model(out, &model)?;
    let cell = Cell {
        suite: "import".to_owned(),
        suite_version: 0,
        task: config.task.name.clone(),
        set: String::new(),
        data_fingerprint: String::new(),
        backbone: reference.name,
        weights_hash,
        method: "lora".to_owned(),
        seed: 0,
        precision: "fp32".to_owned(),
        device: "cpu".to_owned(),
        threads: environment::cores(),
        config: serde_json::to_value(&config)?,
    };
    RunFile { cell, backbone, data: PathBuf::new(), cache: None, labels: classes }.write(out)?;
    Ok(Imported { files: vec![RunFile::path(out), model_path(out)], head_left: false })
}

/// The training of a model that was not trained here: no steps.
fn untrained() -> TrainConfig {
    TrainConfig {
        steps: 0,
        batch: 0,
        batch_seconds: None,
        accumulate: 0,
        lr: 0.0,
        head_lr: 0.0,
        weight_decay: 0.0,
        schedule: Schedule::Linear { warmup: Warmup::Steps(0) },
        clip_norm: 0.0,
        eval_every: 0,
        patience: 0,
        checkpoint_every: 0,
        augment: Augment::Off,
        backbone_dropout: false,
    }
}
