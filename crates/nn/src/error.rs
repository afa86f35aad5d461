//! What can go wrong while a network is built or fed.

use std::path::PathBuf;

use sure_weights::WeightsError;

use crate::NoSuchSite;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NnError {
    /// A checkpoint file could not be read, or is not sound.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A file could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// Tensors cannot be laid out as safetensors.
    #[error("{path} cannot be laid out as safetensors")]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// Two files of a sharded checkpoint hold the same tensor.
    #[error("tensor {name} stands in two files of the checkpoint, the second is {path}")]
    Duplicate {
        /// The tensor's name.
        name: String,
        /// The second file.
        path: PathBuf,
    },
    /// The network asked twice for the same parameter.
    #[error("parameter {name} is declared twice")]
    DeclaredTwice {
        /// The parameter's name.
        name: String,
    },
    /// The checkpoint lacks a tensor that the network needs.
    #[error("the checkpoint has no tensor {name} (wanted for {parameter}, shape {shape:?})")]
    Missing {
        /// The name in the checkpoint.
        name: String,
        /// The network's own name.
        parameter: String,
        /// The shape that the configuration asks for.
        shape: Vec<i64>,
    },
    /// The checkpoint holds tensors that nobody asked for.
    #[error("the checkpoint holds {} tensors that the network does not use: {}", names.len(), names.join(", "))]
    Unexpected {
        /// Their names.
        names: Vec<String>,
    },
    /// A tensor has another shape than the configuration says.
    #[error("tensor {name} has shape {found:?}, the configuration asks for {wanted:?}")]
    Shape {
        /// The name in the checkpoint.
        name: String,
        /// The shape in the file.
        found: Vec<i64>,
        /// The shape that was asked for.
        wanted: Vec<i64>,
    },
    /// A tensor's element type is not a floating-point type that we read.
    #[error("tensor {name} has element type {dtype}; F32, F16 and BF16 are read")]
    Dtype {
        /// The name in the checkpoint.
        name: String,
        /// The type in the file.
        dtype: String,
    },
    /// A configuration value makes no sense.
    #[error("configuration: {key} = {value}: {reason}")]
    Config {
        /// The key.
        key: &'static str,
        /// The value found.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An input is longer than the backbone can take.
    #[error(
        "the clip has {seconds:.1} s, this backbone takes at most {limit:.1} s; cut the clip or leave it out"
    )]
    TooLong {
        /// The clip's length.
        seconds: f64,
        /// The backbone's limit.
        limit: f64,
    },
    /// An input is too short for a single frame, or otherwise unusable.
    #[error("the clip cannot be used: {reason}")]
    BadInput {
        /// Why.
        reason: String,
    },
    /// A placement matches nothing.
    #[error(transparent)]
    NoSuchSite(#[from] NoSuchSite),
    /// libtorch refused an operation.
    #[error("libtorch refused {what}")]
    Torch {
        /// The operation.
        what: String,
        /// Its reason.
        #[source]
        source: tch::TchError,
    },
}
