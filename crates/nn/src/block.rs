//! The transformer block that backbones share.

use tch::Tensor;

use crate::{
    Activation, Attention, AttentionConfig, BlockId, FeedForward, Hooks, LayerNorm, Loader, NnError,
    NormOrder, Part, Projection, ScoreBias,
};

/// The measures of a block.
#[derive(Debug, Clone, Copy)]
pub struct BlockConfig {
    /// Attention.
    pub attention: AttentionConfig,
    /// Width of the feed-forward layer.
    pub inner: i64,
    /// Its non-linearity.
    pub activation: Activation,
    /// Norm order.
    pub norm_order: NormOrder,
    /// Epsilon of the layer norms.
    pub norm_eps: f64,
    /// Dropout in training, besides that of the attention weights.
    pub dropout: DropoutRates,
}

/// Where a block drops values in training; see [`Cx::backbone_dropout`](crate::Cx::backbone_dropout).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutRates {
    /// At the outputs of both sub-layers.
    pub hidden: f64,
    /// After the non-linearity of the feed-forward sub-layer.
    pub activation: f64,
}

/// Attention and feed-forward with residuals and layer norms, in pre- or post-norm order.
#[derive(Debug)]
pub struct EncoderBlock {
    attention: Attention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
    feed_forward_norm: LayerNorm,
    norm_order: NormOrder,
    dropout: f64,
    block: BlockId,
}

impl EncoderBlock {
    /// `attention`, `attention_norm`, `feed_forward` and `feed_forward_norm` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(loader: &Loader, block: BlockId, config: BlockConfig) -> Result<Self, NnError> {
        let hidden = config.attention.hidden;
        let norm = |name: &str| LayerNorm::new(&loader.at(name), hidden, config.norm_eps);
        Ok(Self {
            attention: Attention::new(&loader.at("attention"), block, config.attention)?,
            attention_norm: norm("attention_norm")?,
            feed_forward: FeedForward::new(
                &loader.at("feed_forward"),
                block,
                (hidden, config.inner),
                (config.activation, config.dropout.activation),
            )?,
            feed_forward_norm: norm("feed_forward_norm")?,
            norm_order: config.norm_order,
            dropout: config.dropout.hidden,
            block,
        })
    }

    /// `[batch, time, hidden]` to the same shape.
    pub fn forward(&self, x: &Tensor, hooks: &Hooks) -> Tensor {
        self.forward_biased(x, None, hooks)
    }

    /// The same, with `added` on the attention's scores.
    pub fn forward_biased(&self, x: &Tensor, added: Option<ScoreBias>, hooks: &Hooks) -> Tensor {
        let y = match self.norm_order {
            NormOrder::Pre => {
                let h = x + self.attend(&self.attention_norm.forward(x), added, hooks);
                &h + self.feed(&self.feed_forward_norm.forward(&h), hooks)
            }
            NormOrder::Post => {
                let h = self.attention_norm.forward(&(x + self.attend(x, added, hooks)));
                self.feed_forward_norm.forward(&(&h + self.feed(&h, hooks)))
            }
        };
        hooks.around(self.block, Part::Block, x, y)
    }

    /// The projection at `part`, if that part is one.
    pub fn projection(&self, part: Part) -> Option<&Projection> {
        let attention = self.attention.projections();
        let feed_forward = self.feed_forward.projections();
        attention.into_iter().chain(feed_forward).find(|projection| projection.part() == part)
    }

    fn attend(&self, x: &Tensor, added: Option<ScoreBias>, hooks: &Hooks) -> Tensor {
        self.sub_layer(Part::Attention, x, self.attention.forward_biased(x, added, hooks), hooks)
    }

    fn feed(&self, x: &Tensor, hooks: &Hooks) -> Tensor {
        self.sub_layer(Part::FeedForward, x, self.feed_forward.forward(x, hooks), hooks)
    }

    fn sub_layer(&self, part: Part, x: &Tensor, y: Tensor, hooks: &Hooks) -> Tensor {
        let y = hooks.around(self.block, part, x, y);
        // The attention's own place is taken by the dropout of its weights.
        hooks.cx.backbone_dropout_of(y, self.dropout, format_args!("{} out", self.block.site(part)))
    }
}
