//! HuBERT (Hsu et al. 2021, arXiv 2106.07447): wav2vec 2.0's graph, pretrained to predict hidden units.

use std::path::Path;

use sure_nn::{Backbone, Checkpoint};

use crate::{LoadOptions, Published, ZooError, speech};

pub(crate) const PUBLISHED: Published = Published {
    encoder: "HubertModel",
    bare: "",
    classifier: "HubertForSequenceClassification",
    whole: "hubert.",
};

/// Opens the encoder in `folder`; heads beside it are left alone.
pub(crate) fn build(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
) -> Result<Box<dyn Backbone>, ZooError> {
    speech::build(folder, checkpoint, options, PUBLISHED.whole)
}
