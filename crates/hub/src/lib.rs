//! Files of the Hugging Face hub, of mirrors and of package registries: into the cache that Python shares, or a place of
//! their own. A transfer is continued where it stopped, and a file has its final name only when it is whole and right.
//!
//! Nothing here reads the environment or prints: settings come in a [`HubConfig`], and what there is to say goes to a
//! [`Watch`].

mod address;
mod cache;
mod card;
mod client;
mod config;
mod digest;
mod downloads;
mod error;
mod hub;
mod lock;
mod metadata;
mod model;
mod package;
mod repository;
mod source;
#[cfg(feature = "test-hub")]
pub mod test_hub;
mod token;
mod transfer;
mod watch;

pub use cache::check_space;
pub use card::{Known, ModelCard, ModelSource};
pub use config::{HubConfig, PUBLIC_HUB, PUBLIC_INDEX, Retries, Timeouts};
pub use digest::{Check, Sum, git_id, hex, sum};
pub use downloads::{Downloads, Locked};
pub use error::HubError;
pub use hub::{Entry, Fetched, Hub, Listing, hold_name};
pub use lock::Lock;
pub use model::{CONFIG, ModelFile, ModelPlan, model_files};
pub use repository::{Kind, Repository};
pub use source::{Obtained, Source, place, tidy};
pub use token::Token;
pub use watch::{Silent, Watch};
