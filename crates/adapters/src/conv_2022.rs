//! The `ConvAdapter` of the SURE paper's submission (October 2022), which the released one replaced. It alone gives the 0.94 %
//! of the paper's abstract.
//!
//! Two parts. In each block, convolutions over the *hidden axis*, with the time frames as channels ([`TimeConv`]): the number
//! of frames is therefore part of its shape, 124 for the paper's 2.5 s. Beside each convolution of the front end, a narrow
//! branch of the same window ([`FrontBranch`]).
//!
//! The original works with exactly that many frames. Here shorter clips are filled with zeros after the norm, and frames
//! behind the last one pass as they are. Its second norm takes part in nothing; it is kept, since it is counted, and
//! declared as unused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sure_nn::{
    Anatomy, Blocks, Compose, Conv1d, ConvShape, Cx, LayerNorm, Loader, NnError, Part, Patch, PerSite,
    Placement, Site, SiteSpec,
    tch::{Kind, Tensor},
};

use crate::{Built, Method, conv::NORM_EPS, positive, squeeze_excite::SqueezeExcite};

/// Configuration of the submission's `ConvAdapter`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2022Config {
    /// Frames that are the channels of the convolutions in blocks.
    pub frames: i64,
    /// The gate's waist has the frames over this.
    pub squeeze_reduction: i64,
    /// Channels of the front end's branches, but for the first, which has as many as its convolution.
    pub front_width: i64,
    /// The blocks that are adapted; of the front end it is always all.
    pub blocks: Blocks,
}

impl Conv2022Config {
    /// Frames and the gate's waist.
    fn widths(&self) -> Result<(i64, i64), NnError> {
        let frames = positive("frames", self.frames)?;
        let squeezed =
            positive("squeeze width", frames / positive("squeeze_reduction", self.squeeze_reduction)?)?;
        Ok((frames, squeezed))
    }

    fn block_sites(&self, anatomy: &Anatomy) -> Result<Vec<SiteSpec>, NnError> {
        let placement = Placement { parts: vec![Part::Block], blocks: self.blocks.clone() };
        Ok(anatomy.resolve(&placement)?)
    }

    /// The convolutions of the front end, each with the width of its branch.
    fn branches(&self, anatomy: &Anatomy) -> Result<Vec<(Site, ConvShape, i64)>, NnError> {
        let front_width = positive("front_width", self.front_width)?;
        let placement = Placement { parts: vec![Part::Conv], blocks: Blocks::All };
        let sites = anatomy.resolve(&placement)?;
        let branch = |spec: SiteSpec| {
            let conv = spec.conv?;
            let width = if spec.site.block == 0 { conv.out_channels } else { front_width };
            Some((spec.site, conv, width))
        };
        Ok(sites.into_iter().filter_map(branch).collect())
    }
}

impl Method for Conv2022Config {
    fn build(&self, anatomy: &Anatomy, loader: &Loader) -> Result<Built, NnError> {
        let widths = self.widths()?;
        let (mut blocks, mut front_end) = (BTreeMap::new(), BTreeMap::new());
        let mut unused = Vec::new();
        for spec in self.block_sites(anatomy)? {
            blocks.insert(spec.site, TimeConv::new(&loader.at(spec.site), spec.out_dim, widths)?);
            unused.extend(["weight", "bias"].map(|name| format!("{}.unused_norm.{name}", spec.site)));
        }
        for (site, conv, width) in self.branches(anatomy)? {
            front_end.insert(site, FrontBranch::new(&loader.at(site), conv, width)?);
        }
        let sites = front_end.keys().chain(blocks.keys()).copied().collect();
        let adapters = Compose::new(vec![Box::new(PerSite::new(front_end)), Box::new(PerSite::new(blocks))]);
        Ok(Built { unused, ..Built::new(adapters, sites) })
    }

    fn declared_count(&self, anatomy: &Anatomy) -> Result<u64, NnError> {
        let (frames, squeezed) = self.widths()?;
        let block = |hidden: i64| {
            2 * hidden
                + 6 * frames * frames
                + 5 * frames
                + SqueezeExcite::count(frames, squeezed)
                + 2 * frames
        };
        let blocks: i64 = self.block_sites(anatomy)?.iter().map(|spec| block(spec.out_dim)).sum();
        let branch = |conv: ConvShape, width: i64| {
            width * (conv.in_channels * conv.kernel + 1) + conv.out_channels * (width + 1)
        };
        let front_end: i64 =
            self.branches(anatomy)?.into_iter().map(|(_, conv, width)| branch(conv, width)).sum();
        Ok((blocks + front_end) as u64)
    }

