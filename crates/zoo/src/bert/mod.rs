//! BERT (Devlin et al. 2019, arXiv 1810.04805): a text encoder in post-norm order, and the sentence encoders made of it.

use std::path::Path;

use serde::Deserialize;
use sure_nn::{Backbone, Checkpoint};

use crate::{Family, LoadOptions, Published, TextConfig, ZooError, text};

pub(crate) const FAMILY: Family = Family {
    model_type: "bert",
    summary: "BERT: reads transcripts, post-norm blocks (Devlin et al. 2019)",
    published: Published {
        encoder: "BertModel",
        bare: "",
        // Its head takes the first token alone; ours takes the mean of all.
        classifier: None,
        ctc: None,
        whole: "bert.",
    },
    build,
};

/// From our parameter names to the checkpoint's.
const RENAMES: text::Renames = &[
    ("embeddings.words.", "embeddings.word_embeddings."),
    ("embeddings.positions.", "embeddings.position_embeddings."),
    ("embeddings.types.", "embeddings.token_type_embeddings."),
    ("embeddings.norm.", "embeddings.LayerNorm."),
    ("blocks.", "encoder.layer."),
    (".attention.query.", ".attention.self.query."),
    (".attention.key.", ".attention.self.key."),
    (".attention.value.", ".attention.self.value."),
    (".attention.out.", ".attention.output.dense."),
    (".attention_norm.", ".attention.output.LayerNorm."),
    (".feed_forward.up.", ".intermediate.dense."),
    (".feed_forward.down.", ".output.dense."),
    (".feed_forward_norm.", ".output.LayerNorm."),
];

/// The fields of `config.json`; those that are left out have the values that `transformers` gives them.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct BertConfig {
    vocab_size: i64,
    hidden_size: i64,
    num_hidden_layers: usize,
    num_attention_heads: i64,
    intermediate_size: i64,
    hidden_act: String,
    hidden_dropout_prob: f64,
    attention_probs_dropout_prob: f64,
    max_position_embeddings: i64,
    type_vocab_size: i64,
    layer_norm_eps: f64,
    position_embedding_type: String,
    is_decoder: bool,
}

impl Default for BertConfig {
    fn default() -> Self {
        Self {
            vocab_size: 30_522,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: "gelu".to_owned(),
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
            position_embedding_type: "absolute".to_owned(),
            is_decoder: false,
        }
    }
}

impl From<BertConfig> for TextConfig {
    fn from(theirs: BertConfig) -> Self {
        Self {
            vocabulary: theirs.vocab_size,
            hidden: theirs.hidden_size,
            blocks: theirs.num_hidden_layers,
            heads: theirs.num_attention_heads,
            inner: theirs.intermediate_size,
            activation: theirs.hidden_act,
            dropout: theirs.hidden_dropout_prob,
            attention_dropout: theirs.attention_probs_dropout_prob,
            positions: theirs.max_position_embeddings,
            types: theirs.type_vocab_size,
            norm_eps: theirs.layer_norm_eps,
            position_kind: theirs.position_embedding_type,
            is_decoder: theirs.is_decoder,
        }
    }
}

/// Opens the encoder in `folder`; the pooler and heads beside it are left alone.
fn build(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
) -> Result<Box<dyn Backbone>, ZooError> {
    text::build::<BertConfig>(folder, checkpoint, options, (FAMILY.published.whole, RENAMES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_names_become_the_checkpoints() {
        for (ours, expected) in [
            ("embeddings.words.weight", "embeddings.word_embeddings.weight"),
            ("embeddings.norm.bias", "embeddings.LayerNorm.bias"),
            ("blocks.11.attention.query.weight", "encoder.layer.11.attention.self.query.weight"),
            ("blocks.0.attention.out.bias", "encoder.layer.0.attention.output.dense.bias"),
            ("blocks.0.attention_norm.weight", "encoder.layer.0.attention.output.LayerNorm.weight"),
            ("blocks.0.feed_forward.up.weight", "encoder.layer.0.intermediate.dense.weight"),
            ("blocks.0.feed_forward.down.bias", "encoder.layer.0.output.dense.bias"),
            ("blocks.0.feed_forward_norm.bias", "encoder.layer.0.output.LayerNorm.bias"),
        ] {
            assert_eq!(text::theirs(RENAMES, ours), expected);
        }
    }
}
