//! HuBERT (Hsu et al. 2021, arXiv 2106.07447): wav2vec 2.0's graph, pretrained to predict hidden units.

use std::path::Path;

use sure_nn::{Backbone, Checkpoint};

use crate::{LoadOptions, ZooError, speech};

/// Opens the encoder in `folder`; heads beside it are left alone.
pub(crate) fn build(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
) -> Result<Box<dyn Backbone>, ZooError> {
    speech::build(folder, checkpoint, options, "hubert.")
}
