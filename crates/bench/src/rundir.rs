//! A run's folder: `run.json` (what it is), `model.safetensors` (what it learned), `record.json` and its neighbours.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use sure_adapters::AdapterConfig;
use sure_data::Labels;
use sure_nn::{Backbone, Checkpoint, tch::Device};
use sure_records::{Cell, write_atomic};
use sure_tasks::{Task, task_for};
use sure_train::Model;
use sure_zoo::Compat;

use crate::{
    backbone::BackboneRef,
    model::{self, RunConfig, Start},
    presets::MethodPreset,
};

/// What a run is, with the paths that it needs on this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFile {
    /// The cell: everything that can move a number.
    pub cell: Cell,
    /// The word after `--backbone`, with an absolute path.
    pub backbone: String,
    /// The manifest, or the folder of a published data set.
    pub data: PathBuf,
    /// Cache folder; `None` = off.
    pub cache: Option<PathBuf>,
    /// What the task chooses from, in the order of the logits.
    #[serde(deserialize_with = "labels")]
    pub labels: Labels,
}

/// Labels, also as the plain list of classes that runs had before there were other tasks.
fn labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let read = if value.is_array() {
        serde_json::from_value(value).map(Labels::Classes)
    } else {
        serde_json::from_value(value)
    };
    read.map_err(D::Error::custom)
}

impl RunFile {
    /// Where it is kept in `folder`.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("run.json")
    }

    /// Reads it.
    ///
    /// # Errors
    /// When `folder` is not a run's folder.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = Self::path(folder);
        ensure!(
            !AdapterFile::path(folder).is_file(),
            "{} holds an adapter without a head; import it again with --task to have one",
            folder.display()
        );
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("{} is not a run's folder: cannot read {}", folder.display(), path.display())
        })?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged, or of another version of this program", path.display()))
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        write_atomic(&Self::path(folder), serde_json::to_string_pretty(self)?.as_bytes())?;
        Ok(())
    }

    /// The configuration that the cell spells out.
    ///
    /// # Errors
    /// When it is of another version.
    pub fn config(&self) -> Result<RunConfig> {
        serde_json::from_value(self.cell.config.clone())
            .context("the run's configuration is of another version")
    }

    /// The task with the run's labels.
    ///
    /// # Errors
    /// When the configuration is of another version.
    pub fn task(&self) -> Result<Box<dyn Task>> {
        Ok(task_for(&self.config()?.task, &self.labels))
    }

    /// The trained model that `folder` holds.
    ///
    /// # Errors
    /// When the backbone is gone or has other weights, or a tensor is missing or left over.
    pub fn load_model(&self, folder: &Path, device: Device) -> Result<Model> {
        let backbone = same_backbone(&self.backbone, &self.cell.weights_hash, device)?;
        let config = self.config()?;
        let (model, _) =
            model::build(backbone, &config.method, &*self.task()?, config.regime(), Start::Blank)?;
        restore(&model, folder)?;
        Ok(model)
    }
}

/// An adapter without a task, as an import leaves it: `adapter.json` beside `model.safetensors`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterFile {
    /// The word after `--backbone`, with an absolute path.
    pub backbone: String,
    /// The hash of its weights.
    pub weights_hash: String,
    /// The method, with every number.
    pub method: MethodPreset,
}

impl AdapterFile {
    /// Where it is kept in `folder`.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("adapter.json")
    }

    /// The backbone with the adapter in place, and no head.
    ///
    /// # Errors
    /// When the backbone is gone or has other weights, or a tensor is missing or left over.
    pub fn load_model(&self, folder: &Path, device: Device) -> Result<Model> {
        let backbone = same_backbone(&self.backbone, &self.weights_hash, device)?;
        let model = model::build_adapted(backbone, &self.method, Start::Blank)?;
        restore(&model, folder)?;
        Ok(model)
    }
}

/// A stored model: a run's, or an adapter without a task.
#[derive(Debug)]
pub struct Opened {
    /// The model; without a task its head gives the hidden states.
    pub model: Model,
    /// The run; `None` for an adapter without a task.
    pub run: Option<RunFile>,
    /// The word after `--backbone`.
    pub backbone: String,
    /// The backbone as tables call it.
    pub backbone_name: String,
    /// The method's name, or its summary where it has none.
    pub method: String,
    /// The method's modules.
    pub adapter: Option<AdapterConfig>,
}

impl Opened {
    /// Opens the run or the adapter in `folder`.
    ///
    /// # Errors
    /// When it is neither, a file is damaged, or the backbone has changed.
    pub fn open(folder: &Path, device: Device) -> Result<Self> {
        let path = AdapterFile::path(folder);
        if !path.is_file() {
            let run = RunFile::read(folder)?;
            return Ok(Self {
                model: run.load_model(folder, device)?,
                backbone: run.backbone.clone(),
                backbone_name: run.cell.backbone.clone(),
                method: run.cell.method.clone(),
                adapter: run.config()?.method.adapter,
                run: Some(run),
            });
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let file: AdapterFile =
            serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
        Ok(Self {
            model: file.load_model(folder, device)?,
            run: None,
            backbone_name: BackboneRef::find(&file.backbone)?.name,
            backbone: file.backbone,
            method: file.method.summary,
            adapter: file.method.adapter,
        })
    }
}

/// The backbone, if it still has these weights.
fn same_backbone(reference: &str, weights_hash: &str, device: Device) -> Result<Box<dyn Backbone>> {
    let backbone = BackboneRef::find(reference)?.open(device, Compat::Sure)?;
    ensure!(
        backbone.identity() == weights_hash,
        "the backbone {reference} has other weights than the run was trained with"
    );
    Ok(backbone)
}

/// Writes the saved values into the model.
fn restore(model: &Model, folder: &Path) -> Result<()> {
    let path = model_path(folder);
    let saved = Checkpoint::open(std::slice::from_ref(&path))?.read_all()?;
    model.restore(&saved).with_context(|| format!("loading {}", path.display()))
}

/// Where the trained values are kept.
pub fn model_path(folder: &Path) -> PathBuf {
    folder.join("model.safetensors")
}

/// Writes the trained values.
///
/// # Errors
/// When the folder cannot be written.
pub fn save_model(folder: &Path, model: &Model) -> Result<(), sure_train::TrainError> {
    let bytes = Checkpoint::to_bytes(&model.snapshot(), None)?;
    write_atomic(&model_path(folder), &bytes)?;
    Ok(())
}
