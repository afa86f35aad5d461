//! Where a method's patches go: configuration, the same for all methods.

use serde::{Deserialize, Serialize};

use crate::{Anatomy, Part, Site};

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
    /// The sites of `anatomy` that this placement names, input first.
    ///
    /// # Errors
    /// When a part or block does not exist, or nothing matches.
    pub fn resolve(&self, anatomy: &Anatomy) -> Result<Vec<SiteSpec>, NoSuchSite> {
        let mut sites = Vec::new();
        for stack in &anatomy.stacks {
            for block in self.blocks.of(stack.blocks).map_err(|asked| offered(anatomy, asked))? {
                for &part in &self.parts {
                    if !stack.parts.contains(&part) {
                        return Err(offered(anatomy, format!("part {}", part.name())));
                    }
                    sites.push(stack.spec(block, part));
                }
            }
        }
        if sites.is_empty() {
            return Err(offered(anatomy, "an empty placement".to_owned()));
        }
        Ok(sites)
    }
}

impl Blocks {
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
    let stacks = anatomy.stacks.iter().map(|stack| {
        let parts: Vec<_> = stack.parts.iter().map(|part| part.name()).collect();
        format!("{:?} blocks 0 to {} with {}", stack.stack, stack.blocks.saturating_sub(1), parts.join(", "))
    });
    NoSuchSite { asked, offered: stacks.collect::<Vec<_>>().join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NormOrder, StackAnatomy};

    fn anatomy() -> Anatomy {
        Anatomy { stacks: vec![StackAnatomy::of_encoder_blocks(3, 8, 2, 16, NormOrder::Pre)] }
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
