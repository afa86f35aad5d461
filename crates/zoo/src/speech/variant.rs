//! What families of this graph have in other places than wav2vec 2.0.

use serde::Deserialize;
use sure_nn::NnError;

use super::{
    config::{FrontNorm, SpeechConfig},
    relative::Buckets,
};

/// The graph of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// That of wav2vec 2.0 and HuBERT.
    Wav2Vec2,
    /// Attention with a gated bias of relative positions.
    WavLm(Buckets),
    /// Positions by a row of convolutions, layer norms in the front end, post-norm blocks.
    Data2Vec(PositionStack),
}

/// The convolutions that give positions in data2vec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PositionStack {
    /// How many.
    pub num_conv_pos_embeddings: i64,
    /// Their taps.
    pub conv_pos_kernel_size: i64,
}

impl Default for PositionStack {
    fn default() -> Self {
        Self { num_conv_pos_embeddings: 5, conv_pos_kernel_size: 19 }
    }
}

impl Variant {
    /// The configuration as this graph reads it: what its `config.json` does not say is set.
    pub(super) fn applied(self, config: SpeechConfig) -> SpeechConfig {
        match self {
            Self::Wav2Vec2 | Self::WavLm(_) => config,
            Self::Data2Vec(stack) => SpeechConfig {
                num_conv_pos_embeddings: stack.conv_pos_kernel_size,
                feat_extract_norm: FrontNorm::Layer,
                feat_proj_layer_norm: true,
                do_stable_layer_norm: false,
                ..config
            },
        }
    }

    /// Refuses what makes no sense.
    pub(super) fn check(self) -> Result<(), NnError> {
        match self {
            Self::Wav2Vec2 => Ok(()),
            Self::WavLm(buckets) => buckets.check(),
            Self::Data2Vec(PositionStack { num_conv_pos_embeddings: layers, conv_pos_kernel_size: taps }) => {
                let limits =
                    [("num_conv_pos_embeddings", layers, 1 << 10), ("conv_pos_kernel_size", taps, 1 << 20)];
                match limits.into_iter().find(|&(_, value, most)| !(1..=most).contains(&value)) {
                    None => Ok(()),
                    Some((key, value, most)) => Err(NnError::Config {
                        key,
                        value: value.to_string(),
                        reason: format!("must be between 1 and {most}"),
                    }),
                }
            }
        }
    }

    /// What tells this graph from wav2vec 2.0's, in words.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Wav2Vec2 => String::new(),
            Self::WavLm(_) | Self::Data2Vec(_) => format!(" {self:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data2vec_has_layer_norms_and_post_norm_whatever_the_file_says() {
        let config = SpeechConfig { do_stable_layer_norm: true, ..SpeechConfig::default() };
        let config = Variant::Data2Vec(PositionStack::default()).applied(config);
        assert_eq!((config.feat_extract_norm, config.num_conv_pos_embeddings), (FrontNorm::Layer, 19));
        assert!(!config.do_stable_layer_norm);
    }

    #[test]
    fn a_stack_without_convolutions_is_refused() {
        let stack = PositionStack { num_conv_pos_embeddings: 0, ..PositionStack::default() };
        assert!(
            Variant::Data2Vec(stack).check().unwrap_err().to_string().contains("num_conv_pos_embeddings")
        );
        let stack = PositionStack { conv_pos_kernel_size: 0, ..PositionStack::default() };
        assert!(Variant::Data2Vec(stack).check().unwrap_err().to_string().contains("conv_pos_kernel_size"));
    }
}
