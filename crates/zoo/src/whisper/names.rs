//! From our parameter names to the checkpoint's.

use sure_nn::Checkpoint;

/// What stands in front of the encoder's names: the whole model, the bare model, or the encoder alone.
const PREFIXES: [&str; 3] = ["model.encoder.", "encoder.", ""];

/// What stands beside the encoder: decoder, its way to words, and the head for labels with the weights of layers.
const BESIDE: [&str; 6] =
    ["model.decoder.", "decoder.", "proj_out.", "projector.", "classifier.", "layer_weights"];

const RENAMES: [(&str, &str); 10] = [
    ("front_end.", ""),
    ("blocks.", "layers."),
    (".attention.query.", ".self_attn.q_proj."),
    (".attention.key.", ".self_attn.k_proj."),
    (".attention.value.", ".self_attn.v_proj."),
    (".attention.out.", ".self_attn.out_proj."),
    (".attention_norm.", ".self_attn_layer_norm."),
    (".feed_forward.up.", ".fc1."),
    (".feed_forward.down.", ".fc2."),
    (".feed_forward_norm.", ".final_layer_norm."),
];

/// The prefix that this checkpoint uses.
pub(super) fn prefix(checkpoint: &Checkpoint) -> &'static str {
    let found = PREFIXES.into_iter().find(|prefix| checkpoint.contains(&format!("{prefix}conv1.weight")));
    found.unwrap_or(PREFIXES[0])
}

/// Whether `name`, as the checkpoint has it, is part of a decoder or a head.
pub(super) fn is_beside(name: &str) -> bool {
    BESIDE.iter().any(|beside| name.starts_with(beside))
}

/// Our name in the checkpoint's spelling, without its prefix.
pub(super) fn theirs(ours: &str) -> String {
    match ours {
        "positions" => return "embed_positions.weight".to_owned(),
        "norm.weight" => return "layer_norm.weight".to_owned(),
        "norm.bias" => return "layer_norm.bias".to_owned(),
        _ => {}
    }
    RENAMES.iter().fold(ours.to_owned(), |name, (from, to)| name.replacen(from, to, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_is_left_alone_and_a_stranger_is_not() {
        for name in ["model.decoder.layers.0.fc1.weight", "proj_out.weight", "layer_weights"] {
            assert!(is_beside(name), "{name}");
        }
        for name in ["model.encoder.layers.9.fc1.weight", "model.vad.weight", "conv3.weight"] {
            assert!(!is_beside(name), "{name}");
        }
    }

    #[test]
    fn our_names_become_the_checkpoints() {
        for (ours, expected) in [
            ("front_end.conv1.weight", "conv1.weight"),
            ("blocks.3.attention.key.weight", "layers.3.self_attn.k_proj.weight"),
            ("blocks.0.attention_norm.bias", "layers.0.self_attn_layer_norm.bias"),
            ("blocks.0.feed_forward.down.bias", "layers.0.fc2.bias"),
            ("blocks.0.feed_forward_norm.weight", "layers.0.final_layer_norm.weight"),
            ("norm.weight", "layer_norm.weight"),
        ] {
            assert_eq!(theirs(ours), expected);
        }
    }
}
