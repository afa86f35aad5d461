//! Backbone, adapter and head, with their three stores and the cut between what is constant and what is trained.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sure_nn::{
    Adapter, Backbone, Cut, Cx, Encoded, Hooks, Input, Keep, NoAdapter, Param, Role, Seed, Site, State,
    Store,
    tch::{self, Tensor},
};
use sure_tasks::{Head, Logits};

use crate::{Augment, TrainError};

/// Which of the backbone's own parameters are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unfreeze {
    /// None.
    Nothing,
    /// All but those of the convolutional front end.
    AllButFrontEnd,
    /// All but those of the first so many blocks.
    FromBlock(u32),
    /// All.
    Everything,
}

impl Unfreeze {
    /// Whether it takes a parameter of the backbone; `masks` says whether the vector for hidden frames is in use.
    fn takes(self, backbone: &dyn Backbone, name: &str, param: &Param, masks: bool) -> bool {
        param.role != Role::Fixed
            && (masks || param.role != Role::MaskVector)
            && match self {
                Self::Nothing => false,
                Self::AllButFrontEnd => !name.starts_with(backbone.front_end_prefix()),
                Self::FromBlock(first) => block(name).is_none_or(|block| block >= first),
                Self::Everything => true,
            }
    }
}

/// The block that a parameter of a backbone belongs to: `blocks.3.attention.query.weight`.
fn block(name: &str) -> Option<u32> {
    name.strip_prefix("blocks.")?.split('.').next()?.parse().ok()
}

/// What is trained, and under which disturbances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regime {
    /// What of the backbone itself.
    pub unfreeze: Unfreeze,
    /// What is hidden from the network.
    pub augment: Augment,
    /// Whether the backbone's own dropout acts.
    pub backbone_dropout: bool,
}

impl Regime {
    /// Without disturbances.
    pub fn undisturbed(unfreeze: Unfreeze) -> Self {
        Self { unfreeze, augment: Augment::Off, backbone_dropout: false }
    }

    /// Handles to the parameters of `backbone` that are trained.
    pub fn unfrozen(&self, backbone: &dyn Backbone) -> Store {
        let masks = self.augment != Augment::Off;
        backbone.store().select(|name, param| self.unfreeze.takes(backbone, name, param, masks))
    }
}

/// An adapter with the sites it acts at and its parameters.
#[derive(Debug)]
pub struct Adapted {
    /// What acts inside the backbone.
    pub adapter: Box<dyn Adapter + Send>,
    /// Where.
    pub sites: Vec<Site>,
    /// Its parameters.
    pub store: Store,
    /// Names of those that take part in no forward pass.
    pub unused: Vec<String>,
}

impl Adapted {
    /// No adapter.
    pub fn none() -> Self {
        let adapter = Box::new(NoAdapter);
        Self { adapter, sites: Vec::new(), store: Store::default(), unused: Vec::new() }
    }
}

/// A head with its parameters.
#[derive(Debug)]
pub struct Headed {
    /// The head.
    pub head: Box<dyn Head>,
    /// Its parameters.
    pub store: Store,
}

impl Headed {
    /// No head: hidden states come out as they are.
    pub fn none() -> Self {
        Self { head: Box::new(NoHead), store: Store::default() }
    }
}

/// Gives the hidden states, `[batch, time, hidden]`.
#[derive(Debug)]
struct NoHead;

impl Head for NoHead {
    fn forward(&self, encoded: &Encoded) -> Tensor {
        encoded.last().shallow_clone()
    }
}

/// Everything that turns a clip into logits.
#[derive(Debug)]
pub struct Model {
    /// The pretrained network.
    pub backbone: Box<dyn Backbone>,
    /// The adapter.
    pub adapted: Adapted,
    /// The head.
    pub headed: Headed,
    /// Handles to the backbone's parameters that are trained.
    pub unfrozen: Store,
    /// Below it nothing changes during training.
    pub cut: Cut,
    /// What is trained, and how.
    pub regime: Regime,
}

impl Model {
    /// Puts the parts together; the backbone's parameters that are unfrozen start to ask for gradients.
    pub fn new(backbone: Box<dyn Backbone>, adapted: Adapted, headed: Headed, regime: Regime) -> Self {
        let unfrozen = regime.unfrozen(&*backbone);
        for (_, param) in unfrozen.iter() {
            let _ = param.tensor.set_requires_grad(true);
        }
        let cut = match regime.unfreeze {
            Unfreeze::Nothing => Cut::Output,
            Unfreeze::AllButFrontEnd => Cut::Features,
            Unfreeze::FromBlock(_) | Unfreeze::Everything => Cut::Input,
        };
        // Hidden frames change with every step, and they enter behind the front end.
        let disturbed = if regime.augment == Augment::Off { Cut::Output } else { Cut::Features };
        let cut = cut.min(Cut::below(&adapted.sites)).min(disturbed);
        Self { backbone, adapted, headed, unfrozen, cut, regime }
    }

