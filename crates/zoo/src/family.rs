//! The families of backbones, and the way from a folder to a network.

use std::path::Path;

use serde::Deserialize;
use sure_nn::{Backbone, Checkpoint, Seed, Source, tch::Device};

use crate::{
    FAMILIES, ZooError,
    files::{read_json, weight_files},
};

/// From a folder and, for pretrained weights, its checkpoint to the network.
type Build = fn(&Path, Option<Checkpoint>, &LoadOptions) -> Result<Box<dyn Backbone>, ZooError>;

/// A family of backbones that share a graph.
#[derive(Debug)]
pub struct Family {
    /// `model_type` in `config.json`.
    pub model_type: &'static str,
    /// One line for the registry.
    pub summary: &'static str,
    /// How `transformers` calls it.
    pub published: Published,
    pub(crate) build: Build,
}

/// The names that `transformers` has for a family's models and for the place of the encoder in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The class of the bare encoder.
    pub encoder: &'static str,
    /// What its checkpoints put in front of the encoder's names.
    pub bare: &'static str,
    /// The class with the head that labels whole clips, where its head is ours: linear, mean, linear.
    pub classifier: Option<&'static str>,
    /// The class with a CTC head, where there is one.
    pub ctc: Option<&'static str>,
    /// What its checkpoints put in front of the encoder's names.
    pub whole: &'static str,
}

/// Declares the families: each is a module with a `FAMILY`.
macro_rules! families {
    ($($module:ident),+ $(,)?) => {
        $(mod $module;)+

        /// Every family that can be opened.
        pub static FAMILIES: &[&$crate::Family] = &[$(&$module::FAMILY),+];
    };
}
pub(crate) use families;

/// Where a backbone's weights come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// The checkpoint in the folder.
    Pretrained,
    /// The folder's configuration with seeded random weights.
    Random(Seed),
    /// Uninitialised memory: enough to count parameters, without reading any.
    Blank,
}

impl Weights {
    /// The source of parameters, where `rename` turns our names into the checkpoint's.
    pub(crate) fn source(
        self,
        checkpoint: Option<Checkpoint>,
        rename: impl Fn(&str) -> String + 'static,
    ) -> Source {
        match (self, checkpoint) {
            (_, Some(checkpoint)) => Source::Checkpoint { checkpoint, rename: Box::new(rename) },
            (Self::Random(seed), None) => Source::Init(seed),
            (_, None) => Source::Blank,
        }
    }
}

/// Whose answer is right where `transformers` and this project differ (padding, mostly).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compat {
    /// Ours: batch and padding never change an answer.
    #[default]
    Sure,
    /// The answer that `transformers` gives.
    Transformers,
}

/// How to open a backbone.
#[derive(Debug, Clone, Copy)]
pub struct LoadOptions {
    /// Its weights.
    pub weights: Weights,
    /// Where they shall live.
    pub device: Device,
    /// Whose padding rules.
    pub compat: Compat,
}

/// Opens the backbone in `folder`, whatever its family.
///
/// # Errors
/// When a file is missing or damaged, the family is unknown, or tensors and configuration do not match.
pub fn from_dir(folder: &Path, options: &LoadOptions) -> Result<Box<dyn Backbone>, ZooError> {
    let family = family(folder)?;
    let checkpoint = match options.weights {
        Weights::Pretrained => Some(
            Checkpoint::open(&weight_files(folder)?)
                .map_err(|source| ZooError::Build { folder: folder.to_owned(), source })?,
        ),
        Weights::Random(_) | Weights::Blank => None,
    };
    (family.build)(folder, checkpoint, options)
}

/// How `transformers` calls the model in `folder`.
///
/// # Errors
/// When its configuration is missing or damaged, or the family is unknown.
pub fn published(folder: &Path) -> Result<Published, ZooError> {
    Ok(family(folder)?.published)
}

fn family(folder: &Path) -> Result<&'static Family, ZooError> {
    #[derive(Deserialize)]
    struct ModelType {
        model_type: String,
    }

    let path = folder.join("config.json");
    let ModelType { model_type } = read_json(&path)?;
    FAMILIES.iter().copied().find(|family| family.model_type == model_type).ok_or_else(|| {
        let known = FAMILIES.iter().map(|family| family.model_type).collect();
        ZooError::UnknownFamily { path, found: model_type, known }
    })
}
