//! Whisper's own configuration, as `transformers` writes it.

use serde::Deserialize;
use sure_nn::{
    Activation, Anatomy, AttentionConfig, BlockConfig, ConvShape, DropoutRates, NnError, NormOrder,
    StackAnatomy,
};

/// The fields of `config.json` that the encoder needs.
#[derive(Debug, Clone, Deserialize)]
pub struct WhisperConfig {
    /// Width of the hidden states.
    pub d_model: i64,
    /// Number of blocks.
    pub encoder_layers: usize,
    /// Attention heads.
    pub encoder_attention_heads: i64,
    /// Width of the feed-forward layers.
    pub encoder_ffn_dim: i64,
    /// Rows of the log-mel matrix.
    pub num_mel_bins: usize,
    /// Rows of the position table; a row is 20 ms.
    pub max_source_positions: i64,
    /// Non-linearity of the feed-forward layers.
    pub activation_function: String,
    /// Dropout at the outputs of both sub-layers.
    #[serde(default)]
    pub dropout: f64,
    /// Dropout of the attention weights.
    #[serde(default)]
    pub attention_dropout: f64,
    /// Dropout after the non-linearity.
    #[serde(default)]
    pub activation_dropout: f64,
}

impl WhisperConfig {
    /// Epsilon of every layer norm (`torch.nn.LayerNorm`'s default).
    pub const NORM_EPS: f64 = 1e-5;

    pub(super) fn check(&self) -> Result<(), NnError> {
        let positive = [
            ("d_model", self.d_model),
            ("encoder_layers", self.encoder_layers as i64),
            ("encoder_attention_heads", self.encoder_attention_heads),
            ("encoder_ffn_dim", self.encoder_ffn_dim),
            ("num_mel_bins", self.num_mel_bins as i64),
            ("max_source_positions", self.max_source_positions),
        ];
        let rates = [self.dropout, self.attention_dropout, self.activation_dropout];
        if let Some(rate) = rates.into_iter().find(|rate| !(0.0..1.0).contains(rate)) {
            let reason = "must be at least 0 and less than 1".to_owned();
            return Err(NnError::Config { key: "dropout", value: rate.to_string(), reason });
        }
        match positive.into_iter().find(|(_, value)| !(1..=1 << 20).contains(value)) {
            None => Ok(()),
            Some((key, value)) => Err(NnError::Config {
                key,
                value: value.to_string(),
                reason: "must be between 1 and a million".to_owned(),
            }),
        }
    }

    pub(super) fn block(&self) -> Result<BlockConfig, NnError> {
        Ok(BlockConfig {
            attention: AttentionConfig {
                hidden: self.d_model,
                heads: self.encoder_attention_heads,
                key_bias: false,
                dropout: self.attention_dropout,
            },
            inner: self.encoder_ffn_dim,
            activation: Activation::named(&self.activation_function)?,
            norm_order: NormOrder::Pre,
            norm_eps: Self::NORM_EPS,
            dropout: DropoutRates { hidden: self.dropout, activation: self.activation_dropout },
        })
    }

    /// The two convolutions of the front end.
    pub(super) fn convolutions(&self) -> [ConvShape; 2] {
        let first = ConvShape::same((self.num_mel_bins as i64, self.d_model), 3, 1);
        let second = ConvShape { stride: 2, ..ConvShape::same((self.d_model, self.d_model), 3, 1) };
        [first, second]
    }

    pub(super) fn anatomy(&self) -> Anatomy {
        Anatomy {
            front_end: self.convolutions().to_vec(),
            stacks: vec![StackAnatomy::of_encoder_blocks(
                self.encoder_layers,
                self.d_model,
                self.encoder_attention_heads,
                self.encoder_ffn_dim,
                NormOrder::Pre,
            )],
        }
    }
}
