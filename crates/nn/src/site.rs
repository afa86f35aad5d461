//! Places inside a backbone where an adapter may act.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A stack of blocks: most speech backbones have one, the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stack {
    /// The convolutions of the front end; its blocks offer [`Part::Conv`] alone.
    FrontEnd,
    /// The encoder, or the only stack.
    Encoder,
    /// The decoder.
    Decoder,
}

impl Stack {
    /// The name used in configurations and parameter names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FrontEnd => "front-end",
            Self::Encoder => "encoder",
            Self::Decoder => "decoder",
        }
    }
}

/// One block of one stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId {
    /// The stack.
    pub stack: Stack,
    /// Counted from the input, from zero.
    pub block: usize,
}

impl BlockId {
    /// Convolution `layer` of the front end.
    pub const fn front_end(layer: usize) -> Self {
        Self { stack: Stack::FrontEnd, block: layer }
    }

    /// Block `block` of the encoder.
    pub const fn encoder(block: usize) -> Self {
        Self { stack: Stack::Encoder, block }
    }

    /// The site of `part` in this block.
    pub const fn site(self, part: Part) -> Site {
        Site { stack: self.stack, block: self.block, part }
    }
}

/// A frozen function inside a block. At each of them an adapter sees the input `x` and the output `y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Query projection, after bias, before scaling and head split.
    Query,
    /// Key projection, likewise.
    Key,
    /// Value projection, likewise.
    Value,
    /// Attention's output projection, after bias.
    Out,
    /// First feed-forward map.
    Up,
    /// After the feed-forward non-linearity.
    Activation,
    /// Second feed-forward map.
    Down,
    /// The attention sub-layer, before residual and norm.
    Attention,
    /// The feed-forward sub-layer, before residual and norm.
    FeedForward,
    /// The whole block, after residual and norm.
    Block,
    /// A convolution of the front end; `x` and `y` are `[batch, channels, time]`.
    Conv,
}

impl Part {
    /// The name used in configurations and parameter names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Key => "key",
            Self::Value => "value",
            Self::Out => "out",
            Self::Up => "up",
            Self::Activation => "activation",
            Self::Down => "down",
            Self::Attention => "attention",
            Self::FeedForward => "feed-forward",
            Self::Block => "block",
            Self::Conv => "conv",
        }
    }
}

/// A part of a block of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site {
    /// The stack.
    pub stack: Stack,
    /// The block, counted from the input, from zero.
    pub block: usize,
    /// The part.
    pub part: Part,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.stack.name(), self.block, self.part.name())
    }
}