    /// The trained stores with the names under which they are saved: adapter, head, unfrozen part of the backbone.
    pub fn trained(&self) -> [(&'static str, &Store); 3] {
        [("adapter", &self.adapted.store), ("head", &self.headed.store), ("backbone", &self.unfrozen)]
    }

    /// Whether the trained parameter `full`, as [`Model::snapshot`] names it, takes part in no forward pass.
    pub fn is_unused(&self, full: &str) -> bool {
        full.strip_prefix("adapter.")
            .is_some_and(|name| self.adapted.unused.iter().any(|unused| unused == name))
    }

    /// Whether the trained parameter `full` may be where it started without being dead: unused ones, and the vector for
    /// hidden frames, which short clips never need.
    pub fn may_rest(&self, full: &str) -> bool {
        let hides = |name| self.unfrozen.get(name).is_some_and(|param| param.role == Role::MaskVector);
        self.is_unused(full) || full.strip_prefix("backbone.").is_some_and(hides)
    }

    /// The context of a training step.
    pub fn training_cx(&self, step: Seed) -> Cx {
        Cx { backbone_dropout: self.regime.backbone_dropout, ..Cx::train(step.value()) }
    }

    /// Copies of all trained values, by full name.
    pub fn snapshot(&self) -> BTreeMap<String, Tensor> {
        let all = self.trained().into_iter().flat_map(|(prefix, store)| {
            store.snapshot().into_iter().map(move |(name, tensor)| (format!("{prefix}.{name}"), tensor))
        });
        all.collect()
    }

    /// Writes a snapshot back. It must hold exactly the trained parameters.
    ///
    /// # Errors
    /// With the first name that is missing, left over, or of another shape.
    pub fn restore(&self, values: &BTreeMap<String, Tensor>) -> Result<(), TrainError> {
        let _guard = tch::no_grad_guard();
        let mut used = 0;
        for (prefix, store) in self.trained() {
            for (name, param) in store.iter() {
                let full = format!("{prefix}.{name}");
                let value = values.get(&full).filter(|value| value.size() == param.tensor.size());
                let value = value.ok_or(TrainError::MissingTensor { name: full })?;
                param.tensor.shallow_clone().copy_(value);
                used += 1;
            }
        }
        if used == values.len() {
            return Ok(());
        }
        let known: BTreeMap<_, _> = self.snapshot();
        let name = values.keys().find(|name| !known.contains_key(*name)).cloned().unwrap_or_default();
        Err(TrainError::UnexpectedTensor { name })
    }

    /// Logits from the state at the cut.
    pub fn logits(&self, state: State, cx: &Cx) -> Logits {
        self.logits_with(&*self.adapted.adapter, state, cx)
    }

    /// Logits from the state at the cut, with another adapter in the place of the model's own.
    pub fn logits_with(&self, adapter: &dyn Adapter, state: State, cx: &Cx) -> Logits {
        Logits::of(&*self.headed.head, &self.encode(adapter, state, cx))
    }

    /// Logits from the input itself, for a single pass without a cache.
    pub fn logits_of(&self, input: &Input, cx: &Cx) -> Logits {
        let encoded = self.backbone.encode(input, &*self.adapted.adapter, cx, Keep::Last);
        Logits::of(&*self.headed.head, &encoded)
    }

    fn encode(&self, adapter: &dyn Adapter, state: State, cx: &Cx) -> Encoded {
        if self.cut > Cut::Features {
            return self.backbone.encode_from(state, self.cut, adapter, cx, Keep::Last);
        }
        let features = match self.cut {
            Cut::Input => self.backbone.front_end(&Input::of_state(&state), &Hooks::new(adapter, cx)),
            _ => state,
        };
        let hidden = match self.regime.augment {
            Augment::SpecAugment(spans) if cx.train => {
                Some(spans.draw(Seed::new(cx.step_seed), &features.mask))
            }
            _ => None,
        };
        let cx = Cx { time_mask: hidden, valid: None, ..*cx };
        self.backbone.encode_from(features, Cut::Features, adapter, &cx, Keep::Last)
    }
}
