//! The registry: every method that puts trainable modules into a backbone.

use serde::{Deserialize, Serialize};
use sure_nn::{Adapter, Anatomy, Loader, NnError, Site};

use crate::LoraConfig;

/// A method with its configuration, externally tagged: `[adapter.lora]` in a run file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AdapterConfig {
    /// Low-rank adaptation.
    Lora(LoraConfig),
}

/// A method, built for one backbone.
#[derive(Debug)]
pub struct Built {
    /// What acts inside the backbone.
    pub adapter: Box<dyn Adapter + Send>,
    /// The sites where it acts.
    pub sites: Vec<Site>,
}

impl AdapterConfig {
    /// Builds the method's modules for the backbone that `anatomy` describes, with parameters from `loader`.
    ///
    /// # Errors
    /// When the placement does not fit the backbone, a value makes no sense, or a parameter cannot be had.
    pub fn build(&self, anatomy: &Anatomy, loader: &Loader) -> Result<Built, NnError> {
        match self {
            Self::Lora(config) => config.build(anatomy, loader),
        }
    }

    /// The number of trainable parameters by the method's published formula, independent of what [`Self::build`] made.
    ///
    /// # Errors
    /// When the placement does not fit the backbone.
    pub fn declared_count(&self, anatomy: &Anatomy) -> Result<u64, NnError> {
        match self {
            Self::Lora(config) => config.declared_count(anatomy),
        }
    }

    /// Whether a fresh adapter leaves the backbone's answer as it is.
    pub fn identity_at_start(&self) -> bool {
        match self {
            Self::Lora(_) => true,
        }
    }
}
