//! libtorch: what a usable folder is, where folders are kept, and the ways to one.

pub(crate) mod archive;
pub(crate) mod download;
pub(crate) mod elf;
pub(crate) mod folder;
pub(crate) mod python;
pub(crate) mod store;
pub(crate) mod unpack;
pub(crate) mod wheels;

/// The one version that tch can link; torch-sys refuses any other.
pub(crate) const VERSION: &str = "2.13.0";
