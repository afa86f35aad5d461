//! The configuration that wav2vec 2.0 and HuBERT share, as `transformers` writes it.

use serde::Deserialize;
use sure_nn::{
    Activation, Anatomy, AttentionConfig, BlockConfig, ConvShape, DropoutRates, NnError, NormOrder,
    StackAnatomy,
};

/// How the convolutions of the front end are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrontNorm {
    /// Each channel of the first convolution over its frames.
    Group,
    /// Each frame of every convolution over its channels.
    Layer,
}

/// The fields of `config.json` that the encoder needs; what a file leaves out has the value that `transformers` gives it.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the keys of a file that others write")]
pub struct SpeechConfig {
    /// Width of the hidden states.
    pub hidden_size: i64,
    /// Number of blocks.
    pub num_hidden_layers: usize,
    /// Attention heads.
    pub num_attention_heads: i64,
    /// Width of the feed-forward layers.
    pub intermediate_size: i64,
    /// Non-linearity of the feed-forward layers.
    pub hidden_act: String,
    /// Channels of the convolutions.
    pub conv_dim: Vec<i64>,
    /// Strides of the convolutions.
    pub conv_stride: Vec<i64>,
    /// Taps of the convolutions.
    pub conv_kernel: Vec<i64>,
    /// Whether the convolutions have biases.
    pub conv_bias: bool,
    /// Normalisation of the convolutions.
    pub feat_extract_norm: FrontNorm,
    /// Non-linearity of the convolutions, and of the positional one.
    pub feat_extract_activation: String,
    /// Whether the projection of the features starts with a layer norm (HuBERT may have none).
    pub feat_proj_layer_norm: bool,
    /// Taps of the positional convolution.
    pub num_conv_pos_embeddings: i64,
    /// Groups of the positional convolution.
    pub num_conv_pos_embedding_groups: i64,
    /// Whether the positional convolution has a batch norm in the place of weight norm (not supported).
    pub conv_pos_batch_norm: bool,
    /// Pre-norm blocks with a final norm, not post-norm ones.
    pub do_stable_layer_norm: bool,
    /// Epsilon of every layer norm.
    pub layer_norm_eps: f64,
    /// Dropout at the outputs of the sub-layers and of the positions.
    pub hidden_dropout: f64,
    /// Dropout after the non-linearity.
    pub activation_dropout: f64,
    /// Dropout of the attention weights.
    pub attention_dropout: f64,
    /// Dropout after the projection of the features.
    pub feat_proj_dropout: f64,
    /// Share of time masked in pretraining; with both shares zero there is no mask vector.
    pub mask_time_prob: f64,
    /// Share of channels masked in pretraining.
    pub mask_feature_prob: f64,
    /// Whether convolutions follow the encoder (not supported).
    pub add_adapter: bool,
    /// Width of the attention adapters of MMS (not supported).
    pub adapter_attn_dim: Option<i64>,
}

impl Default for SpeechConfig {
    /// wav2vec2-base.
    fn default() -> Self {
        Self {
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: "gelu".to_owned(),
            conv_dim: vec![512; 7],
            conv_stride: vec![5, 2, 2, 2, 2, 2, 2],
            conv_kernel: vec![10, 3, 3, 3, 3, 2, 2],
            conv_bias: false,
            feat_extract_norm: FrontNorm::Group,
            feat_extract_activation: "gelu".to_owned(),
            feat_proj_layer_norm: true,
            num_conv_pos_embeddings: 128,
            num_conv_pos_embedding_groups: 16,
            conv_pos_batch_norm: false,
            do_stable_layer_norm: false,
            layer_norm_eps: 1e-5,
            hidden_dropout: 0.1,
            activation_dropout: 0.1,
            attention_dropout: 0.1,
            feat_proj_dropout: 0.0,
            mask_time_prob: 0.05,
            mask_feature_prob: 0.0,
            add_adapter: false,
            adapter_attn_dim: None,
        }
    }
}

