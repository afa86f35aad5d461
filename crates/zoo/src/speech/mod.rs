//! The graph that wav2vec 2.0 (Baevski et al. 2020, arXiv 2006.11477), HuBERT (Hsu et al. 2021, arXiv 2106.07447), WavLM
//! (Chen et al. 2022, arXiv 2110.13900) and data2vec (Baevski et al. 2022, arXiv 2202.03555) share, after `transformers`'
//! `Wav2Vec2Model` and its likes. What is different in the last two is a [`Variant`].
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
mod heads;
mod names;
mod positional;
mod prepare;
mod relative;
mod variant;

use std::{path::Path, sync::Arc};

use sure_nn::{
    Anatomy, Backbone, BlockId, Checkpoint, Cx, Dense, EncoderBlock, Hooks, Init, Input, LayerNorm, Loader,
    Loading, NnError, Prepare, Role, Site, State, Store, tch::Tensor,
};

pub use self::{
    config::{FrontNorm, PreprocessorConfig, SpeechConfig},
    relative::Buckets,
    variant::{PositionStack, Variant},
};
use self::{
    front_end::{FrontEnd, Padding},
    names::Spelling,
    positional::Positional,
    prepare::Preparer,
    relative::{Gate, RelativeBias},
};
use crate::{Compat, LoadOptions, ZooError, files::read_json};

/// An encoder of wav2vec 2.0, HuBERT, WavLM or data2vec.
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
    relative: Option<RelativeBias>,
    blocks: Vec<(EncoderBlock, Option<Gate>)>,
    /// In front of the blocks in post-norm order, behind them in pre-norm order.
    norm: LayerNorm,
    config: SpeechConfig,
    padding: Padding,
}

/// Opens the encoder in `folder`; `whole` is the prefix of a whole model of its family, `variant` its graph.
pub(crate) fn build(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
    whole: &'static str,
    variant: Variant,
) -> Result<Box<dyn Backbone>, ZooError> {
    let config: SpeechConfig = read_json(&folder.join("config.json"))?;
    let path = folder.join("preprocessor_config.json");
    let preprocessor = if path.is_file() { read_json(&path)? } else { PreprocessorConfig::default() };
    let encoder = SpeechEncoder::new((&config, variant), &preprocessor, checkpoint, options, whole)
        .map_err(|source| ZooError::Build { folder: folder.to_owned(), source })?;
    Ok(Box::new(encoder))
}

impl SpeechEncoder {
    /// The encoder that the two configurations describe, with its weights from `checkpoint` where there is one. `variant`
    /// is the graph of its family, `whole` the prefix that a whole model of it puts in front of the encoder's names.
    ///
    /// # Errors
    /// When a configuration makes no sense, or tensors are missing, unexpected or of another shape.
    pub fn new(
        (config, variant): (&SpeechConfig, Variant),
        preprocessor: &PreprocessorConfig,
        checkpoint: Option<Checkpoint>,
        options: &LoadOptions,
        whole: &str,
    ) -> Result<Self, NnError> {
        variant.check()?;
        let config = &variant.applied(config.clone());
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
        let network = Network::new(&loading.root(), (config, variant), padding, masks)?;
        let store = loading.finish(|name| heads::is_beside(name, &prefix))?;
        let normalise = preprocessor.do_normalize && padding != (Padding::Heard { normalise: true });
        Ok(Self {
            network,
            store,
            anatomy: config.anatomy(),
            preparer: Arc::new(Preparer { normalise, shortest, rate_hz: preprocessor.sampling_rate }),
            graph: format!("speech 2 {config:?} {preprocessor:?} {padding:?}{}", variant.in_words()),
            rate_hz: preprocessor.sampling_rate,
        })
    }
}

impl Network {
    fn new(
        loader: &Loader,
        (config, variant): (&SpeechConfig, Variant),
        padding: Padding,
        masks: bool,
    ) -> Result<Self, NnError> {
        let (hidden, heads, eps) = (config.hidden_size, config.num_attention_heads, config.layer_norm_eps);
        let features = config.conv_dim.last().copied().unwrap_or(1);
        let projection = loader.at("projection");
        let projection_norm = config.feat_proj_layer_norm;
        let blocks = loader.at("blocks");
        let measures = config.block()?;
        let block = |index| {
            let loader = blocks.at(index);
            let block = EncoderBlock::new(&loader, BlockId::encoder(index), measures)?;
            let gate = match variant {
                Variant::WavLm(_) => Some(Gate::new(&loader.at("attention").at("gate"), hidden, heads)?),
                Variant::Wav2Vec2 | Variant::Data2Vec(_) => None,
            };
            Ok((block, gate))
        };
        let relative = match variant {
            Variant::WavLm(buckets) => Some(RelativeBias::new(&loader.at("relative"), buckets, heads)?),
            Variant::Wav2Vec2 | Variant::Data2Vec(_) => None,
        };
        let mask_vector = masks
            .then(|| loader.param("mask_vector", &[hidden], Role::MaskVector, Init::Uniform { bound: 1.0 }));
        Ok(Self {
            front_end: FrontEnd::new(&loader.at("front_end"), config, padding)?,
            projection_norm: projection_norm
                .then(|| LayerNorm::new(&projection.at("norm"), features, eps))
                .transpose()?,
            projection: Dense::new(&projection.at("projection"), features, hidden)?,
            mask_vector: mask_vector.transpose()?,
            positional: Positional::new(&loader.at("positional"), config, variant)?,
            relative,
            blocks: (0..config.num_hidden_layers).map(block).collect::<Result<_, NnError>>()?,
            norm: LayerNorm::new(&loader.at("norm"), hidden, eps)?,
            config: config.clone(),
            padding,
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
        let between = (network.padding == Padding::Ignored).then_some(&mask);
        let hidden = network.positional.forward(&mask.zero_padding(&hidden), between);
        let hidden = if network.config.do_stable_layer_norm { hidden } else { network.norm.forward(&hidden) };
        let hidden = cx.backbone_dropout_of(hidden, network.config.hidden_dropout, "positions");
        State { hidden, mask }
    }

    fn block(&self, index: usize, hidden: &Tensor, hooks: &Hooks) -> Tensor {
        let network = &self.network;
        match (&network.relative, &network.blocks[index]) {
            (Some(relative), (block, Some(gate))) => {
                let table = relative.table(hidden.size()[1]);
                block.forward_biased(hidden, Some(&|x| gate.forward(x, &table)), hooks)
            }
            (_, (block, _)) => block.forward(hidden, hooks),
        }
    }

    fn leave(&self, hidden: Tensor) -> Tensor {
        if self.network.config.do_stable_layer_norm { self.network.norm.forward(&hidden) } else { hidden }
    }

    fn weight(&self, site: Site) -> Option<&Tensor> {
        let (block, _) = self.network.blocks.get(site.block)?;
        block.projection(site.part).map(sure_nn::Projection::weight)
    }

    fn published_name(&self, ours: &str) -> String {
        names::theirs(ours)
    }

    fn front_end_prefix(&self) -> &'static str {
        "front_end."
    }
}
