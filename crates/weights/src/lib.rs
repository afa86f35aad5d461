//! Files of weights from elsewhere: named tensors as bytes, and nothing of the file is ever run.
//!
//! [`TensorFile::open`] tells three forms apart by content: safetensors, and the two that `torch.save` has had, the zip
//! archive of since PyTorch 1.6 and the one before. The latter hold a pickle, a small program that builds objects. Here it
//! goes through an interpreter that knows the few steps that a dictionary of tensors needs, and the few names that may be
//! called; every other step or name ends it with an error that says which, and where.
//!
//! A file is taken for hostile: lengths, counts, depths and products are checked before they are used, views must lie
//! inside their storage and touch each element once, and nothing recurses.

mod dtype;
mod error;
mod file;
mod form;
mod layout;
mod pickle;
mod tensors;

pub use dtype::Dtype;
pub use error::{PickleFault, ViewFault, WeightsError};
pub use file::TensorFile;
pub use form::Form;
pub use tensors::{Skipped, TensorView};
