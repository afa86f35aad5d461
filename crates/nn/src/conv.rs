//! Convolutions over time.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::{BlockId, Hooks, Init, Loader, NnError, Part, Role};

/// The measures of a convolution over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConvShape {
    /// Channels that go in.
    pub in_channels: i64,
    /// Channels that come out.
    pub out_channels: i64,
    /// Taps.
    pub kernel: i64,
    /// Steps from frame to frame.
    pub stride: i64,
    /// Zeros on either side.
    pub padding: i64,
    /// Groups of channels that do not see each other.
    pub groups: i64,
}

impl ConvShape {
    /// A dense convolution without padding.
    pub const fn valid((in_channels, out_channels): (i64, i64), kernel: i64, stride: i64) -> Self {
        Self { in_channels, out_channels, kernel, stride, padding: 0, groups: 1 }
    }

    /// A convolution with an odd kernel that keeps the number of frames.
    pub const fn same((in_channels, out_channels): (i64, i64), kernel: i64, groups: i64) -> Self {
        Self { in_channels, out_channels, kernel, stride: 1, padding: kernel / 2, groups }
    }

    /// Shape of the kernel, `[out_channels, in_channels / groups, kernel]`.
    pub const fn weight(&self) -> [i64; 3] {
        [self.out_channels, self.in_channels / self.groups, self.kernel]
    }

    /// Inputs that an output sees: `in_channels / groups * kernel`.
    pub const fn fan_in(&self) -> i64 {
        self.in_channels / self.groups * self.kernel
    }

    /// Frames that come out of `frames`.
    pub const fn frames(&self, frames: i64) -> i64 {
        let steps = frames + 2 * self.padding - self.kernel;
        if steps < 0 { 0 } else { steps / self.stride + 1 }
    }
}

/// A plain convolution over time, for patches and inside layers. Front ends use [`FrontConv`], which adapters can reach.
#[derive(Debug)]
pub struct Conv1d {
    weight: Tensor,
    bias: Option<Tensor>,
    shape: ConvShape,
}

impl Conv1d {
    /// `weight` `[out_channels, in_channels / groups, kernel]` (Kaiming-normal at the start, as transformers draws
    /// it) and, with `bias`, `bias` `[out_channels]` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`], or when the groups do not divide the channels.
    pub fn new(loader: &Loader, shape: ConvShape, bias: bool) -> Result<Self, NnError> {
        let divides = |channels: i64| shape.groups > 0 && channels > 0 && channels % shape.groups == 0;
        if !divides(shape.in_channels) || !divides(shape.out_channels) || shape.kernel < 1 || shape.stride < 1
        {
            return Err(NnError::Config {
                key: "convolution",
                value: format!("{shape:?}"),
                reason: "the groups must divide the channels; kernel and stride must be at least 1"
                    .to_owned(),
            });
        }
        let init = Init::kaiming_normal(shape.fan_in());
        let weight = loader.param("weight", &shape.weight(), Role::Weight, init)?;
        let bias =
            bias.then(|| loader.param("bias", &[shape.out_channels], Role::Bias, Init::Zeros)).transpose()?;
        Ok(Self { weight, bias, shape })
    }

    /// `[batch, in_channels, time]` to `[batch, out_channels, time']`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let ConvShape { stride, padding, groups, .. } = self.shape;
        x.conv1d(&self.weight, self.bias.as_ref(), [stride], [padding], [1], groups)
    }
}

/// A convolution of a backbone's front end. It knows its site and calls the adapter itself, as
/// [`Projection`](crate::Projection) does inside blocks.
#[derive(Debug)]
pub struct FrontConv {
    conv: Conv1d,
    layer: usize,
}

impl FrontConv {
    /// Convolution number `layer`, with `weight` and `bias` at `loader`.
    ///
    /// # Errors
    /// As [`Conv1d::new`].
    pub fn new(loader: &Loader, layer: usize, shape: ConvShape, bias: bool) -> Result<Self, NnError> {
        Ok(Self { conv: Conv1d::new(loader, shape, bias)?, layer })
    }

    /// `[batch, in_channels, time]` to `[batch, out_channels, time']`, with the adapter's patch.
    pub fn forward(&self, x: &Tensor, hooks: &Hooks) -> Tensor {
        hooks.around(BlockId::front_end(self.layer), Part::Conv, x, self.conv.forward(x))
    }

    /// Its measures.
    pub fn shape(&self) -> ConvShape {
        self.conv.shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_as_wav2vec2_does() {
        let kernels = [(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)];
        let frames = |samples| {
            kernels.iter().fold(samples, |frames, &(kernel, stride)| {
                ConvShape::valid((1, 1), kernel, stride).frames(frames)
            })
        };
        // The benchmark's golden numbers.
        for (samples, expected) in
            [(16_000, 49), (40_000, 124), (200_000, 624), (220_000, 687), (320_000, 999), (399, 0), (400, 1)]
        {
            assert_eq!(frames(samples), expected, "{samples} samples");
        }
    }
}
