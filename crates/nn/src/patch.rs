//! Methods that work site by site.

use std::{collections::BTreeMap, fmt::Debug};

use tch::Tensor;

use crate::{Adapter, Cx, Site};

/// A small trainable function at one site.
///
/// # For implementers
/// `patch` sees both sides of a frozen function: `y + f(x)` is a parallel patch, `f(y)` a sequential one. It must be
/// pure and must ignore padding where it looks along time (see [`Cx::valid`]).
pub trait Patch: Debug {
    /// What the backbone continues with instead of `y`.
    ///
    /// # Shapes
    /// `x` `[batch, time, in_dim]`, `y` and the result `[batch, time, out_dim]`; `[batch, channels, time]` at
    /// [`Part::Conv`](crate::Part::Conv).
    fn patch(&self, x: &Tensor, y: Tensor, cx: &Cx) -> Tensor;

    /// The change of the frozen weight `[out_dim, in_dim]` that does the same, where there is one.
    fn weight_delta(&self) -> Option<Tensor> {
        None
    }
}

/// An adapter made of one patch a site.
#[derive(Debug)]
pub struct PerSite<P> {
    patches: BTreeMap<Site, P>,
}

impl<P: Patch> PerSite<P> {
    /// An adapter that applies `patches` at their sites and nothing elsewhere.
    pub fn new(patches: BTreeMap<Site, P>) -> Self {
        Self { patches }
    }

    /// The sites, in order.
    pub fn sites(&self) -> impl Iterator<Item = Site> {
        self.patches.keys().copied()
    }
}

impl<P: Patch> Adapter for PerSite<P> {
    fn around(&self, at: Site, x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
        match self.patches.get(&at) {
            Some(patch) => patch.patch(x, y, cx),
            None => y,
        }
    }

    fn weight_deltas(&self) -> Option<Vec<(Site, Tensor)>> {
        self.patches.iter().map(|(site, patch)| patch.weight_delta().map(|delta| (*site, delta))).collect()
    }
}
