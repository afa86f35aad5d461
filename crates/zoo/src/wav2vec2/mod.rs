//! wav2vec 2.0 (Baevski et al. 2020, arXiv 2006.11477), and XLSR, LV-60 and the other checkpoints of its graph.

use std::path::Path;

use sure_nn::{Backbone, Checkpoint};

use crate::{LoadOptions, Published, ZooError, speech};

pub(crate) const PUBLISHED: Published = Published {
    encoder: "Wav2Vec2Model",
    bare: "",
    classifier: "Wav2Vec2ForSequenceClassification",
    whole: "wav2vec2.",
};

/// Opens the encoder in `folder`; a quantiser and heads beside it are left alone.
pub(crate) fn build(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
) -> Result<Box<dyn Backbone>, ZooError> {
    speech::build(folder, checkpoint, options, PUBLISHED.whole)
}
