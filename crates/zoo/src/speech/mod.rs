//! The graph that wav2vec 2.0 (Baevski et al. 2020, arXiv 2006.11477) and HuBERT (Hsu et al. 2021, arXiv 2106.07447) share,
//! after `transformers`' `Wav2Vec2Model` and `HubertModel`.
//!
//! Input are samples at 16 kHz, `[batch, 1, samples]`; seven convolutions bring them to 50 Hz; a layer norm and a linear
//! map to the hidden width follow, a positional convolution with weight norm, and blocks in post-norm order ("base", whose
//! first convolution has a group norm) or pre-norm order with a final norm ("large", layer norms after every convolution).
//!
//! Where ours differs: group norm is over real frames, and padding is always masked, so that batch and padding never
//! change an answer. [`Compat::Transformers`] gives what `transformers` gives: a group norm that sees padding, and no mask
//! at all where the checkpoint's preprocessor asks for none. `LayerDrop` is always off.

mod config;
mod front_end;
mod names;
mod positional;
mod prepare;

use std::{path::Path, sync::Arc};

use sure_nn::{
    Activation, Anatomy, Backbone, BlockId, Checkpoint, Cx, Dense, EncoderBlock, Hooks, Init, Input,
    LayerNorm, Loader, Loading, NnError, Prepare, Role, Site, State, Store, tch::Tensor,
};

pub use self::config::{FrontNorm, PreprocessorConfig, SpeechConfig};
use self::{
    front_end::{FrontEnd, Padding},
    names::Spelling,
    positional::Positional,
    prepare::Preparer,
};
use crate::{Compat, LoadOptions, ZooError, files::read_json};

/// A wav2vec 2.0 or HuBERT encoder.
#[derive(Debug)]
pub struct SpeechEncoder {
    network: Network,
    store: Store,
    anatomy: Anatomy,
    preparer: Arc<Preparer>,
    graph: String,
    rate_hz: u32,
}

#[derive(Debug)]
struct Network {
    front_end: FrontEnd,
    projection_norm: Option<LayerNorm>,
    projection: Dense,
    mask_vector: Option<Tensor>,
    positional: Positional,
    blocks: Vec<EncoderBlock>,
    /// In front of the blocks in post-norm order, behind them in pre-norm order.
    norm: LayerNorm,
    config: SpeechConfig,
}

/// Opens the encoder in `folder`; `whole` is the prefix of a whole model of its family.
pub(crate) fn build(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
    whole: &'static str,
) -> Result<Box<dyn Backbone>, ZooError> {
    let config: SpeechConfig = read_json(&folder.join("config.json"))?;
    let path = folder.join("preprocessor_config.json");
    let preprocessor = if path.is_file() { read_json(&path)? } else { PreprocessorConfig::default() };
    let encoder = SpeechEncoder::new(&config, &preprocessor, checkpoint, options, whole)
        .map_err(|source| ZooError::Build { folder: folder.to_owned(), source })?;
    Ok(Box::new(encoder))
}

impl SpeechEncoder {
    /// The encoder that the two configurations describe, with its weights from `checkpoint` where there is one. `whole`
    /// is the prefix that a whole model of its family puts in front of the encoder's names.
    ///
    /// # Errors
    /// When a configuration makes no sense, or tensors are missing, unexpected or of another shape.
    pub fn new(
        config: &SpeechConfig,
        preprocessor: &PreprocessorConfig,
        checkpoint: Option<Checkpoint>,
        options: &LoadOptions,
        whole: &str,
    ) -> Result<Self, NnError> {
        config.check()?;
        preprocessor.check()?;
        let shortest = config.receptive_field()?;
        let padding = match options.compat {
            Compat::Sure => Padding::Ignored,
            Compat::Transformers if preprocessor.return_attention_mask => Padding::Masked,
            Compat::Transformers => Padding::Heard { normalise: preprocessor.do_normalize },
        };
        let spelling = checkpoint.as_ref().map(|checkpoint| Spelling::of(checkpoint, whole));
        let prefix = spelling.as_ref().map_or_else(String::new, |spelling| spelling.prefix.clone());
        // Checkpoints that were fine-tuned without masking may lack the vector, whatever their configuration says.
        let vector = format!("{prefix}masked_spec_embed");
        let masks = config.has_mask_vector()
            && checkpoint.as_ref().is_none_or(|checkpoint| checkpoint.contains(&vector));
        let rename = move |ours: &str| spelling.as_ref().map_or_else(|| ours.to_owned(), |s| s.theirs(ours));
        let loading = Loading::frozen(options.weights.source(checkpoint, rename), options.device);
        let network = Network::new(&loading.root(), config, padding, masks)?;
        // A head, a quantiser or a vector for masked frames may stand beside what is used.
        let store = loading.finish(|name| {
            (!prefix.is_empty() && !name.starts_with(&prefix)) || name.ends_with("masked_spec_embed")
        })?;
        let normalise = preprocessor.do_normalize && padding != (Padding::Heard { normalise: true });
        Ok(Self {
            network,
            store,
            anatomy: config.anatomy(),
            preparer: Arc::new(Preparer { normalise, shortest, rate_hz: preprocessor.sampling_rate }),
            graph: format!("speech 2 {config:?} {preprocessor:?} {padding:?}"),
            rate_hz: preprocessor.sampling_rate,
        })
    }
}

