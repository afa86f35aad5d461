//! What is asked of the readers of untrusted files, whatever bytes they are given. The fuzz targets call these functions,
//! and so do the tests `corpus.rs` of the crates, with every file of `corpus`.

pub mod archive;
pub mod audio;
pub mod weights;