impl SpeechConfig {
    /// Refuses what makes no sense and what is not supported.
    pub(super) fn check(&self) -> Result<(), NnError> {
        let refuse =
            |key, value: String, reason: &str| Err(NnError::Config { key, value, reason: reason.to_owned() });
        let positive = [
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers as i64),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("num_conv_pos_embeddings", self.num_conv_pos_embeddings),
            ("num_conv_pos_embedding_groups", self.num_conv_pos_embedding_groups),
        ];
        let convolutions = [
            ("conv_dim", &self.conv_dim),
            ("conv_stride", &self.conv_stride),
            ("conv_kernel", &self.conv_kernel),
        ];
        let each = convolutions.iter().flat_map(|(key, values)| values.iter().map(|&value| (*key, value)));
        if let Some((key, value)) =
            positive.into_iter().chain(each).find(|(_, value)| !(1..=1 << 20).contains(value))
        {
            return refuse(key, value.to_string(), "must be between 1 and a million");
        }
        let layers = self.conv_dim.len();
        if layers == 0 {
            return refuse("conv_dim", "[]".to_owned(), "there must be at least one convolution");
        }
        if let Some((key, values)) = convolutions.iter().find(|(_, values)| values.len() != layers) {
            return refuse(key, format!("{values:?}"), "must be as long as conv_dim");
        }
        let rates = [
            ("hidden_dropout", self.hidden_dropout),
            ("activation_dropout", self.activation_dropout),
            ("attention_dropout", self.attention_dropout),
            ("feat_proj_dropout", self.feat_proj_dropout),
        ];
        if let Some((key, rate)) = rates.into_iter().find(|(_, rate)| !(0.0..1.0).contains(rate)) {
            return refuse(key, rate.to_string(), "must be at least 0 and less than 1");
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return refuse("layer_norm_eps", self.layer_norm_eps.to_string(), "must be between 0 and 1");
        }
        if self.conv_pos_batch_norm {
            return refuse("conv_pos_batch_norm", "true".to_owned(), "is not supported");
        }
        if self.add_adapter {
            return refuse(
                "add_adapter",
                "true".to_owned(),
                "convolutions behind the encoder are not supported",
            );
        }
        if let Some(width) = self.adapter_attn_dim {
            return refuse("adapter_attn_dim", width.to_string(), "attention adapters are not supported");
        }
        Ok(())
    }

    /// The convolutions of the front end, input first.
    pub(super) fn convolutions(&self) -> Vec<ConvShape> {
        let mut in_channels = 1;
        let windows = self.conv_kernel.iter().zip(&self.conv_stride);
        let shapes = self.conv_dim.iter().zip(windows).map(|(&out_channels, (&kernel, &stride))| {
            ConvShape::valid(
                (std::mem::replace(&mut in_channels, out_channels), out_channels),
                kernel,
                stride,
            )
        });
        shapes.collect()
    }

    /// Samples that the first frame sees.
    pub(super) fn receptive_field(&self) -> Result<usize, NnError> {
        let wider = |frames: i64, conv: &ConvShape| {
            (frames - 1)
                .checked_mul(conv.stride)?
                .checked_add(conv.kernel)
                .filter(|&samples| samples < 1 << 40)
        };
        let needed = self.convolutions().iter().rev().try_fold(1_i64, wider);
        needed.and_then(|samples| usize::try_from(samples).ok()).ok_or_else(|| NnError::Config {
            key: "conv_stride",
            value: format!("{:?}", self.conv_stride),
            reason: "a frame would see more samples than can be counted".to_owned(),
        })
    }

    /// The positional convolution.
    pub(super) fn positional(&self) -> ConvShape {
        ConvShape::same(
            (self.hidden_size, self.hidden_size),
            self.num_conv_pos_embeddings,
            self.num_conv_pos_embedding_groups,
        )
    }

    /// Whether checkpoints hold a vector for masked frames.
    pub(super) fn has_mask_vector(&self) -> bool {
        self.mask_time_prob > 0.0 || self.mask_feature_prob > 0.0
    }

    pub(super) fn norm_order(&self) -> NormOrder {
        if self.do_stable_layer_norm { NormOrder::Pre } else { NormOrder::Post }
    }

    pub(super) fn block(&self) -> Result<BlockConfig, NnError> {
        Ok(BlockConfig {
            attention: AttentionConfig {
                hidden: self.hidden_size,
                heads: self.num_attention_heads,
                key_bias: true,
                dropout: self.attention_dropout,
            },
            inner: self.intermediate_size,
            activation: Activation::named(&self.hidden_act)?,
            norm_order: self.norm_order(),
            norm_eps: self.layer_norm_eps,
            dropout: DropoutRates { hidden: self.hidden_dropout, activation: self.activation_dropout },
        })
    }

    pub(super) fn anatomy(&self) -> Anatomy {
        let stack = StackAnatomy::of_encoder_blocks(
            self.num_hidden_layers,
            self.hidden_size,
            self.num_attention_heads,
            self.intermediate_size,
            self.norm_order(),
        );
        Anatomy { front_end: self.convolutions(), stacks: vec![stack] }
    }
}

