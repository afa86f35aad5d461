//! The adaptation methods. Each is one file: its configuration, its patch, its parameter formula, its tests.
//!
//! A method knows no backbone: it is told the sites (a [`Placement`](sure_nn::Placement) resolved against an
//! [`Anatomy`]) and their widths, and acts through [`sure_nn::Adapter`].

mod method;
mod place;
mod squeeze_excite;

pub use method::Built;
pub(crate) use method::Method;
pub(crate) use place::{at_sites, positive};
#[doc(no_inline)]
pub use sure_nn::Anatomy;

method::methods! {
    /// Two linear maps with a narrow waist.
    bottleneck => Bottleneck(BottleneckConfig, Bottleneck),
    /// Trained keys and values in front of each block's own.
    prefix => Prefix(PrefixConfig, Prefix),
    /// Low-rank updates of linear maps.
    lora => Lora(LoraConfig, Lora),
    /// The `ConvAdapter` as released.
    conv => Conv(ConvConfig, Conv),
    /// The `ConvAdapter` of the paper's submission.
    #[serde(rename = "conv-2022")]
    conv_2022 => Conv2022(Conv2022Config, FrontBranch, TimeConv),
    /// Attention of width one.
    tiny_attention => TinyAttention(TinyAttentionConfig, TinyAttention),
    /// Attention to a few trained slots.
    external_attention => ExternalAttention(ExternalAttentionConfig, ExternalAttention),
    /// Convolution and attention between two narrow maps.
    tiny_conformer => TinyConformer(TinyConformerConfig, TinyConformer),
}
