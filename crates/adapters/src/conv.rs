//! The `ConvAdapter` of the SURE paper (arXiv 2303.03267), as its authors released it: `y + g * conv3(conv2(relu(conv1(u))))`
//! with `u` the layer norm of `y`, three grouped convolutions over time, and `g` a squeeze-and-excitation gate over
//! the hidden channels.
//!
//! With `D` the hidden width `H` over `reduction`: conv1 `H` to `D`, 3 taps, in `D` groups; conv2 `D` to `D`, 5 taps,
//! each channel alone; conv3 `D` to `H`, 3 taps, in `D` groups; none has a bias. A fresh adapter is not the identity.
//!
//! Where ours differs: the released code lets convolutions and the gate's mean see padded frames, so that its answer depends
//! on the padding. Here padding is zero before each convolution and left out of the mean; `masked = false` gives the
//! released behaviour.

use serde::{Deserialize, Serialize};
use sure_nn::{
    Anatomy, Conv1d, ConvShape, Cx, FrameMask, LayerNorm, Loader, NnError, Patch, Placement, SiteSpec,
    tch::{Kind, Tensor},
};

use crate::{Built, Method, at_sites, positive, squeeze_excite::SqueezeExcite};

pub(crate) const NORM_EPS: f64 = 1e-5;

/// Configuration of the `ConvAdapter`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvConfig {
    /// The inner convolution has the site's width over this.
    pub reduction: i64,
    /// The gate's waist has the site's width over this.
    pub squeeze_reduction: i64,
    /// Whether padding is kept out of convolutions and gate.
    pub masked: bool,
    /// Whose outputs are adapted.
    pub placement: Placement,
}

impl ConvConfig {
    /// Inner width and the gate's waist at a site of width `hidden`.
    fn widths(&self, hidden: i64) -> Result<(i64, i64), NnError> {
        let width = positive("width", hidden / positive("reduction", self.reduction)?)?;
        let squeezed =
            positive("squeeze width", hidden / positive("squeeze_reduction", self.squeeze_reduction)?)?;
        Ok((width, squeezed))
    }
}

impl Method for ConvConfig {
    fn build(&self, anatomy: &Anatomy, loader: &Loader) -> Result<Built, NnError> {
        at_sites(anatomy, &self.placement, loader, |loader, SiteSpec { out_dim, .. }| {
            Conv::new(loader, out_dim, self.widths(out_dim)?, self.masked)
        })
    }

    fn declared_count(&self, anatomy: &Anatomy) -> Result<u64, NnError> {
        let count = |spec: SiteSpec| Ok(Conv::count(spec.out_dim, self.widths(spec.out_dim)?));
        anatomy.resolve(&self.placement)?.into_iter().map(count).sum()
    }
}

/// The adapter of one site.
#[derive(Debug)]
pub struct Conv {
    norm: LayerNorm,
    conv1: Conv1d,
    conv2: Conv1d,
    conv3: Conv1d,
    gate: SqueezeExcite,
    masked: bool,
}

impl Conv {
    /// `norm` `[hidden]`, `conv1` `[width, hidden / width, 3]`, `conv2` `[width, 1, 5]`, `conv3` `[hidden, 1, 3]`, `squeeze`
    /// `[squeezed, hidden]` and `excite` `[hidden, squeezed]` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`], or when `width` does not divide `hidden`.
    pub fn new(
        loader: &Loader,
        hidden: i64,
        (width, squeezed): (i64, i64),
        masked: bool,
    ) -> Result<Self, NnError> {
        let conv = |name: &str, channels, kernel| {
            Conv1d::new(&loader.at(name), ConvShape::same(channels, kernel, width), false)
        };
        Ok(Self {
            norm: LayerNorm::new(&loader.at("norm"), hidden, NORM_EPS)?,
            conv1: conv("conv1", (hidden, width), 3)?,
            conv2: conv("conv2", (width, width), 5)?,
            conv3: conv("conv3", (width, hidden), 3)?,
            gate: SqueezeExcite::new(loader, hidden, squeezed)?,
            masked,
        })
    }

    /// `8 H + 5 D` and the gate: norm `2 H`, conv1 `3 H`, conv2 `5 D`, conv3 `3 H`.
    pub(crate) fn count(hidden: i64, (width, squeezed): (i64, i64)) -> u64 {
        (8 * hidden + 5 * width + SqueezeExcite::count(hidden, squeezed)) as u64
    }

    /// `[batch, time, hidden]` to the same shape, the residual included.
    pub(crate) fn forward(&self, y: Tensor, cx: &Cx) -> Tensor {
        let mask = cx.valid.as_ref().filter(|_| self.masked);
        let quiet = |hidden: Tensor| match mask {
            Some(mask) => mask.zero_channels(&hidden),
            None => hidden,
        };
        let hidden = quiet(self.norm.forward(&y).transpose(1, 2));
        let hidden = quiet(self.conv1.forward(&hidden).relu());
        let hidden = quiet(self.conv2.forward(&hidden));
        let hidden = self.conv3.forward(&hidden).transpose(1, 2);
        let mean = mask.map_or_else(
            || hidden.mean_dim([1i64].as_slice(), false, Kind::Float),
            |mask: &FrameMask| mask.mean(&hidden),
        );
        y + hidden * self.gate.gate(&mean).unsqueeze(1)
    }
}

impl Patch for Conv {
    fn patch(&self, _x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
        self.forward(y, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::tests::{BASE, LARGE, at_blocks, counts};

    fn config(reduction: i64) -> ConvConfig {
        ConvConfig { reduction, squeeze_reduction: 16, masked: true, placement: at_blocks() }
    }

    #[test]
    fn the_counts_are_the_papers() {
        // The inner widths 512, 256, 128 and 64 that the authors logged.
        for (reduction, count) in [(2, 3_403_776), (4, 3_373_056), (8, 3_357_696), (16, 3_350_016)] {
            assert_eq!(counts(&config(reduction), LARGE), count);
        }
        assert_eq!(counts(&config(2), BASE), 981_504);
    }

    #[test]
    fn a_width_that_does_not_divide_the_channels_is_refused() {
        let loading = sure_nn::Loading::trainable(sure_nn::Source::Blank, sure_nn::tch::Device::Cpu);
        let error = config(3).build(&LARGE.anatomy(), &loading.root()).unwrap_err();
        assert!(error.to_string().contains("groups"), "{error}");
    }
}
