//! The convolutions that give positions: one with weight normalisation (Salimans and Kingma 2016, arXiv 1602.07868), or
//! data2vec's row of them.

use sure_nn::{Activation, Conv1d, ConvShape, FrameMask, Init, Loader, NnError, Role, tch::Tensor};

use super::{
    config::SpeechConfig,
    variant::{PositionStack, Variant},
};

/// Epsilon of the norms without parameters (PyTorch's default).
const NORM_EPS: f64 = 1e-5;

/// From hidden states to hidden states with positions.
#[derive(Debug)]
pub(super) enum Positional {
    /// `x + activation(conv(x))`.
    One(WeightNormed, Activation),
    /// `x + f(..f(x))` with `f = activation(norm(conv(x)))`; the norm has no parameters.
    Row(Vec<Conv1d>, Activation),
}

impl Positional {
    /// The convolution at `loader`, or the row at `layers.<index>.conv` below it.
    pub(super) fn new(loader: &Loader, config: &SpeechConfig, variant: Variant) -> Result<Self, NnError> {
        let (shape, activation) = (config.positional(), Activation::named(&config.feat_extract_activation)?);
        if shape.in_channels % shape.groups != 0 {
            return Err(NnError::Config {
                key: "num_conv_pos_embedding_groups",
                value: shape.groups.to_string(),
                reason: format!("must divide the hidden width {}", shape.in_channels),
            });
        }
        match variant {
            Variant::Data2Vec(PositionStack { num_conv_pos_embeddings, .. }) => {
                let layers = loader.at("layers");
                let conv = |layer| Conv1d::new(&layers.at(layer).at("conv"), shape, true);
                Ok(Self::Row((0..num_conv_pos_embeddings).map(conv).collect::<Result<_, _>>()?, activation))
            }
            Variant::Wav2Vec2 | Variant::WavLm(_) => {
                Ok(Self::One(WeightNormed::new(loader, shape)?, activation))
            }
        }
    }

    /// `[batch, time, hidden]`, zero behind each clip's end, to the same shape. With a mask each convolution of a row
    /// sees zeros behind the end, as the first one does.
    pub(super) fn forward(&self, hidden: &Tensor, mask: Option<&FrameMask>) -> Tensor {
        let time = hidden.size()[1];
        // An even kernel gives one frame more than there were: the last one goes.
        let cut = |positions: Tensor| positions.narrow(2, 0, time).transpose(1, 2);
        let positions = match self {
            Self::One(conv, activation) => activation.forward(&cut(conv.forward(&hidden.transpose(1, 2)))),
            Self::Row(convs, activation) => {
                let width = [hidden.size()[2]];
                convs.iter().fold(hidden.shallow_clone(), |hidden, conv| {
                    let hidden = mask.map_or(hidden.shallow_clone(), |mask| mask.zero_padding(&hidden));
                    let positions = cut(conv.forward(&hidden.transpose(1, 2)));
                    activation.forward(&positions.layer_norm(
                        width,
                        None::<Tensor>,
                        None::<Tensor>,
                        NORM_EPS,
                        false,
                    ))
                })
            }
        };
        hidden + positions
    }
}

/// A convolution with the kernel `g v / |v|`, one `g` a tap.
#[derive(Debug)]
pub(super) struct WeightNormed {
    magnitude: Tensor,
    direction: Tensor,
    bias: Tensor,
    shape: ConvShape,
}

impl WeightNormed {
    /// `weight_g` `[1, 1, kernel]`, `weight_v` `[hidden, hidden / groups, kernel]` and `bias` `[hidden]` at `loader`.
    fn new(loader: &Loader, shape: ConvShape) -> Result<Self, NnError> {
        // As transformers draws it: variance 4 / (kernel * channels).
        let init = Init::Normal { std: 2.0 / ((shape.kernel * shape.in_channels) as f64).sqrt() };
        Ok(Self {
            magnitude: loader.param("weight_g", &[1, 1, shape.kernel], Role::Weight, Init::Ones)?,
            direction: loader.param("weight_v", &shape.weight(), Role::Weight, init)?,
            bias: loader.param("bias", &[shape.out_channels], Role::Bias, Init::Zeros)?,
            shape,
        })
    }

    /// `[batch, hidden, time]` to the same shape, or one frame more.
    fn forward(&self, hidden: &Tensor) -> Tensor {
        let weight = Tensor::internal_weight_norm(&self.direction, &self.magnitude, 2);
        let ConvShape { padding, groups, .. } = self.shape;
        hidden.conv1d(&weight, Some(&self.bias), [1], [padding], [1], groups)
    }
}
