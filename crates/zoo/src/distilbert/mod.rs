//! DistilBERT (Sanh et al. 2019, arXiv 1910.01108): BERT with half the blocks and without token types.

use std::path::Path;

use serde::Deserialize;
use sure_nn::{Backbone, Checkpoint};

use crate::{Family, LoadOptions, Published, TextConfig, ZooError, text};

pub(crate) const FAMILY: Family = Family {
    model_type: "distilbert",
    summary: "DistilBERT: BERT distilled to half its blocks (Sanh et al. 2019)",
    published: Published {
        encoder: "DistilBertModel",
        bare: "",
        // Its head takes the first token alone; ours takes the mean of all.
        classifier: None,
        ctc: None,
        whole: "distilbert.",
    },
    build,
};

/// From our parameter names to the checkpoint's.
const RENAMES: text::Renames = &[
    ("embeddings.words.", "embeddings.word_embeddings."),
    ("embeddings.positions.", "embeddings.position_embeddings."),
    ("embeddings.norm.", "embeddings.LayerNorm."),
    ("blocks.", "transformer.layer."),
    (".attention.query.", ".attention.q_lin."),
    (".attention.key.", ".attention.k_lin."),
    (".attention.value.", ".attention.v_lin."),
    (".attention.out.", ".attention.out_lin."),
    (".attention_norm.", ".sa_layer_norm."),
    (".feed_forward.up.", ".ffn.lin1."),
    (".feed_forward.down.", ".ffn.lin2."),
    (".feed_forward_norm.", ".output_layer_norm."),
];

/// The fields of `config.json`; those that are left out have the values that `transformers` gives them.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct DistilBertConfig {
    vocab_size: i64,
    dim: i64,
    n_layers: usize,
    n_heads: i64,
    hidden_dim: i64,
    activation: String,
    dropout: f64,
    attention_dropout: f64,
    max_position_embeddings: i64,
}

impl Default for DistilBertConfig {
    fn default() -> Self {
        Self {
            vocab_size: 30_522,
            dim: 768,
            n_layers: 6,
            n_heads: 12,
            hidden_dim: 3072,
            activation: "gelu".to_owned(),
            dropout: 0.1,
            attention_dropout: 0.1,
            max_position_embeddings: 512,
        }
    }
}

impl From<DistilBertConfig> for TextConfig {
    fn from(theirs: DistilBertConfig) -> Self {
        Self {
            vocabulary: theirs.vocab_size,
            hidden: theirs.dim,
            blocks: theirs.n_layers,
            heads: theirs.n_heads,
            inner: theirs.hidden_dim,
            activation: theirs.activation,
            dropout: theirs.dropout,
            attention_dropout: theirs.attention_dropout,
            positions: theirs.max_position_embeddings,
            types: 0,
            // `DistilBertModel` has it written down.
            norm_eps: 1e-12,
            position_kind: "absolute".to_owned(),
            is_decoder: false,
        }
    }
}

/// Opens the encoder in `folder`; heads beside it are left alone.
fn build(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
) -> Result<Box<dyn Backbone>, ZooError> {
    text::build::<DistilBertConfig>(folder, checkpoint, options, (FAMILY.published.whole, RENAMES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_names_become_the_checkpoints() {
        for (ours, expected) in [
            ("blocks.5.attention.query.weight", "transformer.layer.5.attention.q_lin.weight"),
            ("blocks.0.attention.out.bias", "transformer.layer.0.attention.out_lin.bias"),
            ("blocks.0.attention_norm.weight", "transformer.layer.0.sa_layer_norm.weight"),
            ("blocks.0.feed_forward.down.bias", "transformer.layer.0.ffn.lin2.bias"),
            ("blocks.0.feed_forward_norm.bias", "transformer.layer.0.output_layer_norm.bias"),
        ] {
            assert_eq!(text::theirs(RENAMES, ours), expected);
        }
    }
}
