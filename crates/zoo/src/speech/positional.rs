//! The convolution that gives positions, with weight normalisation (Salimans and Kingma 2016, arXiv 1602.07868).

use sure_nn::{Activation, ConvShape, Init, Loader, NnError, Role, tch::Tensor};

/// `x + activation(conv(x))`; the kernel is `g v / |v|` with one `g` a tap.
#[derive(Debug)]
pub(super) struct Positional {
    magnitude: Tensor,
    direction: Tensor,
    bias: Tensor,
    shape: ConvShape,
    activation: Activation,
}

impl Positional {
    /// `weight_g` `[1, 1, kernel]`, `weight_v` `[hidden, hidden / groups, kernel]` and `bias` `[hidden]` at `loader`.
    pub(super) fn new(loader: &Loader, shape: ConvShape, activation: Activation) -> Result<Self, NnError> {
        if shape.in_channels % shape.groups != 0 {
            return Err(NnError::Config {
                key: "num_conv_pos_embedding_groups",
                value: shape.groups.to_string(),
                reason: format!("must divide the hidden width {}", shape.in_channels),
            });
        }
        // As transformers draws it: variance 4 / (kernel * channels).
        let init = Init::Normal { std: 2.0 / ((shape.kernel * shape.in_channels) as f64).sqrt() };
        Ok(Self {
            magnitude: loader.param("weight_g", &[1, 1, shape.kernel], Role::Weight, Init::Ones)?,
            direction: loader.param("weight_v", &shape.weight(), Role::Weight, init)?,
            bias: loader.param("bias", &[shape.out_channels], Role::Bias, Init::Zeros)?,
            shape,
            activation,
        })
    }

    /// `[batch, time, hidden]`, zero behind each clip's end, to the same shape.
    pub(super) fn forward(&self, hidden: &Tensor) -> Tensor {
        let weight = Tensor::internal_weight_norm(&self.direction, &self.magnitude, 2);
        let ConvShape { padding, groups, .. } = self.shape;
        let positions = hidden.transpose(1, 2).conv1d(&weight, Some(&self.bias), [1], [padding], [1], groups);
        // An even kernel gives one frame more than there were: the last one goes.
        let positions = positions.narrow(2, 0, hidden.size()[1]).transpose(1, 2);
        hidden + self.activation.forward(&positions)
    }
}
