//! Several adapters as one.

use tch::Tensor;

use crate::{Adapter, BlockId, Cx, KvPrefix, Site};

/// Adapters that act one after the other at every site: the second sees what the first returned.
#[derive(Debug)]
pub struct Compose {
    adapters: Vec<Box<dyn Adapter + Send>>,
}

impl Compose {
    /// The adapters, the first to act first.
    pub fn new(adapters: Vec<Box<dyn Adapter + Send>>) -> Self {
        Self { adapters }
    }
}

impl Adapter for Compose {
    fn around(&self, at: Site, x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
        self.adapters.iter().fold(y, |y, adapter| adapter.around(at, x, y, cx))
    }

    /// The prefixes side by side, the first adapter's in front.
    fn kv_prefix(&self, at: BlockId, cx: &Cx) -> Option<KvPrefix> {
        let prefixes = self.adapters.iter().filter_map(|adapter| adapter.kv_prefix(at, cx));
        prefixes.reduce(|front, back| KvPrefix {
            key: Tensor::cat(&[front.key, back.key], 2),
            value: Tensor::cat(&[front.value, back.value], 2),
        })
    }

    /// Those of all adapters; a site may come twice, and the changes add up.
    fn weight_deltas(&self) -> Option<Vec<(Site, Tensor)>> {
        let all = self.adapters.iter().map(|adapter| adapter.weight_deltas()).collect::<Option<Vec<_>>>()?;
        Some(all.into_iter().flatten().collect())
    }
}
