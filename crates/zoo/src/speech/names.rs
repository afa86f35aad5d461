//! From our parameter names to the checkpoint's.

use sure_nn::Checkpoint;

const RENAMES: [(&str, &str); 18] = [
    ("positional.weight_g", "positional.parametrizations.weight.original0"),
    ("positional.weight_v", "positional.parametrizations.weight.original1"),
    ("front_end.", "feature_extractor.conv_layers."),
    (".norm.", ".layer_norm."),
    ("projection.", "feature_projection."),
    ("positional.layers.", "encoder.pos_conv_embed.layers."),
    ("positional.", "encoder.pos_conv_embed.conv."),
    ("blocks.", "encoder.layers."),
    (".attention.query.", ".attention.q_proj."),
    (".attention.key.", ".attention.k_proj."),
    (".attention.value.", ".attention.v_proj."),
    (".attention.out.", ".attention.out_proj."),
    (".attention.gate.scale", ".attention.gru_rel_pos_const"),
    (".attention.gate.", ".attention.gru_rel_pos_linear."),
    (".attention_norm.", ".layer_norm."),
    (".feed_forward_norm.", ".final_layer_norm."),
    (".feed_forward.up.", ".feed_forward.intermediate_dense."),
    (".feed_forward.down.", ".feed_forward.output_dense."),
];

/// How a checkpoint spells the two halves of weight normalisation.
const OLD_WEIGHT_NORM: [(&str, &str); 2] = [("original0", "weight_g"), ("original1", "weight_v")];

/// A checkpoint's own way of spelling.
#[derive(Debug, Clone)]
pub(super) struct Spelling {
    /// What stands in front of the encoder's names in a whole model: `wav2vec2.`, `wavlm.` and so on, or nothing.
    pub(super) prefix: String,
    old_weight_norm: bool,
}

impl Spelling {
    /// The spelling of this checkpoint, where `whole` is the prefix of a whole model of its family.
    pub(super) fn of(checkpoint: &Checkpoint, whole: &str) -> Self {
        let first = "feature_extractor.conv_layers.0.conv.weight";
        let prefix = if checkpoint.contains(&format!("{whole}{first}")) { whole } else { "" };
        let old = format!("{prefix}encoder.pos_conv_embed.conv.weight_g");
        Self { prefix: prefix.to_owned(), old_weight_norm: checkpoint.contains(&old) }
    }

    /// Our name in this spelling.
    pub(super) fn theirs(&self, ours: &str) -> String {
        let mut name = theirs(ours);
        if self.old_weight_norm {
            for (new, old) in OLD_WEIGHT_NORM {
                name = name.replace(&format!("parametrizations.weight.{new}"), old);
            }
        }
        format!("{}{name}", self.prefix)
    }
}

/// Our name as current `transformers` spells it, without the prefix of a whole model.
pub(super) fn theirs(ours: &str) -> String {
    match ours {
        "mask_vector" => return "masked_spec_embed".to_owned(),
        "norm.weight" => return "encoder.layer_norm.weight".to_owned(),
        "norm.bias" => return "encoder.layer_norm.bias".to_owned(),
        // The first block of the checkpoint holds what all blocks share.
        "relative.weight" => return "encoder.layers.0.attention.rel_attn_embed.weight".to_owned(),
        _ => {}
    }
    RENAMES.iter().fold(ours.to_owned(), |name, (from, to)| name.replacen(from, to, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_names_become_the_checkpoints() {
        for (ours, expected) in [
            ("front_end.3.conv.weight", "feature_extractor.conv_layers.3.conv.weight"),
            ("front_end.0.norm.bias", "feature_extractor.conv_layers.0.layer_norm.bias"),
            ("projection.norm.weight", "feature_projection.layer_norm.weight"),
            ("projection.projection.weight", "feature_projection.projection.weight"),
            ("positional.bias", "encoder.pos_conv_embed.conv.bias"),
            ("positional.layers.4.conv.weight", "encoder.pos_conv_embed.layers.4.conv.weight"),
            ("blocks.2.attention.gate.weight", "encoder.layers.2.attention.gru_rel_pos_linear.weight"),
            ("blocks.2.attention.gate.scale", "encoder.layers.2.attention.gru_rel_pos_const"),
            ("blocks.11.attention.query.weight", "encoder.layers.11.attention.q_proj.weight"),
            ("blocks.0.attention_norm.bias", "encoder.layers.0.layer_norm.bias"),
            ("blocks.0.feed_forward.up.bias", "encoder.layers.0.feed_forward.intermediate_dense.bias"),
            ("blocks.0.feed_forward_norm.weight", "encoder.layers.0.final_layer_norm.weight"),
            ("norm.weight", "encoder.layer_norm.weight"),
        ] {
            assert_eq!(theirs(ours), expected);
        }
    }

    #[test]
    fn both_spellings_of_weight_norm_are_known() {
        let spelling = |old_weight_norm| Spelling { prefix: "hubert.".to_owned(), old_weight_norm };
        let conv = "hubert.encoder.pos_conv_embed.conv";
        assert_eq!(spelling(true).theirs("positional.weight_g"), format!("{conv}.weight_g"));
        assert_eq!(
            spelling(false).theirs("positional.weight_v"),
            format!("{conv}.parametrizations.weight.original1")
        );
    }
}
