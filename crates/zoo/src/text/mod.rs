//! The graph that text encoders share: BERT (Devlin et al. 2019, arXiv 1810.04805) and what was made of it, after
//! `transformers`' `BertModel` and `DistilBertModel`.
//!
//! Input are token ids, `[batch, 1, tokens]`, from a text by the tokenizer beside the checkpoint. Embeddings of words,
//! positions and (BERT) segments are added and normalised; blocks in post-norm order follow. There is no front end of
//! convolutions and no pooler: heads take the mean of the real tokens, as they take that of frames, so that methods and
//! heads are the same for speech and text.

mod config;
mod tokenizer;

use std::{path::Path, sync::Arc};

use serde::de::DeserializeOwned;
use sure_nn::{
    Anatomy, Backbone, BlockId, Checkpoint, Cx, Embedding, EncoderBlock, Hooks, Input, LayerNorm, Loader,
    Loading, NnError, Prepare, Site, State, Store,
    tch::{Kind, Tensor},
};

pub use self::config::TextConfig;
use self::tokenizer::{Reader, Unread};
use crate::{LoadOptions, Weights, ZooError, files::read_json};

/// Pairs of our spelling and a family's, applied one after the other.
pub(crate) type Renames = &'static [(&'static str, &'static str)];

/// What `transformers` calls the heads that may stand beside an encoder.
const HEADS: [&str; 7] = [
    "cls.",
    "classifier.",
    "pre_classifier.",
    "qa_outputs.",
    "vocab_transform.",
    "vocab_layer_norm.",
    "vocab_projector.",
];

/// A text encoder.
#[derive(Debug)]
pub struct TextEncoder {
    network: Network,
    store: Store,
    anatomy: Anatomy,
    preparer: Arc<dyn Prepare>,
    graph: String,
    renames: Renames,
}

#[derive(Debug)]
struct Network {
    words: Embedding,
    positions: Embedding,
    types: Option<Embedding>,
    norm: LayerNorm,
    blocks: Vec<EncoderBlock>,
    dropout: f64,
    /// The token that stands for a hidden one.
    mask: Option<u32>,
}

