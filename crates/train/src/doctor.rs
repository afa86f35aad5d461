//! Proofs that a run is what it claims to be. A failure names the tensor or the site and ends the run.

use std::collections::{BTreeMap, BTreeSet};

use sure_nn::{
    Adapter, Cx, NoAdapter, Site, State,
    tch::{self, Tensor},
};
use sure_records::CheckResult;

use crate::{AdamW, Model, TrainError};

/// Largest relative difference between an adapter and its merged weights in 32-bit precision.
const MERGE_TOLERANCE: f64 = 1e-4;

/// The checks of one run, and what they need to remember.
#[derive(Debug)]
pub struct Doctor {
    trained: BTreeMap<String, String>,
    frozen: BTreeMap<String, String>,
    results: Vec<CheckResult>,
}

impl Doctor {
    /// Notes every value before training. `model` must be as it was built, before any checkpoint is taken up.
    pub fn new(model: &Model) -> Self {
        Self { trained: trained_hashes(model), frozen: frozen_hashes(model), results: Vec::new() }
    }

    /// What has been proved so far.
    pub fn results(&self) -> &[CheckResult] {
        &self.results
    }

    /// Takes over what a run proved before it was killed.
    pub(crate) fn adopt(&mut self, results: Vec<CheckResult>) {
        self.results = results;
    }

    /// The built modules have as many parameters as the published formulas say.
    ///
    /// # Errors
    /// [`TrainError::CountDiffers`].
    pub fn counts(&mut self, model: &Model, adapter: u64, head: u64) -> Result<(), TrainError> {
        let parts = [("adapter", &model.adapted.store, adapter), ("head", &model.headed.store, head)];
        for (part, store, declared) in parts {
            if store.count() != declared {
                return Err(TrainError::CountDiffers { part, built: store.count(), declared });
            }
        }
        self.proved("counts", format!("adapter {adapter}, head {head}"));
        Ok(())
    }

    /// After the first backward pass: every trainable tensor has a gradient, every site was visited.
    ///
    /// # Errors
    /// [`TrainError::DeadParameter`], [`TrainError::UnvisitedSite`].
    pub fn first_step(
        &mut self,
        model: &Model,
        optimiser: &AdamW,
        visited: &BTreeSet<Site>,
    ) -> Result<(), TrainError> {
        let mut count = 0;
        for (name, param) in optimiser.params() {
            // A defined gradient, not a non-zero one: LoRA's A has gradient zero until B has moved.
            if !param.grad().defined() && !model.is_unused(name) {
                return Err(TrainError::DeadParameter { name: name.to_owned() });
            }
            count += 1;
        }
        if let Some(site) = model.adapted.sites.iter().find(|site| !visited.contains(site)) {
            return Err(TrainError::UnvisitedSite { site: site.to_string() });
        }
        self.proved("gradients", format!("{count} tensors, {} sites", model.adapted.sites.len()));
        Ok(())
    }

    /// After training: all trained values moved, no frozen one did, the adapter makes a difference, and merging it
    /// does not. `probe` gives the state of a few clips at the cut, anew at each call.
    ///
    /// # Errors
    /// The finding, with the name of the tensor or site.
    pub fn after_training(
        &mut self,
        model: &Model,
        probe: &dyn Fn() -> Result<State, TrainError>,
    ) -> Result<(), TrainError> {
        self.unchanged(model)?;
        let now = trained_hashes(model);
        let stayed = |(name, hash): &(&String, &String)| {
            self.trained.get(*name) == Some(hash) && !model.may_rest(name)
        };
        if let Some((name, _)) = now.iter().find(stayed) {
            return Err(TrainError::NeverMoved { name: name.clone() });
        }
        self.proved("moved", format!("{} tensors", now.len()));
        if let Some((name, _)) = model.adapted.store.iter().next() {
            let with = answer(model, &*model.adapted.adapter, probe()?);
            if with.equal(&answer(model, &NoAdapter, probe()?)) {
                return Err(TrainError::NoEffect { name: name.to_owned() });
            }
            self.proved("effect", "the adapter changes the output".to_owned());
            self.merged(model, &with, probe)?;
        }
        Ok(())
    }

