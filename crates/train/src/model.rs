//! Backbone, adapter and head, with their three stores and the cut between what is constant and what is trained.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sure_nn::{
    Adapter, Backbone, Cut, Cx, Encoded, Input, Keep, NoAdapter, Param, Role, Site, State, Store,
    tch::{self, Tensor},
};
use sure_tasks::Head;

use crate::TrainError;

/// Which of the backbone's own parameters are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unfreeze {
    /// None.
    Nothing,
    /// All but those of the convolutional front end.
    AllButFrontEnd,
    /// All.
    Everything,
}

impl Unfreeze {
    fn takes(self, backbone: &dyn Backbone, name: &str, param: &Param) -> bool {
        param.role != Role::Fixed
            && match self {
                Self::Nothing => false,
                Self::AllButFrontEnd => !name.starts_with(backbone.front_end_prefix()),
                Self::Everything => true,
            }
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
}

impl Adapted {
    /// No adapter.
    pub fn none() -> Self {
        Self { adapter: Box::new(NoAdapter), sites: Vec::new(), store: Store::default() }
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
}

impl Model {
    /// Puts the parts together; the backbone's parameters that `unfreeze` takes start to ask for gradients.
    pub fn new(backbone: Box<dyn Backbone>, adapted: Adapted, headed: Headed, unfreeze: Unfreeze) -> Self {
        let unfrozen = backbone.store().select(|name, param| unfreeze.takes(&*backbone, name, param));
        for (_, param) in unfrozen.iter() {
            let _ = param.tensor.set_requires_grad(true);
        }
        let cut = match unfreeze {
            Unfreeze::Nothing => Cut::below(&adapted.sites),
            Unfreeze::AllButFrontEnd => Cut::Features,
            Unfreeze::Everything => Cut::Input,
        };
        Self { backbone, adapted, headed, unfrozen, cut }
    }

    /// The trained stores with the names under which they are saved: adapter, head, unfrozen part of the backbone.
    pub fn trained(&self) -> [(&'static str, &Store); 3] {
        [("adapter", &self.adapted.store), ("head", &self.headed.store), ("backbone", &self.unfrozen)]
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
    pub fn logits(&self, state: State, cx: &Cx) -> Tensor {
        self.logits_with(&*self.adapted.adapter, state, cx)
    }

    /// Logits from the state at the cut, with another adapter in the place of the model's own.
    pub fn logits_with(&self, adapter: &dyn Adapter, state: State, cx: &Cx) -> Tensor {
        self.headed.head.forward(&self.encode(adapter, state, cx))
    }

    /// Logits from the input itself, for a single pass without a cache.
    pub fn logits_of(&self, input: &Input, cx: &Cx) -> Tensor {
        self.headed.head.forward(&self.backbone.encode(input, &*self.adapted.adapter, cx, Keep::Last))
    }

    fn encode(&self, adapter: &dyn Adapter, state: State, cx: &Cx) -> Encoded {
        if self.cut != Cut::Input {
            return self.backbone.encode_from(state, self.cut, adapter, cx, Keep::Last);
        }
        // At this cut the state is the input itself, with time before channels as in every state.
        let values = state.hidden.transpose(1, 2).contiguous();
        let input = Input { values, lengths: state.mask.lengths().to_vec() };
        self.backbone.encode(&input, adapter, cx, Keep::Last)
    }
}
