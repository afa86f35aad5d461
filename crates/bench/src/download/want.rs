//! From flags to what is wanted.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use sure_data::DatasetCard;
use sure_hub::{Kind, Repository};

use crate::{backbone::is_hub_id, presets};

/// Something that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Want {
    /// A model.
    Model(Repository),
    /// A data set.
    Dataset(Box<DatasetCard>),
}

/// What a suite and names stand for, each once.
///
/// # Errors
/// When a name is none.
pub fn wants(suite: Option<&str>, models: &[String], datasets: &[String]) -> Result<Vec<Want>> {
    let mut wants = Vec::new();
    let mut seen = BTreeSet::new();
    let (mut models, mut datasets) = (models.to_vec(), datasets.to_vec());
    if let Some(suite) = suite {
        let suite = presets::suite(suite)?;
        let profiles = || suite.profiles.values().filter(|profile| !profile.embedded);
        models.extend(profiles().filter_map(|profile| profile.backbone.clone()));
        let sets = profiles().flat_map(|profile| &profile.tasks).filter_map(|task| task.split_once('/'));
        datasets.extend(sets.map(|(_, set)| set.to_owned()));
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
    for name in datasets {
        let card = DatasetCard::named(&name)?;
        if seen.insert(card.name.clone()) {
            wants.push(Want::Dataset(Box::new(card)));
        }
    }
    Ok(wants)
}
