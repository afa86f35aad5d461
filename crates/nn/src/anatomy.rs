//! What a backbone declares of itself, once.

use crate::{BlockId, ConvShape, NoSuchSite, Part, Placement, SiteSpec, Stack};

/// Where the layer norms of a block stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormOrder {
    /// Before attention and feed-forward (Whisper, "stable layer norm" wav2vec2).
    Pre,
    /// After the residual sums (wav2vec2-base, BERT).
    Post,
}

/// One stack of equal blocks.
#[derive(Debug, Clone)]
pub struct StackAnatomy {
    /// Which stack.
    pub stack: Stack,
    /// Number of blocks.
    pub blocks: usize,
    /// Width of the hidden states.
    pub hidden: i64,
    /// Attention heads.
    pub heads: i64,
    /// Width of a head.
    pub head_dim: i64,
    /// Width of the feed-forward layer.
    pub inner: i64,
    /// Norm order.
    pub norm_order: NormOrder,
    /// The parts that its blocks offer.
    pub parts: Vec<Part>,
}

impl StackAnatomy {
    /// A stack whose blocks are [`EncoderBlock`](crate::EncoderBlock)s: every part but `Conv`.
    pub fn of_encoder_blocks(
        blocks: usize,
        hidden: i64,
        heads: i64,
        inner: i64,
        norm_order: NormOrder,
    ) -> Self {
        let parts = vec![
            Part::Query,
            Part::Key,
            Part::Value,
            Part::Out,
            Part::Up,
            Part::Activation,
            Part::Down,
            Part::Attention,
            Part::FeedForward,
            Part::Block,
        ];
        Self {
            stack: Stack::Encoder,
            blocks,
            hidden,
            heads,
            head_dim: hidden / heads,
            inner,
            norm_order,
            parts,
        }
    }

    /// Input and output width of `part`.
    fn dims(&self, part: Part) -> (i64, i64) {
        let attention = self.heads * self.head_dim;
        match part {
            Part::Query | Part::Key | Part::Value => (self.hidden, attention),
            Part::Out => (attention, self.hidden),
            Part::Up => (self.hidden, self.inner),
            Part::Activation => (self.inner, self.inner),
            Part::Down => (self.inner, self.hidden),
            Part::Attention | Part::FeedForward | Part::Block | Part::Conv => (self.hidden, self.hidden),
        }
    }
}

/// The front end and the stacks of a backbone, input first.
#[derive(Debug, Clone)]
pub struct Anatomy {
    /// The convolutions of the front end, each a block of [`Stack::FrontEnd`].
    pub front_end: Vec<ConvShape>,
    /// The stacks.
    pub stacks: Vec<StackAnatomy>,
}

impl Anatomy {
    /// Width of the hidden states that leave the backbone.
    pub fn hidden(&self) -> i64 {
        self.stacks.last().map_or(0, |stack| stack.hidden)
    }

    /// Blocks of all stacks together.
    pub fn blocks(&self) -> usize {
        self.stacks.iter().map(|stack| stack.blocks).sum()
    }

    /// Every site that the backbone offers.
    pub fn sites(&self) -> Vec<SiteSpec> {
        let mut sites: Vec<_> = (0..self.front_end.len()).map(|layer| self.conv_spec(layer)).collect();
        for stack in &self.stacks {
            for block in 0..stack.blocks {
                sites.extend(stack.parts.iter().map(|&part| stack.spec(block, part)));
            }
        }
        sites
    }

    /// The sites that `placement` names.
    ///
    /// # Errors
    /// When it names a part that the backbone lacks, a block out of range, or nothing at all.
    pub fn resolve(&self, placement: &Placement) -> Result<Vec<SiteSpec>, NoSuchSite> {
        placement.resolve(self)
    }

    /// The site of convolution `layer` of the front end.
    pub(crate) fn conv_spec(&self, layer: usize) -> SiteSpec {
        let conv = self.front_end[layer];
        let site = BlockId::front_end(layer).site(Part::Conv);
        SiteSpec { site, in_dim: conv.in_channels, out_dim: conv.out_channels, conv: Some(conv) }
    }
}

impl StackAnatomy {
    /// The site of `part` in `block` with its widths.
    pub(crate) fn spec(&self, block: usize, part: Part) -> SiteSpec {
        let (in_dim, out_dim) = self.dims(part);
        let site = BlockId { stack: self.stack, block }.site(part);
        SiteSpec { site, in_dim, out_dim, conv: None }
    }
}
