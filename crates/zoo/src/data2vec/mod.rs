//! data2vec for speech (Baevski et al. 2022, arXiv 2202.03555): wav2vec 2.0's graph with positions by a row of
//! convolutions.

use std::path::Path;

use sure_nn::{Backbone, Checkpoint};

use crate::{
    Family, LoadOptions, Published, ZooError,
    files::read_json,
    speech::{self, Variant},
};

pub(crate) const FAMILY: Family = Family {
    model_type: "data2vec-audio",
    summary: "data2vec: wav2vec 2.0's graph with a row of positional convolutions (Baevski et al. 2022)",
    published: Published {
        encoder: "Data2VecAudioModel",
        bare: "",
        classifier: Some("Data2VecAudioForSequenceClassification"),
        ctc: Some("Data2VecAudioForCTC"),
        whole: "data2vec_audio.",
    },
    build,
};

/// Opens the encoder in `folder`; heads beside it are left alone.
fn build(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
) -> Result<Box<dyn Backbone>, ZooError> {
    let stack = read_json(&folder.join("config.json"))?;
    speech::build(folder, checkpoint, options, FAMILY.published.whole, Variant::Data2Vec(stack))
}
