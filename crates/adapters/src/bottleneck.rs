//! The bottleneck adapter (Houlsby et al. 2019, arXiv 1902.00751), as the SURE paper uses it:
//! `y + W_up relu(W_down y + b_down) + b_up`.
//!
//! The width is the hidden width over `reduction`; the paper's is 2, although its library's default says 16. There is no
//! norm, no scale and no dropout. Weights start normal with deviation 0.02, so a fresh adapter is not the identity.

use serde::{Deserialize, Serialize};
use sure_nn::{Anatomy, Cx, Dense, Loader, NnError, Patch, Placement, SiteSpec, tch::Tensor};

use crate::{Built, Method, at_sites, positive};

/// Configuration of the bottleneck adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BottleneckConfig {
    /// The waist has the site's width over this.
    pub reduction: i64,
    /// Whose outputs are adapted.
    pub placement: Placement,
}

impl BottleneckConfig {
    fn width(&self, spec: SiteSpec) -> Result<i64, NnError> {
        positive("width", spec.out_dim / positive("reduction", self.reduction)?)
    }
}

impl Method for BottleneckConfig {
    fn build(&self, anatomy: &Anatomy, loader: &Loader) -> Result<Built, NnError> {
        at_sites(anatomy, &self.placement, loader, |loader, spec| {
            Bottleneck::new(loader, spec.out_dim, self.width(spec)?)
        })
    }

    fn declared_count(&self, anatomy: &Anatomy) -> Result<u64, NnError> {
        let sites = anatomy.resolve(&self.placement)?;
        sites
            .iter()
            .map(|&spec| Ok((2 * spec.out_dim * self.width(spec)? + self.width(spec)? + spec.out_dim) as u64))
            .sum()
    }
}

/// The adapter of one site.
#[derive(Debug)]
pub struct Bottleneck {
    down: Dense,
    up: Dense,
}

impl Bottleneck {
    /// `down` `[width, hidden]` and `up` `[hidden, width]`, each with a bias, at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(loader: &Loader, hidden: i64, width: i64) -> Result<Self, NnError> {
        Ok(Self {
            down: Dense::new(&loader.at("down"), hidden, width)?,
            up: Dense::new(&loader.at("up"), width, hidden)?,
        })
    }
}

impl Patch for Bottleneck {
    fn patch(&self, _x: &Tensor, y: Tensor, _cx: &Cx) -> Tensor {
        let change = self.up.forward(&self.down.forward(&y).relu());
        y + change
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::tests::{BASE, LARGE, at_blocks, counts};

    #[test]
    fn the_counts_are_the_papers() {
        let config = |reduction| BottleneckConfig { reduction, placement: at_blocks() };
        assert_eq!(counts(&config(2), LARGE), 25_202_688);
        assert_eq!(counts(&config(2), BASE), 7_091_712);
        assert_eq!(counts(&config(16), LARGE), 3_171_840);
    }

    #[test]
    fn a_reduction_that_leaves_no_width_is_refused() {
        for reduction in [0, 2048] {
            let config = BottleneckConfig { reduction, placement: at_blocks() };
            assert!(config.declared_count(&LARGE.anatomy()).is_err());
        }
    }
}
