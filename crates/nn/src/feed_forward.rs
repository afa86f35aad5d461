//! The feed-forward sub-layer.

use tch::Tensor;

use crate::{BlockId, Hooks, Loader, NnError, Part, Projection};

/// A non-linearity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// The exact GELU, with the error function.
    Gelu,
    /// Rectifier.
    Relu,
}

impl Activation {
    /// The activation that a transformers configuration calls `name`.
    ///
    /// # Errors
    /// When the name is not known.
    pub fn named(name: &str) -> Result<Self, NnError> {
        match name {
            "gelu" => Ok(Self::Gelu),
            "relu" => Ok(Self::Relu),
            _ => Err(NnError::Config {
                key: "activation_function",
                value: name.to_owned(),
                reason: "gelu and relu are known".to_owned(),
            }),
        }
    }

    /// Element by element.
    pub fn forward(self, x: &Tensor) -> Tensor {
        match self {
            Self::Gelu => x.gelu("none"),
            Self::Relu => x.relu(),
        }
    }
}

/// Two linear maps with a non-linearity between them.
#[derive(Debug)]
pub struct FeedForward {
    up: Projection,
    down: Projection,
    activation: Activation,
    dropout: f64,
    block: BlockId,
}

impl FeedForward {
    /// `up` and `down` at `loader`; `dropout` acts after the non-linearity.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(
        loader: &Loader,
        block: BlockId,
        (hidden, inner): (i64, i64),
        (activation, dropout): (Activation, f64),
    ) -> Result<Self, NnError> {
        Ok(Self {
            up: Projection::new(&loader.at("up"), (block, Part::Up), (hidden, inner), true)?,
            down: Projection::new(&loader.at("down"), (block, Part::Down), (inner, hidden), true)?,
            activation,
            dropout,
            block,
        })
    }

    /// `[batch, time, hidden]` to the same shape.
    pub fn forward(&self, x: &Tensor, hooks: &Hooks) -> Tensor {
        let up = self.up.forward(x, hooks);
        let inner = hooks.around(self.block, Part::Activation, &up, self.activation.forward(&up));
        let place = self.block.site(Part::Activation);
        self.down.forward(&hooks.cx.backbone_dropout_of(inner, self.dropout, place), hooks)
    }

    /// The two projections, for access to their frozen weights.
    pub fn projections(&self) -> [&Projection; 2] {
        [&self.up, &self.down]
    }
}
