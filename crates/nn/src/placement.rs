//! Where a method's patches go: configuration, the same for all methods.

use serde::{Deserialize, Serialize};

use crate::{Anatomy, BlockId, ConvShape, Part, Site, StackAnatomy};

/// Parts and blocks, for example `parts = ["query", "value"], blocks = "all"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// The parts of each chosen block.
    pub parts: Vec<Part>,
    /// The chosen blocks.
    pub blocks: Blocks,
}

/// A choice of blocks, counted from the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blocks {
    /// Every block.
    All,
    /// The `n` blocks nearest to the output.
    Top(usize),
    /// The listed blocks.
    Only(Vec<usize>),
}

/// A place for one patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteSpec {
    /// Where.
    pub site: Site,
    /// Width of `x`.
    pub in_dim: i64,
    /// Width of `y`.
    pub out_dim: i64,
    /// The convolution, at [`Part::Conv`].
    pub conv: Option<ConvShape>,
}

/// A placement asked for something that the backbone does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such site: {asked}; this backbone offers {offered}")]
pub struct NoSuchSite {
    /// What was asked for.
    pub asked: String,
    /// What there is.
    pub offered: String,
}

impl Placement {
    /// The sites of `anatomy` that this placement names, input first. Blocks are counted in each stack that offers one
    /// of the parts; the convolutions of the front end are the blocks of a stack of their own.
    ///
    /// # Errors
    /// When a part or block does not exist, or nothing matches.
    pub fn resolve(&self, anatomy: &Anatomy) -> Result<Vec<SiteSpec>, NoSuchSite> {
        let offers = |part| {
            let convolves = part == Part::Conv && !anatomy.front_end.is_empty();
            convolves || anatomy.stacks.iter().any(|stack| stack.parts.contains(&part))
        };
        if let Some(part) = self.parts.iter().find(|&&part| !offers(part)) {
            return Err(offered(anatomy, format!("part {}", part.name())));
        }
        let chosen = |count| self.blocks.of(count).map_err(|asked| offered(anatomy, asked));
        let mut sites = Vec::new();
        if self.parts.contains(&Part::Conv) {
            sites.extend(chosen(anatomy.front_end.len())?.into_iter().map(|layer| anatomy.conv_spec(layer)));
        }
        for stack in &anatomy.stacks {
            let parts: Vec<Part> =
                self.parts.iter().copied().filter(|part| stack.parts.contains(part)).collect();
            if parts.is_empty() {
                continue;
            }
            for block in chosen(stack.blocks)? {
                sites.extend(parts.iter().map(|&part| stack.spec(block, part)));
            }
        }
        if sites.is_empty() {
            return Err(offered(anatomy, "an empty placement".to_owned()));
        }
        Ok(sites)
    }
}

impl Blocks {
    /// The chosen ones of the encoder's blocks.
    ///
    /// # Errors
    /// When a block does not exist, or none is chosen.
    pub fn of_stack(&self, stack: &StackAnatomy, anatomy: &Anatomy) -> Result<Vec<BlockId>, NoSuchSite> {
        let blocks = self.of(stack.blocks).map_err(|asked| offered(anatomy, asked))?;
        if blocks.is_empty() {
            return Err(offered(anatomy, "an empty placement".to_owned()));
        }
        Ok(blocks.into_iter().map(|block| BlockId { stack: stack.stack, block }).collect())
    }

    fn of(&self, count: usize) -> Result<Vec<usize>, String> {
        match self {
            Self::All => Ok((0..count).collect()),
            Self::Top(n) if *n <= count => Ok((count - n..count).collect()),
            Self::Top(n) => Err(format!("the top {n} blocks")),
            Self::Only(list) => match list.iter().find(|&&block| block >= count) {
                Some(block) => Err(format!("block {block}")),
                None => Ok(list.clone()),
            },
        }
    }
}

fn offered(anatomy: &Anatomy, asked: String) -> NoSuchSite {
    let mut all = Vec::new();
    if let Some(last) = anatomy.front_end.len().checked_sub(1) {
        all.push(format!("front-end layers 0 to {last} with conv"));
    }
    all.extend(anatomy.stacks.iter().map(|stack| {
        let parts: Vec<_> = stack.parts.iter().map(|part| part.name()).collect();
        format!(
            "{} blocks 0 to {} with {}",
            stack.stack.name(),
            stack.blocks.saturating_sub(1),
            parts.join(", ")
        )
    }));
    NoSuchSite { asked, offered: all.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NormOrder, StackAnatomy};

    fn anatomy() -> Anatomy {
        Anatomy {
            front_end: Vec::new(),
            stacks: vec![StackAnatomy::of_encoder_blocks(3, 8, 2, 16, NormOrder::Pre)],
        }
    }

    #[test]
    fn a_placement_resolves_to_parts_times_blocks_with_widths() {
        let placement = Placement { parts: vec![Part::Query, Part::Up], blocks: Blocks::Top(2) };
        let sites = placement.resolve(&anatomy()).unwrap();
        let named: Vec<_> = sites.iter().map(|s| (s.site.to_string(), s.in_dim, s.out_dim)).collect();
        assert_eq!(
            named,
            [
                ("encoder.1.query".to_owned(), 8, 8),
                ("encoder.1.up".to_owned(), 8, 16),
                ("encoder.2.query".to_owned(), 8, 8),
                ("encoder.2.up".to_owned(), 8, 16),
            ]
        );
    }

    #[test]
    fn what_does_not_exist_is_an_error_that_lists_the_offer() {
        let conv =
            Placement { parts: vec![Part::Conv], blocks: Blocks::All }.resolve(&anatomy()).unwrap_err();
        assert!(conv.to_string().contains("part conv") && conv.to_string().contains("query"));
        let block = Placement { parts: vec![Part::Up], blocks: Blocks::Only(vec![7]) };
        assert!(block.resolve(&anatomy()).unwrap_err().to_string().contains("block 7"));
        assert!(Placement { parts: vec![], blocks: Blocks::All }.resolve(&anatomy()).is_err());
    }
}
