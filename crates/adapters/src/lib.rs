//! The adaptation methods. Each is one file: its configuration, its patch, its parameter formula, its tests.
//!
//! A method knows no backbone: it is told the sites (a [`Placement`](sure_nn::Placement) resolved against an
//! [`Anatomy`]) and their widths, and acts through [`sure_nn::Adapter`].

mod bottleneck;
mod conv;
mod conv_2022;
mod external_attention;
mod lora;
mod method;
mod place;
mod prefix;
mod squeeze_excite;
mod tiny_attention;
mod tiny_conformer;

pub use bottleneck::{Bottleneck, BottleneckConfig};
pub use conv::{Conv, ConvConfig};
pub use conv_2022::{Conv2022Config, FrontBranch, TimeConv};
pub use external_attention::{ExternalAttention, ExternalAttentionConfig};
pub use lora::{Lora, LoraConfig};
pub(crate) use method::Method;
pub use method::{AdapterConfig, Built};
pub(crate) use place::{at_sites, positive};
pub use prefix::{Prefix, PrefixConfig};
#[doc(no_inline)]
pub use sure_nn::Anatomy;
pub use tiny_attention::{TinyAttention, TinyAttentionConfig};
pub use tiny_conformer::{TinyConformer, TinyConformerConfig};
