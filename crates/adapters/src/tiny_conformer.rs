//! The tiny conformer of the SURE paper's code (arXiv 2303.03267): between two narrow maps a [`Conv`] and a
//! [`TinyAttention`], each with its own residual: `y + silu(post(norm(attention(conv(silu(pre(norm(y))))))))`.
//!
//! The released code names the parts and not their order beyond doubt; convolution before attention is our reading.

use serde::{Deserialize, Serialize};
use sure_nn::{Anatomy, Cx, Dense, LayerNorm, Loader, NnError, Patch, Placement, SiteSpec, tch::Tensor};

use crate::{Built, Conv, Method, TinyAttention, at_sites, conv::NORM_EPS, positive};

/// Configuration of the tiny conformer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TinyConformerConfig {
    /// The waist has the site's width over this.
    pub reduction: i64,
    /// The inner convolution has the waist's width over this.
    pub conv_reduction: i64,
    /// The gate's waist has the waist's width over this, rounded down.
    pub squeeze_reduction: i64,
    /// Dropout in training, of both narrow maps and of the attention weights.
    pub dropout: f64,
    /// Whose outputs are adapted.
    pub placement: Placement,
}

/// The widths of a tiny conformer.
#[derive(Debug, Clone, Copy)]
struct Widths {
    hidden: i64,
    waist: i64,
    conv: (i64, i64),
}

impl TinyConformerConfig {
    fn widths(&self, hidden: i64) -> Result<Widths, NnError> {
        let waist = positive("waist", hidden / positive("reduction", self.reduction)?)?;
        let conv = positive("width", waist / positive("conv_reduction", self.conv_reduction)?)?;
        // A waist narrower than the reduction still has one channel in the gate's middle.
        let squeezed = (waist / positive("squeeze_reduction", self.squeeze_reduction)?).max(1);
        Ok(Widths { hidden, waist, conv: (conv, squeezed) })
    }
}

impl Method for TinyConformerConfig {
    fn build(&self, anatomy: &Anatomy, loader: &Loader) -> Result<Built, NnError> {
        at_sites(anatomy, &self.placement, loader, |loader, SiteSpec { out_dim, .. }| {
            TinyConformer::new(loader, self.widths(out_dim)?, self.dropout)
        })
    }

    fn declared_count(&self, anatomy: &Anatomy) -> Result<u64, NnError> {
        let count = |spec: SiteSpec| {
            let Widths { hidden, waist, conv } = self.widths(spec.out_dim)?;
            let maps = 2 * hidden * waist + waist + hidden;
            let norms = 2 * hidden + 2 * waist;
            Ok((maps + norms) as u64 + Conv::count(waist, conv) + TinyAttention::count(waist))
        };
        anatomy.resolve(&self.placement)?.into_iter().map(count).sum()
    }
}

/// The adapter of one site.
#[derive(Debug)]
pub struct TinyConformer {
    pre_norm: LayerNorm,
    pre: Dense,
    conv: Conv,
    attention: TinyAttention,
    post_norm: LayerNorm,
    post: Dense,
    dropout: f64,
    place: String,
}

impl TinyConformer {
    /// `pre_norm` `[hidden]`, `pre` `[waist, hidden]`, `conv`, `attention`, `post_norm` `[waist]`, `post` `[hidden, waist]`.
    fn new(loader: &Loader, widths: Widths, dropout: f64) -> Result<Self, NnError> {
        let Widths { hidden, waist, conv } = widths;
        Ok(Self {
            pre_norm: LayerNorm::new(&loader.at("pre_norm"), hidden, NORM_EPS)?,
            pre: Dense::new(&loader.at("pre"), hidden, waist)?,
            conv: Conv::new(&loader.at("conv"), waist, conv, true)?,
            attention: TinyAttention::new(&loader.at("attention"), waist, dropout)?,
            post_norm: LayerNorm::new(&loader.at("post_norm"), waist, NORM_EPS)?,
            post: Dense::new(&loader.at("post"), waist, hidden)?,
            dropout,
            place: loader.path().to_owned(),
        })
    }

    fn drop(&self, x: Tensor, name: &str, cx: &Cx) -> Tensor {
        cx.dropout(x, self.dropout, format_args!("{}.{name}", self.place))
    }
}

impl Patch for TinyConformer {
    fn patch(&self, _x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
        let waist = self.drop(self.pre.forward(&self.pre_norm.forward(&y)).silu(), "pre", cx);
        let mixed = self.attention.forward(self.conv.forward(waist, cx), cx);
        let change = self.drop(self.post.forward(&self.post_norm.forward(&mixed)).silu(), "post", cx);
        y + change
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::tests::{BASE, LARGE, at_blocks, counts};

    #[test]
    fn the_counts_are_the_papers() {
        let config = TinyConformerConfig {
            reduction: 32,
            conv_reduction: 2,
            squeeze_reduction: 16,
            dropout: 0.1,
            placement: at_blocks(),
        };
        assert_eq!(counts(&config, LARGE), 1_665_672);
        assert_eq!(counts(&config, BASE), 476_628);
    }
}
