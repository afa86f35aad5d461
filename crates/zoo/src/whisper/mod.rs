//! The encoder of Whisper (Radford et al. 2022, arXiv 2212.04356), after `transformers`' `WhisperEncoder`.
//!
//! Input is a log-mel matrix `[batch, mels, frames]`, 10 ms a column; two convolutions halve the rate to 20 ms; fixed
//! sinusoid positions are added; pre-norm blocks and a final layer norm follow.
//!
//! Where ours differs: by default a clip enters at its real length with a mask, not padded to 30 seconds, and each
//! frame sees only real frames. Positions are cut to the length. [`Compat::Transformers`] pads to 30 seconds and then
//! gives what `transformers` gives.

mod config;
mod names;

use std::{path::Path, sync::Arc};

use sure_audio::{LogMel, MelConfig, MelPadding};
use sure_nn::{
    Anatomy, Backbone, BlockId, Checkpoint, Cx, EncoderBlock, FrameMask, FrontConv, Hooks, Init, Input,
    LayerNorm, Loader, Loading, NnError, Prepare, Prepared, Role, Site, State, Store, tch::Tensor,
};

pub use self::config::WhisperConfig;
use crate::{Compat, Family, LoadOptions, Published, ZooError, files::read_json};

pub(crate) const FAMILY: Family = Family {
    model_type: "whisper",
    summary: "Whisper's encoder: log-mel input, two convolutions, pre-norm blocks (Radford et al. 2022)",
    // The decoder has no part in ours: the class without one stands for the bare encoder too.
    published: Published {
        encoder: "WhisperForAudioClassification",
        bare: "encoder.",
        classifier: Some("WhisperForAudioClassification"),
        ctc: None,
        whole: "encoder.",
    },
    build,
};

const RATE_HZ: u32 = 16_000;
const SAMPLES_PER_POSITION: usize = 320;

/// Whisper's encoder.
#[derive(Debug)]
pub struct Whisper {
    network: Network,
    store: Store,
    anatomy: Anatomy,
    preparer: Arc<Preparer>,
    graph: String,
}

/// The log-mel front end.
#[derive(Debug)]
struct Preparer {
    log_mel: LogMel,
    padding: MelPadding,
    limit: usize,
}

#[derive(Debug)]
struct Network {
    conv1: FrontConv,
    conv2: FrontConv,
    positions: Tensor,
    blocks: Vec<EncoderBlock>,
    norm: LayerNorm,
}

fn build(
    folder: &Path,
    checkpoint: Option<Checkpoint>,
    options: &LoadOptions,
) -> Result<Box<dyn Backbone>, ZooError> {
    let config: WhisperConfig = read_json(&folder.join("config.json"))?;
    let whisper = Whisper::new(&config, checkpoint, options)
        .map_err(|source| ZooError::Build { folder: folder.to_owned(), source })?;
    Ok(Box::new(whisper))
}

impl Whisper {
    /// The encoder that `config` describes, with its weights from `checkpoint` where there is one.
    ///
    /// # Errors
    /// When the configuration makes no sense, or tensors are missing, unexpected or of another shape.
    pub fn new(
        config: &WhisperConfig,
        checkpoint: Option<Checkpoint>,
        options: &LoadOptions,
    ) -> Result<Self, NnError> {
        config.check()?;
        let prefix = checkpoint.as_ref().map_or("", names::prefix);
        let source =
            options.weights.source(checkpoint, move |ours| format!("{prefix}{}", names::theirs(ours)));
        let loading = Loading::frozen(source, options.device);
        let network = Network::new(&loading.root(), config)?;
        let store = loading.finish(names::is_beside)?;
        let mel = MelConfig::whisper(config.num_mel_bins);
        let padding = match options.compat {
            Compat::Sure => MelPadding::Real,
            Compat::Transformers => MelPadding::ThirtySeconds,
        };
        Ok(Self {
            network,
            store,
            anatomy: config.anatomy(),
            graph: format!("whisper 2 {config:?} {mel:?} {padding:?}"),
            preparer: Arc::new(Preparer {
                log_mel: LogMel::new(mel),
                padding,
                limit: config.max_source_positions as usize * SAMPLES_PER_POSITION,
            }),
        })
    }
}