    fn set_frames(&mut self, frames: i64) {
        self.frames = frames;
    }
}

/// Convolutions over the hidden axis, with time frames as channels.
#[derive(Debug)]
pub struct TimeConv {
    norm: LayerNorm,
    conv1: Conv1d,
    conv2: Conv1d,
    conv3: Conv1d,
    gate: SqueezeExcite,
    frames: i64,
}

impl TimeConv {
    /// `norm` `[hidden]`, `conv1` and `conv3` `[frames, frames, 3]`, `conv2` `[frames, 1, 5]`, `squeeze` `[squeezed, frames]`,
    /// `excite` `[frames, squeezed]`, and an `unused_norm` `[frames]`, at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(loader: &Loader, hidden: i64, (frames, squeezed): (i64, i64)) -> Result<Self, NnError> {
        let conv = |name: &str, kernel, groups| {
            Conv1d::new(&loader.at(name), ConvShape::same((frames, frames), kernel, groups), false)
        };
        let _ = LayerNorm::new(&loader.at("unused_norm"), frames, NORM_EPS)?;
        Ok(Self {
            norm: LayerNorm::new(&loader.at("norm"), hidden, NORM_EPS)?,
            conv1: conv("conv1", 3, 1)?,
            conv2: conv("conv2", 5, frames)?,
            conv3: conv("conv3", 3, 1)?,
            gate: SqueezeExcite::new(loader, frames, squeezed)?,
            frames,
        })
    }
}

impl Patch for TimeConv {
    fn patch(&self, _x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
        let normed = self.norm.forward(&y);
        let normed =
            cx.valid.as_ref().map_or_else(|| normed.shallow_clone(), |mask| mask.zero_padding(&normed));
        let time = y.size()[1];
        let filled = normed.narrow(1, 0, time.min(self.frames));
        let filled = filled.constant_pad_nd([0, 0, 0, (self.frames - time).max(0)]);
        let mixed = self.conv3.forward(&self.conv2.forward(&self.conv1.forward(&filled).relu()));
        let gate = self.gate.gate(&mixed.mean_dim([-1i64].as_slice(), false, Kind::Float));
        let change = (mixed * gate.unsqueeze(-1)).narrow(1, 0, time.min(self.frames));
        y + change.constant_pad_nd([0, 0, 0, (time - self.frames).max(0)])
    }
}

/// A narrow branch beside a convolution of the front end: `y + pointwise(gelu(conv(x)))`.
#[derive(Debug)]
pub struct FrontBranch {
    conv: Conv1d,
    pointwise: Conv1d,
}

impl FrontBranch {
    /// `conv` `[width, in_channels, kernel]` and `pointwise` `[out_channels, width, 1]`, both with a bias, at `loader`.
    ///
    /// # Errors
    /// As [`Conv1d::new`].
    pub fn new(loader: &Loader, beside: ConvShape, width: i64) -> Result<Self, NnError> {
        let narrow = ConvShape { out_channels: width, groups: 1, ..beside };
        let widen = ConvShape::valid((width, beside.out_channels), 1, 1);
        Ok(Self {
            conv: Conv1d::new(&loader.at("conv"), narrow, true)?,
            pointwise: Conv1d::new(&loader.at("pointwise"), widen, true)?,
        })
    }
}

impl Patch for FrontBranch {
    fn patch(&self, x: &Tensor, y: Tensor, _cx: &Cx) -> Tensor {
        y + self.pointwise.forward(&self.conv.forward(x).gelu("none"))
    }
}

#[cfg(test)]
mod tests {
    use sure_nn::{Loading, Seed, Source, tch::Device};

    use super::*;
    use crate::method::tests::{LARGE, counts};

    #[test]
    fn frames_behind_the_last_channel_pass_as_they_are() {
        let loading = Loading::trainable(Source::Init(Seed::new(1)), Device::Cpu);
        let adapter = TimeConv::new(&loading.root(), 8, (16, 1)).unwrap();
        let y = Tensor::arange(20 * 8, (Kind::Float, Device::Cpu)).sin().view([1, 20, 8]);
        let out = adapter.patch(&y, y.shallow_clone(), &Cx::eval());
        assert!(out.narrow(1, 16, 4).equal(&y.narrow(1, 16, 4)));
        assert!(!out.narrow(1, 0, 16).equal(&y.narrow(1, 0, 16)));
    }

    #[test]
    fn the_count_is_the_papers() {
        let config =
            Conv2022Config { frames: 124, squeeze_reduction: 16, front_width: 8, blocks: Blocks::All };
        assert_eq!(counts(&config, LARGE), 2_325_792 + 361_520);
    }
}
