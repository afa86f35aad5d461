//! The seam between backbones and methods: two verbs, both no-ops by default.

use std::{cell::RefCell, collections::BTreeSet, fmt::Debug};

use tch::Tensor;

use crate::{BlockId, Cx, Part, Site};

/// Keys and values that attention puts in front of its own, each `[batch, heads, prefix, head_dim]`.
#[derive(Debug)]
pub struct KvPrefix {
    /// The keys.
    pub key: Tensor,
    /// The values.
    pub value: Tensor,
}

/// Something that acts inside a frozen backbone.
///
/// # For implementers
/// A method that works site by site implements [`Patch`](crate::Patch) instead and gets this trait through
/// [`PerSite`](crate::PerSite). Both verbs must be pure: the same step may run twice (gradient checkpointing, the
/// doctor's comparisons), and a forward pass under [`Cx::eval`] must not draw random numbers.
pub trait Adapter: Debug {
    /// A frozen function at `at` turned `x` into `y`: returns what the backbone shall continue with.
    ///
    /// # Shapes
    /// `x` `[batch, time, in_dim]`, `y` and the result `[batch, time, out_dim]`; `[batch, channels, time]` at
    /// [`Part::Conv`].
    fn around(&self, at: Site, x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
        let _ = (at, x, cx);
        y
    }

    /// Keys and values to put in front of those of block `at`.
    fn kv_prefix(&self, at: BlockId, cx: &Cx) -> Option<KvPrefix> {
        let _ = (at, cx);
        None
    }

    /// The changes of frozen weights, each `[out_dim, in_dim]`, that do the same as this adapter; `None` when it
    /// cannot be merged.
    fn weight_deltas(&self) -> Option<Vec<(Site, Tensor)>> {
        None
    }
}

/// The adapter that does nothing: the frozen backbone itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAdapter;

impl Adapter for NoAdapter {}

/// What a forward pass hands down to every layer.
#[derive(Debug, Clone, Copy)]
pub struct Hooks<'a> {
    /// The adapter that acts.
    pub adapter: &'a dyn Adapter,
    /// The context.
    pub cx: &'a Cx,
}

impl<'a> Hooks<'a> {
    /// Hooks for one forward pass.
    pub fn new(adapter: &'a dyn Adapter, cx: &'a Cx) -> Self {
        Self { adapter, cx }
    }

    /// Calls the adapter at `part` of `block`.
    pub fn around(&self, block: BlockId, part: Part, x: &Tensor, y: Tensor) -> Tensor {
        self.adapter.around(block.site(part), x, y, self.cx)
    }

    /// Asks the adapter for a prefix at `block`.
    pub fn kv_prefix(&self, block: BlockId) -> Option<KvPrefix> {
        self.adapter.kv_prefix(block, self.cx)
    }
}

/// Wraps an adapter and notes which sites a forward pass visits, and with which shapes.
#[derive(Debug)]
pub struct Recorder<'a> {
    inner: &'a dyn Adapter,
    visits: RefCell<Vec<Visit>>,
}

/// One call of an adapter: the site, the shape of `x`, the shape of `y`.
pub type Visit = (Site, Vec<i64>, Vec<i64>);

impl<'a> Recorder<'a> {
    /// Records the visits to `inner`.
    pub fn new(inner: &'a dyn Adapter) -> Self {
        Self { inner, visits: RefCell::default() }
    }

    /// The sites visited, each once.
    pub fn sites(&self) -> BTreeSet<Site> {
        self.visits.borrow().iter().map(|(site, ..)| *site).collect()
    }

    /// Every visit in order.
    pub fn visits(&self) -> Vec<Visit> {
        self.visits.borrow().clone()
    }
}

impl Adapter for Recorder<'_> {
    fn around(&self, at: Site, x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
        self.visits.borrow_mut().push((at, x.size(), y.size()));
        self.inner.around(at, x, y, cx)
    }

    fn kv_prefix(&self, at: BlockId, cx: &Cx) -> Option<KvPrefix> {
        self.inner.kv_prefix(at, cx)
    }
}
