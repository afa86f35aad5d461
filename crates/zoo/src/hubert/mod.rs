//! HuBERT (Hsu et al. 2021, arXiv 2106.07447): wav2vec 2.0's graph, pretrained to predict hidden units.

use std::path::Path;

use sure_nn::{Backbone, Checkpoint};

use crate::{
    Family, LoadOptions, Published, ZooError,
    speech::{self, Variant},
};

pub(crate) const FAMILY: Family = Family {
    model_type: "hubert",
    summary: "HuBERT: the graph of wav2vec 2.0, pretrained on hidden units (Hsu et al. 2021)",
    published: Published {
        encoder: "HubertModel",
        bare: "",
        classifier: Some("HubertForSequenceClassification"),
        ctc: Some("HubertForCTC"),
        whole: "hubert.",
    },
    build,
};

/// Opens the encoder in `folder`; heads beside it are left alone.
fn build(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
) -> Result<Box<dyn Backbone>, ZooError> {
    speech::build(folder, checkpoint, options, FAMILY.published.whole, Variant::Wav2Vec2)
}