    /// No frozen parameter has changed.
    ///
    /// # Errors
    /// [`TrainError::FrozenChanged`].
    pub fn unchanged(&mut self, model: &Model) -> Result<(), TrainError> {
        let now = frozen_hashes(model);
        if let Some((name, _)) = now.iter().find(|(name, hash)| self.frozen.get(*name) != Some(hash)) {
            return Err(TrainError::FrozenChanged { name: name.clone() });
        }
        self.proved("frozen", format!("{} tensors", now.len()));
        Ok(())
    }

    /// A model built anew from the saved files answers as the trained one, to the bit.
    ///
    /// # Errors
    /// [`TrainError::ReloadDiffers`].
    pub fn reloaded(
        &mut self,
        model: &Model,
        fresh: &Model,
        probe: &dyn Fn() -> Result<State, TrainError>,
    ) -> Result<(), TrainError> {
        let ours = answer(model, &*model.adapted.adapter, probe()?);
        let theirs = answer(fresh, &*fresh.adapted.adapter, probe()?);
        if !ours.equal(&theirs) {
            let saved = fresh.snapshot();
            let differs =
                |(name, value): &(&String, &Tensor)| !saved.get(*name).is_some_and(|s| s.equal(value));
            let now = model.snapshot();
            let name = now.iter().find(differs).map_or("(a tensor that is not saved)", |(name, _)| name);
            return Err(TrainError::ReloadDiffers { name: name.to_owned() });
        }
        self.proved("reload", "the saved model answers to the bit as the trained one".to_owned());
        Ok(())
    }

    fn merged(
        &mut self,
        model: &Model,
        with: &Tensor,
        probe: &dyn Fn() -> Result<State, TrainError>,
    ) -> Result<(), TrainError> {
        let Some(deltas) = model.adapted.adapter.weight_deltas() else { return Ok(()) };
        let _guard = tch::no_grad_guard();
        let mut before = Vec::new();
        for (site, delta) in &deltas {
            if let Some(weight) = model.backbone.weight(*site) {
                before.push((weight.shallow_clone(), weight.copy()));
                weight.shallow_clone().copy_(&(weight + delta));
            }
        }
        let merged = answer(model, &NoAdapter, probe()?);
        // Backwards: a weight that was changed twice gets its first value last.
        for (mut weight, value) in before.into_iter().rev() {
            weight.copy_(&value);
        }
        let scale = with.abs().max().double_value(&[]).max(1.0);
        let difference = (with - merged).abs().max().double_value(&[]) / scale;
        // Also false for a difference that is not a number.
        if difference <= MERGE_TOLERANCE {
            self.proved("merge", format!("{} sites within {MERGE_TOLERANCE:e}", deltas.len()));
            return Ok(());
        }
        let site = deltas.first().map(|(site, _)| site.to_string()).unwrap_or_default();
        Err(TrainError::MergeDiffers { difference, site })
    }

    fn proved(&mut self, name: &str, detail: String) {
        self.results.retain(|result| result.name != name);
        self.results.push(CheckResult { name: name.to_owned(), ok: true, detail });
    }
}

fn answer(model: &Model, adapter: &dyn Adapter, state: State) -> Tensor {
    let _guard = tch::no_grad_guard();
    model.logits_with(adapter, state, &Cx::eval()).values
}

fn trained_hashes(model: &Model) -> BTreeMap<String, String> {
    let all = model.trained().into_iter().flat_map(|(prefix, store)| {
        store.hashes().into_iter().map(move |(name, hash)| (format!("{prefix}.{name}"), hash))
    });
    all.collect()
}

fn frozen_hashes(model: &Model) -> BTreeMap<String, String> {
    let frozen = model.backbone.store().select(|name, _| model.unfrozen.get(name).is_none());
    frozen.hashes()
}
