//! The heads that checkpoints carry beside the encoder, by their names in `transformers`.

/// Quantiser and projections of pretraining, the CTC head, the heads for labels (with the weights of layers), frames and
/// speakers.
const HEADS: [&str; 12] = [
    "quantizer.",
    "project_q.",
    "project_hid.",
    "final_proj.",
    "lm_head.",
    "projector.",
    "classifier.",
    "layer_weights",
    "objective.",
    "tdnn.",
    // The speaker vector's; the encoder's own is `feature_extractor.conv_layers.`.
    "feature_extractor.weight",
    "feature_extractor.bias",
];

/// Whether `name`, as the checkpoint has it, is part of a head, or the vector for hidden frames of a configuration that
/// hides none. The encoder's own names start with `prefix`.
pub(super) fn is_beside(name: &str, prefix: &str) -> bool {
    HEADS.iter().any(|head| name.starts_with(head))
        || name.strip_prefix(prefix).is_some_and(|name| name == "masked_spec_embed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_left_alone_and_a_stranger_is_not() {
        for name in ["lm_head.weight", "quantizer.codevectors", "layer_weights", "wavlm.masked_spec_embed"] {
            assert!(is_beside(name, "wavlm."), "{name}");
        }
        for name in
            ["wavlm.encoder.extra", "wavlm.lm_head.weight", "hubert.encoder.layer_norm.bias", "vad.weight"]
        {
            assert!(!is_beside(name, "wavlm."), "{name}");
        }
    }
}
