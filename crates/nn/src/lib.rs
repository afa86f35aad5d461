//! Layers on tch, and **the hook points** where adapters act.
//!
//! A backbone built of this crate's blocks knows no adaptation method, and a method knows no backbone: they meet in
//! [`Adapter`], a trait of two verbs that are no-ops by default. [`Projection`], [`Attention`] and [`EncoderBlock`] call
//! it at every [`Site`]; [`PerSite`] turns a map from sites to [`Patch`]es into an adapter; [`Placement`] says where
//! the patches go, by configuration.
//!
//! # Shapes
//! Everywhere: `[batch, time, hidden]` for hidden states, `[batch, time]` for masks (true = real frame).

mod adapter;
mod anatomy;
mod attention;
mod backbone;
mod block;
mod checkpoint;
mod compose;
mod conv;
mod cx;
mod device;
mod error;
mod feed_forward;
mod layers;
mod loader;
mod patch;
mod placement;
mod seed;
mod site;
mod store;

pub use adapter::{Adapter, Hooks, KvPrefix, NoAdapter, Recorder, Visit};
pub use anatomy::{Anatomy, NormOrder, StackAnatomy};
pub use attention::{Attention, AttentionConfig, ScoreBias};
pub use backbone::{Backbone, Cut, Encoded, Input, Keep, Modality, Prepare, Prepared, State};
pub use block::{BlockConfig, DropoutRates, EncoderBlock};
pub use checkpoint::Checkpoint;
pub use compose::Compose;
pub use conv::{Conv1d, ConvShape, FrontConv};
pub use cx::{Cx, FrameMask};
pub use device::{DeviceChoice, DeviceError};
pub use error::NnError;
pub use feed_forward::{Activation, FeedForward};
pub use layers::{ChannelNorm, Dense, Embedding, LayerNorm, Projection};
pub use loader::{Init, Loader, Loading, Source};
pub use patch::{Patch, PerSite};
pub use placement::{Blocks, NoSuchSite, Placement, SiteSpec};
pub use seed::{Seed, seed_torch};
pub use site::{BlockId, Part, Site, Stack};
pub use store::{Param, Role, Store, hash_of};
/// The tensor library, so that downstream crates name the same version.
pub use tch;
