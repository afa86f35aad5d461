//! From flags to what is wanted.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use sure_hub::{Kind, Repository};

use crate::{backbone::is_hub_id, presets};

/// Something that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// A model.
    Model(Repository),
}

/// What a suite and names stand for, each once.
///
/// # Errors
/// When a name is none.
pub fn wants(suite: Option<&str>, models: &[String]) -> Result<Vec<Want>> {
    let mut wants = Vec::new();
    let mut seen = BTreeSet::new();
    let mut models = models.to_vec();
    if let Some(suite) = suite {
        let suite = presets::suite(suite)?;
        models.extend(suite.profiles.values().filter_map(|profile| profile.backbone.clone()));
    }
    for text in models {
        if !is_hub_id(&text) {
            bail!("{text:?} is no id on the hub: it should be OWNER/NAME or OWNER/NAME@REVISION");
        }
        let repository = Repository::parse(Kind::Model, &text)?;
        if seen.insert(repository.key()) {
            wants.push(Want::Model(repository));
        }
    }
    Ok(wants)
}
