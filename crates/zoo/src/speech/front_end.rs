//! The convolutional front end: from samples to features at 50 Hz.

use sure_nn::{
    Activation, ChannelNorm, ConvShape, FrameMask, FrontConv, Hooks, Input, LayerNorm, Loader, NnError,
    State,
    tch::{Kind, Tensor},
};

use super::{
    config::{FrontNorm, SpeechConfig},
    prepare::NORMALISE_EPS,
};

/// Epsilon of the convolutions' norms (PyTorch's default; the configuration's epsilon is for the blocks).
const NORM_EPS: f64 = 1e-5;

/// What padding may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// Nothing: every statistic is over real samples and frames.
    Ignored,
    /// As in `transformers` with a mask: the channel norm sees padded frames.
    Masked,
    /// As in `transformers` without a mask: padded frames count as real ones; `normalise` says whether the clips, still
    /// raw, are to be normalised over the padded length.
    Heard {
        /// Whether to normalise.
        normalise: bool,
    },
}

#[derive(Debug)]
enum Norm {
    None,
    Channel(ChannelNorm),
    Layer(LayerNorm),
}

/// The convolutions, each with its norm and non-linearity.
#[derive(Debug)]
pub(super) struct FrontEnd {
    layers: Vec<(FrontConv, Norm)>,
    activation: Activation,
    padding: Padding,
}

impl FrontEnd {
    pub(super) fn new(loader: &Loader, config: &SpeechConfig, padding: Padding) -> Result<Self, NnError> {
        let layer = |(index, shape): (usize, ConvShape)| {
            let loader = loader.at(index);
            let conv = FrontConv::new(&loader.at("conv"), index, shape, config.conv_bias)?;
            let norm = match config.feat_extract_norm {
                FrontNorm::Layer => {
                    Norm::Layer(LayerNorm::new(&loader.at("norm"), shape.out_channels, NORM_EPS)?)
                }
                FrontNorm::Group if index == 0 => {
                    Norm::Channel(ChannelNorm::new(&loader.at("norm"), shape.out_channels, NORM_EPS)?)
                }
                FrontNorm::Group => Norm::None,
            };
            Ok((conv, norm))
        };
        let layers = config.convolutions().into_iter().enumerate().map(layer);
        Ok(Self {
            layers: layers.collect::<Result<_, NnError>>()?,
            activation: Activation::named(&config.feat_extract_activation)?,
            padding,
        })
    }

    /// `[batch, 1, samples]` to `[batch, time, channels]`.
    pub(super) fn forward(&self, input: &Input, hooks: &Hooks) -> State {
        let samples = input.values.size()[2];
        let mut lengths = match self.padding {
            Padding::Ignored | Padding::Masked => input.lengths.clone(),
            Padding::Heard { .. } => vec![samples; input.lengths.len()],
        };
        let mut hidden = match self.padding {
            Padding::Heard { normalise: true } => normalised(&input.values),
            _ => input.values.shallow_clone(),
        };
        for (conv, norm) in &self.layers {
            hidden = conv.forward(&hidden, hooks);
            for length in &mut lengths {
                *length = conv.shape().frames(*length);
            }
            hidden = match norm {
                Norm::None => hidden,
                Norm::Channel(norm) if self.padding == Padding::Ignored => norm.forward(&hidden, &lengths),
                Norm::Channel(norm) => {
                    let all = vec![hidden.size()[2]; lengths.len()];
                    norm.forward(&hidden, &all)
                }
                Norm::Layer(norm) => norm.forward(&hidden.transpose(1, 2)).transpose(1, 2),
            };
            hidden = self.activation.forward(&hidden);
        }
        let mask = FrameMask::new(lengths, hidden.size()[2], hidden.device());
        State { hidden: hidden.transpose(1, 2), mask }
    }
}

/// Each row of `[batch, 1, samples]` over its whole length.
fn normalised(values: &Tensor) -> Tensor {
    let mean = values.mean_dim([-1i64].as_slice(), true, Kind::Float);
    let variance = values.var_dim([-1i64].as_slice(), false, true);
    (values - mean) / (variance + NORMALISE_EPS).sqrt()
}