impl Network {
    fn new(loader: &Loader, config: &WhisperConfig) -> Result<Self, NnError> {
        let hidden = config.d_model;
        let front_end = loader.at("front_end");
        let blocks = loader.at("blocks");
        let block = config.block()?;
        let [conv1, conv2] = config.convolutions();
        Ok(Self {
            conv1: FrontConv::new(&front_end.at("conv1"), 0, conv1, true)?,
            conv2: FrontConv::new(&front_end.at("conv2"), 1, conv2, true)?,
            positions: loader.param(
                "positions",
                &[config.max_source_positions, hidden],
                Role::Fixed,
                Init::Normal { std: 0.02 },
            )?,
            blocks: (0..config.encoder_layers)
                .map(|index| EncoderBlock::new(&blocks.at(index), BlockId::encoder(index), block))
                .collect::<Result<_, _>>()?,
            norm: LayerNorm::new(&loader.at("norm"), hidden, WhisperConfig::NORM_EPS)?,
        })
    }
}

impl Prepare for Preparer {
    fn prepare(&self, samples: &[f32]) -> Result<Prepared, NnError> {
        if samples.len() > self.limit {
            let seconds = |samples: usize| samples as f64 / f64::from(RATE_HZ);
            return Err(NnError::TooLong { seconds: seconds(samples.len()), limit: seconds(self.limit) });
        }
        let mel = self
            .log_mel
            .compute(samples, self.padding)
            .map_err(|source| NnError::BadInput { reason: source.to_string() })?;
        let (channels, length) = mel.data.dim();
        Ok(Prepared { data: mel.data.iter().copied().collect(), channels, length })
    }
}

impl Backbone for Whisper {
    fn anatomy(&self) -> &Anatomy {
        &self.anatomy
    }

    fn store(&self) -> &Store {
        &self.store
    }

    fn rate_hz(&self) -> u32 {
        RATE_HZ
    }

    fn graph(&self) -> String {
        self.graph.clone()
    }

    fn preparer(&self) -> Arc<dyn Prepare> {
        self.preparer.clone()
    }

    fn front_end(&self, input: &Input, hooks: &Hooks) -> State {
        let device = input.values.device();
        let columns = FrameMask::new(input.lengths.clone(), input.values.size()[2], device);
        let hidden = self.network.conv1.forward(&input.values, hooks).gelu("none");
        // Behind a clip's end the second convolution must see zeros, as it does when the clip is alone.
        let hidden = columns.zero_padding(&hidden.transpose(1, 2)).transpose(1, 2);
        let hidden = self.network.conv2.forward(&hidden, hooks).gelu("none").transpose(1, 2);
        let lengths = input.lengths.iter().map(|&columns| (columns + 1) / 2).collect();
        let mask = FrameMask::new(lengths, hidden.size()[1], device);
        State { hidden, mask }
    }

    fn enter(&self, state: State, cx: &Cx) -> State {
        // Whisper has no mask vector of its own: hidden frames are set to zero.
        let hidden = match &cx.time_mask {
            Some(masked) => state.hidden.masked_fill(&masked.unsqueeze(-1), 0.0),
            None => state.hidden,
        };
        let time = hidden.size()[1];
        State { hidden: hidden + self.network.positions.narrow(0, 0, time), mask: state.mask }
    }

    fn block(&self, index: usize, hidden: &Tensor, hooks: &Hooks) -> Tensor {
        self.network.blocks[index].forward(hidden, hooks)
    }

    fn leave(&self, hidden: Tensor) -> Tensor {
        self.network.norm.forward(&hidden)
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
