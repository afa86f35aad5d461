//! WavLM (Chen et al. 2022, arXiv 2110.13900): wav2vec 2.0's graph with a gated bias of relative positions.

use std::path::Path;

use sure_nn::{Backbone, Checkpoint};

use crate::{
    Family, LoadOptions, Published, ZooError,
    files::read_json,
    speech::{self, Variant},
};

pub(crate) const FAMILY: Family = Family {
    model_type: "wavlm",
    summary: "WavLM: wav2vec 2.0's graph with gated relative positions, pretrained on mixed speech (Chen et al. 2022)",
    published: Published {
        encoder: "WavLMModel",
        bare: "",
        classifier: Some("WavLMForSequenceClassification"),
        ctc: Some("WavLMForCTC"),
        whole: "wavlm.",
    },
    build,
};

/// Opens the encoder in `folder`; heads beside it are left alone.
fn build(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
) -> Result<Box<dyn Backbone>, ZooError> {
    let buckets = read_json(&folder.join("config.json"))?;
    speech::build(folder, checkpoint, options, FAMILY.published.whole, Variant::WavLm(buckets))
}