/// Opens the encoder in `folder`, with what its family says of a checkpoint: the prefix of a whole model, and its names.
pub(crate) fn build<C: DeserializeOwned + Into<TextConfig>>(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
    (whole, renames): (&'static str, Renames),
) -> Result<Box<dyn Backbone>, ZooError> {
    let config: TextConfig = read_json::<C>(&folder.join("config.json"))?.into();
    let failed = |source| ZooError::Build { folder: folder.to_owned(), source };
    config.check().map_err(failed)?;
    let mut graph = format!("text 1 {config:?}");
    let mut mask = None;
    // Counting parameters needs the configuration alone.
    let preparer: Arc<dyn Prepare> = if options.weights == Weights::Blank {
        Arc::new(Unread)
    } else {
        let (reader, told) = Reader::open(folder, config.positions, config.vocabulary)?;
        graph = format!("{graph} tokenizer {}", sure_nn::hash_of([told.as_slice()]));
        mask = reader.mask();
        Arc::new(reader)
    };
    let spelling = checkpoint.as_ref().map(|checkpoint| Spelling::of(checkpoint, whole));
    let prefix = spelling.map_or("", |spelling| spelling.prefix);
    let rename = move |ours: &str| match spelling {
        Some(spelling) => spelling.theirs(renames, ours),
        None => theirs(renames, ours),
    };
    let loading = Loading::frozen(options.weights.source(checkpoint, rename), options.device);
    let network = Network::new(&loading.root(), &config, mask).map_err(failed)?;
    // Heads and the pooler may stand beside what is used, and old checkpoints hold the numbers of the positions.
    let left_alone = move |name: &str| match name.strip_prefix(prefix) {
        Some(name) if name.starts_with("pooler.") || name == "embeddings.position_ids" => true,
        _ => !prefix.is_empty() && HEADS.iter().any(|head| name.starts_with(head)),
    };
    let store = loading.finish(left_alone).map_err(failed)?;
    Ok(Box::new(TextEncoder { network, store, anatomy: config.anatomy(), preparer, graph, renames }))
}

/// A checkpoint's own way of spelling.
#[derive(Debug, Clone, Copy)]
struct Spelling {
    /// What stands in front of the encoder's names in a whole model, or nothing.
    prefix: &'static str,
    /// Whether layer norms have `gamma` and `beta`, as those converted from `TensorFlow` do.
    gamma: bool,
}

impl Spelling {
    fn of(checkpoint: &Checkpoint, whole: &'static str) -> Self {
        let is_whole = checkpoint.contains(&format!("{whole}embeddings.word_embeddings.weight"));
        let prefix = if is_whole { whole } else { "" };
        Self { prefix, gamma: checkpoint.contains(&format!("{prefix}embeddings.LayerNorm.gamma")) }
    }

    fn theirs(self, renames: Renames, ours: &str) -> String {
        let mut name = theirs(renames, ours);
        if self.gamma {
            for (new, old) in [("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")]
            {
                name = name.replace(new, old);
            }
        }
        format!("{}{name}", self.prefix)
    }
}

/// Our name as current `transformers` spells it, without the prefix of a whole model.
pub(crate) fn theirs(renames: Renames, ours: &str) -> String {
    renames.iter().fold(ours.to_owned(), |name, (from, to)| name.replacen(from, to, 1))
}

impl Network {
    fn new(loader: &Loader, config: &TextConfig, mask: Option<u32>) -> Result<Self, NnError> {
        let embeddings = loader.at("embeddings");
        let table = |name: &str, rows| Embedding::new(&embeddings.at(name), rows, config.hidden);
        let blocks = loader.at("blocks");
        let block = config.block()?;
        Ok(Self {
            words: table("words", config.vocabulary)?,
            positions: table("positions", config.positions)?,
            types: (config.types > 0).then(|| table("types", config.types)).transpose()?,
            norm: LayerNorm::new(&embeddings.at("norm"), config.hidden, config.norm_eps)?,
            blocks: (0..config.blocks)
                .map(|index| EncoderBlock::new(&blocks.at(index), BlockId::encoder(index), block))
                .collect::<Result<_, _>>()?,
            dropout: config.dropout,
            mask,
        })
    }

    /// Token ids `[batch, tokens]` to `[batch, tokens, hidden]`.
    fn embed(&self, ids: &Tensor, cx: &Cx) -> Tensor {
        let positions = Tensor::arange(ids.size()[1], (Kind::Int64, ids.device()));
        let mut sum = self.words.forward(ids) + self.positions.forward(&positions);
        if let Some(types) = &self.types {
            // All of a text is of the first kind.
            sum += types.forward(&positions.zeros_like());
        }
        cx.backbone_dropout_of(self.norm.forward(&sum), self.dropout, "embeddings")
    }
}

impl Backbone for TextEncoder {
    fn anatomy(&self) -> &Anatomy {
        &self.anatomy
    }

    fn store(&self) -> &Store {
        &self.store
    }

    fn rate_hz(&self) -> u32 {
        0
    }

    fn graph(&self) -> String {
        self.graph.clone()
    }

    fn preparer(&self) -> Arc<dyn Prepare> {
        self.preparer.clone()
    }

    /// The token ids as they are: embeddings are trained with the blocks, so that nothing is behind the front end.
    fn front_end(&self, input: &Input, _hooks: &Hooks) -> State {
        input.to_state()
    }

    fn enter(&self, state: State, cx: &Cx) -> State {
        let mut ids = state.hidden.squeeze_dim(-1).to_kind(Kind::Int64);
        if let (Some(masked), Some(mask)) = (&cx.time_mask, self.network.mask) {
            ids = ids.masked_fill(masked, i64::from(mask));
        }
        // Behind a text's end stand zeros, which are a token as any other: attention does not see it.
        State { hidden: self.network.embed(&ids, cx), mask: state.mask }
    }

    fn block(&self, index: usize, hidden: &Tensor, hooks: &Hooks) -> Tensor {
        self.network.blocks[index].forward(hidden, hooks)
    }

    fn leave(&self, hidden: Tensor) -> Tensor {
        hidden
    }

    fn weight(&self, site: Site) -> Option<&Tensor> {
        let block = self.network.blocks.get(site.block)?;
        block.projection(site.part).map(sure_nn::Projection::weight)
    }

    fn published_name(&self, ours: &str) -> String {
        theirs(self.renames, ours)
    }

    fn front_end_prefix(&self) -> &'static str {
        "front_end."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Renames = &[("embeddings.norm.", "embeddings.LayerNorm."), ("blocks.", "encoder.layer.")];

    #[test]
    fn old_layer_norms_are_spelt_the_old_way() {
        let spelling = |gamma| Spelling { prefix: "bert.", gamma };
        assert_eq!(spelling(true).theirs(NAMES, "embeddings.norm.weight"), "bert.embeddings.LayerNorm.gamma");
        assert_eq!(spelling(true).theirs(NAMES, "embeddings.norm.bias"), "bert.embeddings.LayerNorm.beta");
        assert_eq!(spelling(false).theirs(NAMES, "embeddings.norm.bias"), "bert.embeddings.LayerNorm.bias");
    }
}
