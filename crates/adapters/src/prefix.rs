//! Prefix tuning (Li and Liang 2021, arXiv 2101.00190), in the form of P-tuning v2 (Liu et al. 2022, arXiv 2110.07602) that
//! the SURE paper uses: trained keys and values stand in front of each block's own and are always seen.
//!
//! One table `[length, 2 blocks hidden]` a stack, normal at the start with deviation `std` (the paper: 1), without a
//! network in front of it. The columns of block `i` are its keys, then its values. Queries do not change; prefix keys are
//! used as they are. Dropout acts on the table's values, anew for each clip.

use serde::{Deserialize, Serialize};
use sure_nn::{
    Adapter, Anatomy, BlockId, Blocks, Cx, Init, KvPrefix, Loader, NnError, Part, Role, StackAnatomy,
    tch::Tensor,
};

use crate::{Built, Method, positive};

/// Configuration of prefix tuning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrefixConfig {
    /// Keys, and values, in front of a block's own.
    pub length: i64,
    /// Standard deviation of the table at the start.
    pub std: f64,
    /// Dropout in training.
    pub dropout: f64,
    /// The blocks that get a prefix.
    pub blocks: Blocks,
}

impl Method for PrefixConfig {
    fn build(&self, anatomy: &Anatomy, loader: &Loader) -> Result<Built, NnError> {
        positive("length", self.length)?;
        let tables = anatomy.stacks.iter().map(|stack| Table::new(loader, self, stack, anatomy));
        let tables = tables.collect::<Result<Vec<_>, _>>()?;
        let blocks = tables.iter().flat_map(|table| &table.blocks);
        let sites = blocks.map(|block| block.site(Part::Attention)).collect();
        Ok(Built::new(Prefix { tables, length: self.length, dropout: self.dropout }, sites))
    }

    fn declared_count(&self, anatomy: &Anatomy) -> Result<u64, NnError> {
        let count = |stack: &StackAnatomy| {
            let blocks = self.blocks.of_stack(stack, anatomy)?.len() as i64;
            Ok((self.length * 2 * blocks * stack.heads * stack.head_dim) as u64)
        };
        anatomy.stacks.iter().map(count).sum()
    }
}

/// The prefixes of all blocks.
#[derive(Debug)]
pub struct Prefix {
    tables: Vec<Table>,
    length: i64,
    dropout: f64,
}

/// The prefixes of a stack.
#[derive(Debug)]
struct Table {
    embedding: Tensor,
    blocks: Vec<BlockId>,
    heads: i64,
    head_dim: i64,
}

impl Table {
    fn new(
        loader: &Loader,
        config: &PrefixConfig,
        stack: &StackAnatomy,
        anatomy: &Anatomy,
    ) -> Result<Self, NnError> {
        let blocks = config.blocks.of_stack(stack, anatomy)?;
        let (heads, head_dim) = (stack.heads, stack.head_dim);
        let shape = [config.length, 2 * blocks.len() as i64 * heads * head_dim];
        let table = loader.at(stack.stack.name()).at("embedding");
        let init = Init::Normal { std: config.std };
        Ok(Self { embedding: table.param("weight", &shape, Role::Weight, init)?, blocks, heads, head_dim })
    }
}

impl Adapter for Prefix {
    fn kv_prefix(&self, at: BlockId, cx: &Cx) -> Option<KvPrefix> {
        let (table, index) = self.tables.iter().find_map(|table| {
            table.blocks.iter().position(|&block| block == at).map(|index| (table, index as i64))
        })?;
        let batch = cx.valid.as_ref().map_or(1, |valid| valid.lengths().len() as i64);
        let width = table.heads * table.head_dim;
        // Half 0 are the keys, half 1 the values: `[batch, heads, length, head_dim]`.
        let half = |half: i64| {
            let rows = table.embedding.narrow(1, (2 * index + half) * width, width);
            let rows = rows.view([1, self.length, table.heads, table.head_dim]).transpose(1, 2);
            let all = rows.expand([batch, table.heads, self.length, table.head_dim], false);
            cx.dropout(all, self.dropout, format_args!("{} prefix {half}", at.site(Part::Attention)))
        };
        Some(KvPrefix { key: half(0), value: half(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::tests::{BASE, LARGE, counts};

    #[test]
    fn the_counts_are_the_papers() {
        let config = PrefixConfig { length: 30, std: 1.0, dropout: 0.1, blocks: Blocks::All };
        assert_eq!(counts(&config, LARGE), 1_474_560);
        assert_eq!(counts(&config, BASE), 552_960);
    }
}
