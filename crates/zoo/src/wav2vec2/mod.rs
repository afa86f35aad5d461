//! wav2vec 2.0 (Baevski et al. 2020, arXiv 2006.11477), and XLSR, LV-60 and the other checkpoints of its graph.

use std::path::Path;

use sure_nn::{Backbone, Checkpoint};

use crate::{
    Family, LoadOptions, Published, ZooError,
    speech::{self, Variant},
};

pub(crate) const FAMILY: Family = Family {
    model_type: "wav2vec2",
    summary: "wav2vec 2.0: waveform input, seven convolutions, post- or pre-norm blocks (Baevski et al. 2020)",
    published: Published {
        encoder: "Wav2Vec2Model",
        bare: "",
        classifier: Some("Wav2Vec2ForSequenceClassification"),
        ctc: Some("Wav2Vec2ForCTC"),
        whole: "wav2vec2.",
    },
    build,
};

/// Opens the encoder in `folder`; a quantiser and heads beside it are left alone.
fn build(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
) -> Result<Box<dyn Backbone>, ZooError> {
    speech::build(folder, checkpoint, options, FAMILY.published.whole, Variant::Wav2Vec2)
}
