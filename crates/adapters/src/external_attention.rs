//! External attention (Guo et al. 2021, arXiv 2105.02358), as the SURE paper's code has it: `y + value(a)`, where `a` is the
//! softmax over time of `key(norm(y))`, then divided by its sum over the slots. Padding is not seen.

use serde::{Deserialize, Serialize};
use sure_nn::{
    Anatomy, Cx, Dense, LayerNorm, Loader, NnError, Patch, Placement,
    tch::{Kind, Tensor},
};

use crate::{Built, Method, at_sites, conv::NORM_EPS, positive};

/// Keeps the division by the slots' sum away from zero.
const SUM_EPS: f64 = 1e-9;

/// Configuration of external attention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalAttentionConfig {
    /// Trained slots.
    pub slots: i64,
    /// Whose outputs are adapted.
    pub placement: Placement,
}

impl Method for ExternalAttentionConfig {
    fn build(&self, anatomy: &Anatomy, loader: &Loader) -> Result<Built, NnError> {
        let slots = positive("slots", self.slots)?;
        at_sites(anatomy, &self.placement, loader, |loader, spec| {
            ExternalAttention::new(loader, spec.out_dim, slots)
        })
    }

    fn declared_count(&self, anatomy: &Anatomy) -> Result<u64, NnError> {
        let sites = anatomy.resolve(&self.placement)?;
        Ok(sites.iter().map(|spec| (2 * spec.out_dim * (1 + self.slots)) as u64).sum())
    }
}

/// The adapter of one site.
#[derive(Debug)]
pub struct ExternalAttention {
    norm: LayerNorm,
    key: Dense,
    value: Dense,
}

impl ExternalAttention {
    /// `norm` `[hidden]`, `key` `[slots, hidden]` and `value` `[hidden, slots]`, both without bias, at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(loader: &Loader, hidden: i64, slots: i64) -> Result<Self, NnError> {
        Ok(Self {
            norm: LayerNorm::new(&loader.at("norm"), hidden, NORM_EPS)?,
            key: Dense::without_bias(&loader.at("key"), hidden, slots)?,
            value: Dense::without_bias(&loader.at("value"), slots, hidden)?,
        })
    }
}

impl Patch for ExternalAttention {
    fn patch(&self, _x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
        let scores = self.key.forward(&self.norm.forward(&y));
        let scores = match cx.valid.as_ref().filter(|valid| !valid.is_full()) {
            Some(mask) => scores.masked_fill(&mask.valid().logical_not().unsqueeze(-1), f64::NEG_INFINITY),
            None => scores,
        };
        let shares = scores.softmax(1, Kind::Float);
        let sum = shares.sum_dim_intlist([-1i64].as_slice(), true, Kind::Float) + SUM_EPS;
        y + self.value.forward(&(shares / sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::tests::{BASE, LARGE, at_blocks, counts};

    #[test]
    fn the_counts_are_the_papers() {
        let config = ExternalAttentionConfig { slots: 8, placement: at_blocks() };
        assert_eq!(counts(&config, LARGE), 442_368);
        assert_eq!(counts(&config, BASE), 165_888);
    }
}
