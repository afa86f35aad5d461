//! The measures of a text encoder, whatever its family calls them.

use sure_nn::{
    Activation, Anatomy, AttentionConfig, BlockConfig, DropoutRates, NnError, NormOrder, StackAnatomy,
};

/// What the families of text encoders differ in.
#[derive(Debug, Clone)]
pub struct TextConfig {
    /// Tokens.
    pub vocabulary: i64,
    /// Width of the hidden states.
    pub hidden: i64,
    /// Number of blocks.
    pub blocks: usize,
    /// Attention heads.
    pub heads: i64,
    /// Width of the feed-forward layers.
    pub inner: i64,
    /// Their non-linearity.
    pub activation: String,
    /// Dropout of the embeddings and at the outputs of both sub-layers.
    pub dropout: f64,
    /// Dropout of the attention weights.
    pub attention_dropout: f64,
    /// Tokens of a text at most.
    pub positions: i64,
    /// Kinds of segments; 0 where the family has none. Ours are always of the first kind.
    pub types: i64,
    /// Epsilon of every layer norm.
    pub norm_eps: f64,
    /// How positions enter; `absolute` alone is supported.
    pub position_kind: String,
    /// Whether each token sees only those before it, which is not supported.
    pub is_decoder: bool,
}

impl TextConfig {
    /// Refuses what makes no sense or is not supported, by name.
    pub(super) fn check(&self) -> Result<(), NnError> {
        let refuse =
            |key, value: String, reason: &str| Err(NnError::Config { key, value, reason: reason.to_owned() });
        let positive = [
            ("vocab_size", self.vocabulary),
            ("hidden_size", self.hidden),
            ("num_hidden_layers", self.blocks as i64),
            ("num_attention_heads", self.heads),
            ("intermediate_size", self.inner),
            ("max_position_embeddings", self.positions),
            ("type_vocab_size", self.types + 1),
        ];
        for (key, value) in positive {
            if !(1..=1 << 22).contains(&value) {
                return refuse(key, value.to_string(), "must be between 1 and 4 million");
            }
        }
        for rate in [self.dropout, self.attention_dropout] {
            if !(0.0..1.0).contains(&rate) {
                return refuse("dropout", rate.to_string(), "must be at least 0 and less than 1");
            }
        }
        if !(self.norm_eps > 0.0 && self.norm_eps < 1.0) {
            return refuse("layer_norm_eps", self.norm_eps.to_string(), "must be between 0 and 1");
        }
        if self.position_kind != "absolute" {
            return refuse("position_embedding_type", self.position_kind.clone(), "absolute is known");
        }
        if self.is_decoder {
            return refuse(
                "is_decoder",
                "true".to_owned(),
                "an encoder is wanted, which sees the whole text",
            );
        }
        Ok(())
    }

    pub(super) fn block(&self) -> Result<BlockConfig, NnError> {
        Ok(BlockConfig {
            attention: AttentionConfig {
                hidden: self.hidden,
                heads: self.heads,
                key_bias: true,
                dropout: self.attention_dropout,
            },
            inner: self.inner,
            activation: Activation::named(&self.activation)?,
            norm_order: NormOrder::Post,
            norm_eps: self.norm_eps,
            dropout: DropoutRates { hidden: self.dropout, activation: 0.0 },
        })
    }

    /// One stack, and no front end of convolutions.
    pub(super) fn anatomy(&self) -> Anatomy {
        let stack = StackAnatomy::of_encoder_blocks(
            self.blocks,
            self.hidden,
            self.heads,
            self.inner,
            NormOrder::Post,
        );
        Anatomy { front_end: Vec::new(), stacks: vec![stack] }
    }
}