impl Network {
    fn new(loader: &Loader, config: &SpeechConfig, padding: Padding, masks: bool) -> Result<Self, NnError> {
        let (hidden, eps) = (config.hidden_size, config.layer_norm_eps);
        let features = config.conv_dim.last().copied().unwrap_or(1);
        let projection = loader.at("projection");
        let projection_norm = config.feat_proj_layer_norm;
        let blocks = loader.at("blocks");
        let block = config.block()?;
        let mask_vector = masks
            .then(|| loader.param("mask_vector", &[hidden], Role::MaskVector, Init::Uniform { bound: 1.0 }));
        Ok(Self {
            front_end: FrontEnd::new(&loader.at("front_end"), config, padding)?,
            projection_norm: projection_norm
                .then(|| LayerNorm::new(&projection.at("norm"), features, eps))
                .transpose()?,
            projection: Dense::new(&projection.at("projection"), features, hidden)?,
            mask_vector: mask_vector.transpose()?,
            positional: Positional::new(
                &loader.at("positional"),
                config.positional(),
                Activation::named(&config.feat_extract_activation)?,
            )?,
            blocks: (0..config.num_hidden_layers)
                .map(|index| EncoderBlock::new(&blocks.at(index), BlockId::encoder(index), block))
                .collect::<Result<_, _>>()?,
            norm: LayerNorm::new(&loader.at("norm"), hidden, eps)?,
            config: config.clone(),
        })
    }

    /// Frames that `SpecAugment` hides become the mask vector, or zero where the checkpoint has none.
    fn hide(&self, hidden: &Tensor, masked: &Tensor) -> Tensor {
        let masked = masked.unsqueeze(-1);
        match &self.mask_vector {
            Some(vector) => vector.where_self(&masked, hidden),
            None => hidden.masked_fill(&masked, 0.0),
        }
    }
}

impl Backbone for SpeechEncoder {
    fn anatomy(&self) -> &Anatomy {
        &self.anatomy
    }

    fn store(&self) -> &Store {
        &self.store
    }

    fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    fn graph(&self) -> String {
        self.graph.clone()
    }

    fn preparer(&self) -> Arc<dyn Prepare> {
        self.preparer.clone()
    }

    fn front_end(&self, input: &Input, hooks: &Hooks) -> State {
        self.network.front_end.forward(input, hooks)
    }

    fn enter(&self, state: State, cx: &Cx) -> State {
        let network = &self.network;
        let State { hidden, mask } = state;
        let normed =
            network.projection_norm.as_ref().map_or(hidden.shallow_clone(), |norm| norm.forward(&hidden));
        let hidden = network.projection.forward(&normed);
        let hidden = cx.backbone_dropout_of(hidden, network.config.feat_proj_dropout, "projection");
        let hidden = match &cx.time_mask {
            Some(masked) => network.hide(&hidden, masked),
            None => hidden,
        };
        let hidden = network.positional.forward(&mask.zero_padding(&hidden));
        let hidden = if network.config.do_stable_layer_norm { hidden } else { network.norm.forward(&hidden) };
        let hidden = cx.backbone_dropout_of(hidden, network.config.hidden_dropout, "positions");
        State { hidden, mask }
    }

    fn block(&self, index: usize, hidden: &Tensor, hooks: &Hooks) -> Tensor {
        self.network.blocks[index].forward(hidden, hooks)
    }

    fn leave(&self, hidden: Tensor) -> Tensor {
        if self.network.config.do_stable_layer_norm { self.network.norm.forward(&hidden) } else { hidden }
    }

    fn weight(&self, site: Site) -> Option<&Tensor> {
        let block = self.network.blocks.get(site.block)?;
        block.projection(site.part).map(sure_nn::Projection::weight)
    }

    fn published_name(&self, ours: &str) -> String {
        names::theirs(ours)
    }

    fn front_end_prefix(&self) -> &'static str {
        "front_end."
    }
}
