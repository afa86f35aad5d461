//! Squeeze-and-excitation (Hu et al. 2018, arXiv 1709.01507): a gate for each channel from the mean of all.

use sure_nn::{Dense, Loader, NnError, tch::Tensor};

/// `sigmoid(excite relu(squeeze mean))`, without biases.
#[derive(Debug)]
pub(crate) struct SqueezeExcite {
    squeeze: Dense,
    excite: Dense,
}

impl SqueezeExcite {
    /// `squeeze` `[width, channels]` and `excite` `[channels, width]` at `loader`.
    pub(crate) fn new(loader: &Loader, channels: i64, width: i64) -> Result<Self, NnError> {
        Ok(Self {
            squeeze: Dense::without_bias(&loader.at("squeeze"), channels, width)?,
            excite: Dense::without_bias(&loader.at("excite"), width, channels)?,
        })
    }

    /// Parameters of `channels` channels.
    pub(crate) const fn count(channels: i64, width: i64) -> i64 {
        2 * channels * width
    }

    /// The gates for the channels' means, both `[batch, channels]`.
    pub(crate) fn gate(&self, mean: &Tensor) -> Tensor {
        self.excite.forward(&self.squeeze.forward(mean).relu()).sigmoid()
    }
}
