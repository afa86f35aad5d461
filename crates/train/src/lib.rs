//! One training loop: optimise, evaluate, stop, checkpoint; the trunk cache and the run's own checks.
//!
//! A [`Model`] is a backbone, an adapter and a head, with the [`Cut`](sure_nn::Cut) below which nothing changes. The
//! [`Trunk`] computes everything below the cut once and keeps it on disk; [`train`] does the rest, and the [`Doctor`]
//! proves along the way that the adapter is alive and the frozen weights are.

mod adamw;
mod checkpoint;
mod doctor;
mod error;
mod evaluate;
mod event;
mod model;
pub mod pretrain;
mod sampler;
mod schedule;
mod spec_augment;
mod trainer;
mod trunk;

pub use adamw::AdamW;
pub use doctor::Doctor;
pub use error::TrainError;
pub use evaluate::{Evaluation, evaluate};
pub use event::{Event, Observer, Silent};
pub use model::{Adapted, Headed, Model, Regime, Unfreeze};
pub use sampler::Sampler;
pub use schedule::{Schedule, Warmup};
pub use spec_augment::{Augment, SpecAugment};
pub use trainer::{Subset, TrainConfig, Trained, train};
pub use trunk::{CacheMode, Clip, Trunk, TrunkKey};