/// The fields of `preprocessor_config.json`; without the file they have the values that `transformers` gives them.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct PreprocessorConfig {
    /// Whether each clip is brought to mean 0 and variance 1.
    pub do_normalize: bool,
    /// Whether the model was trained with a mask of the padding.
    pub return_attention_mask: bool,
    /// The sample rate in Hz.
    pub sampling_rate: u32,
}

impl Default for PreprocessorConfig {
    fn default() -> Self {
        Self { do_normalize: true, return_attention_mask: false, sampling_rate: 16_000 }
    }
}

impl PreprocessorConfig {
    /// Refuses a rate that no recording has.
    pub(super) fn check(&self) -> Result<(), NnError> {
        if (1_000..=384_000).contains(&self.sampling_rate) {
            return Ok(());
        }
        let reason = "must be between 1000 and 384000".to_owned();
        Err(NnError::Config { key: "sampling_rate", value: self.sampling_rate.to_string(), reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_sees_as_many_samples_as_the_windows_say() {
        assert_eq!(SpeechConfig::default().receptive_field().unwrap(), 400);
        let wide = |value| SpeechConfig {
            conv_dim: vec![1; 4],
            conv_kernel: vec![value; 4],
            conv_stride: vec![value; 4],
            ..SpeechConfig::default()
        };
        assert!(wide(1 << 20).receptive_field().unwrap_err().to_string().contains("conv_stride"));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let refused = |config: SpeechConfig| config.check().unwrap_err().to_string();
        let short = SpeechConfig { conv_stride: vec![5, 2], ..SpeechConfig::default() };
        assert!(refused(short).contains("conv_stride"));
        let zero = SpeechConfig { conv_kernel: vec![0; 7], ..SpeechConfig::default() };
        assert!(refused(zero).contains("conv_kernel"));
        assert!(
            refused(SpeechConfig { add_adapter: true, ..SpeechConfig::default() }).contains("add_adapter")
        );
        let rate = SpeechConfig { hidden_dropout: 1.5, ..SpeechConfig::default() };
        assert!(refused(rate).contains("hidden_dropout"));
        let eps = SpeechConfig { layer_norm_eps: -1.0, ..SpeechConfig::default() };
        assert!(refused(eps).contains("layer_norm_eps"));
        assert!(SpeechConfig::default().check().is_ok());
        assert!(PreprocessorConfig { sampling_rate: 0, ..PreprocessorConfig::default() }.check().is_err());
    }

    #[test]
    fn a_file_that_leaves_fields_out_means_wav2vec2_base() {
        let config: SpeechConfig = serde_json::from_str(r#"{"model_type": "wav2vec2"}"#).unwrap();
        assert_eq!(config.convolutions().len(), 7);
        assert_eq!(config.hidden_size, 768);
    }
}
