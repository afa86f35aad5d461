//! Tiny attention (Zhao et al. 2022, arXiv 2211.01979), as the SURE paper's code has it:
//! `y + expand(attention(split(norm(y))))`, where `split` gives one query, key and value channel, and attention has one
//! head of width one with projections of its own. Padding is not seen.

use serde::{Deserialize, Serialize};
use sure_nn::{
    Anatomy, Cx, Dense, Init, LayerNorm, Loader, NnError, Patch, Placement, Role,
    tch::{Kind, Tensor},
};

use crate::{Built, Method, at_sites, conv::NORM_EPS};

/// Configuration of tiny attention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TinyAttentionConfig {
    /// Dropout of the attention weights in training.
    pub dropout: f64,
    /// Whose outputs are adapted.
    pub placement: Placement,
}

impl Method for TinyAttentionConfig {
    fn build(&self, anatomy: &Anatomy, loader: &Loader) -> Result<Built, NnError> {
        at_sites(anatomy, &self.placement, loader, |loader, spec| {
            TinyAttention::new(loader, spec.out_dim, self.dropout)
        })
    }

    fn declared_count(&self, anatomy: &Anatomy) -> Result<u64, NnError> {
        let sites = anatomy.resolve(&self.placement)?;
        Ok(sites.iter().map(|spec| TinyAttention::count(spec.out_dim)).sum())
    }
}

/// The adapter of one site.
#[derive(Debug)]
pub struct TinyAttention {
    norm: LayerNorm,
    split: Dense,
    in_weight: Tensor,
    in_bias: Tensor,
    out: Dense,
    expand: Dense,
    dropout: f64,
    place: String,
}

impl TinyAttention {
    /// `norm` `[hidden]`, `split` `[3, hidden]`, `attention.in_proj_weight` `[3, 1]`, `attention.in_proj_bias` `[3]`,
    /// `attention.out_proj` `[1, 1]` and `expand` `[hidden, 1]` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(loader: &Loader, hidden: i64, dropout: f64) -> Result<Self, NnError> {
        let attention = loader.at("attention");
        // Xavier-uniform, as PyTorch's attention starts it: sqrt(6 / (1 + 3)). The linear maps are redrawn with deviation
        // 0.02 by transformers, this parameter is not.
        let xavier = Init::Uniform { bound: 1.5_f64.sqrt() };
        Ok(Self {
            norm: LayerNorm::new(&loader.at("norm"), hidden, NORM_EPS)?,
            split: Dense::new(&loader.at("split"), hidden, 3)?,
            in_weight: attention.param("in_proj_weight", &[3, 1], Role::Weight, xavier)?,
            in_bias: attention.param("in_proj_bias", &[3], Role::Bias, Init::Zeros)?,
            out: Dense::new(&attention.at("out_proj"), 1, 1)?,
            expand: Dense::new(&loader.at("expand"), 1, hidden)?,
            dropout,
            place: loader.path().to_owned(),
        })
    }

    /// Norm `2 H`, split `3 H + 3`, attention 8, expand `2 H`.
    pub(crate) const fn count(hidden: i64) -> u64 {
        (7 * hidden + 11) as u64
    }

    /// `[batch, time, hidden]` to the same shape, the residual included.
    pub(crate) fn forward(&self, y: Tensor, cx: &Cx) -> Tensor {
        let split = self.split.forward(&self.norm.forward(&y));
        let inputs = split * self.in_weight.view([3]) + &self.in_bias;
        let channel = |index: i64| inputs.narrow(-1, index, 1);
        let scores = channel(0).matmul(&channel(1).transpose(1, 2));
        let scores = match cx.valid.as_ref().and_then(|valid| valid.key_bias()) {
            Some(bias) => scores + bias.squeeze_dim(1),
            None => scores,
        };
        let weights = cx.dropout(scores.softmax(-1, Kind::Float), self.dropout, &self.place);
        let mixed = self.out.forward(&weights.matmul(&channel(2)));
        y + self.expand.forward(&mixed)
    }
}

impl Patch for TinyAttention {
    fn patch(&self, _x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
        self.forward(y, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::tests::{BASE, LARGE, at_blocks, counts};

    #[test]
    fn the_counts_are_the_papers() {
        let config = TinyAttentionConfig { dropout: 0.1, placement: at_blocks() };
        assert_eq!(counts(&config, LARGE), 172_296);
        assert_eq!(counts(&config, BASE), 64_644);
    }
}
