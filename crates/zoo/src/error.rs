//! What can go wrong while a pretrained model is opened.

use std::path::PathBuf;

use sure_nn::NnError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ZooError {
    /// A file of the repository cannot be read.
    #[error("cannot read {path}; a backbone folder holds config.json and its weights")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A configuration file is not what it should be.
    #[error("{path} is not a valid configuration: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// The parser's reason.
        #[source]
        source: serde_json::Error,
    },
    /// The configuration names a family that we do not have.
    #[error("{path}: model_type {found:?} is not supported; known: {}", known.join(", "))]
    UnknownFamily {
        /// The configuration file.
        path: PathBuf,
        /// The type that it names.
        found: String,
        /// The families that there are.
        known: Vec<&'static str>,
    },
    /// The folder has no weights in a format that we read.
    #[error("{folder} holds no weights: none of {}", looked_for.join(", "))]
    NoWeights {
        /// The folder.
        folder: PathBuf,
        /// The names of files that were looked for.
        looked_for: Vec<&'static str>,
    },
    /// A sharded checkpoint's index names a file outside the folder.
    #[error("{index} names {file:?}, which is not a plain file name")]
    BadShard {
        /// The index.
        index: PathBuf,
        /// The name in it.
        file: String,
    },
    /// A tokenizer cannot be used.
    #[error("the tokenizer {path} cannot be used: {reason}")]
    Tokenizer {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The checkpoint has no CTC head.
    #[error(
        "{folder} has no CTC head (`lm_head.weight` and `lm_head.bias`); name a checkpoint that was fine-tuned for recognition"
    )]
    NoCtcHead {
        /// The folder.
        folder: PathBuf,
    },
    /// A vocabulary cannot be used, or does not match its head.
    #[error("{path}: {reason}")]
    BadVocabulary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The network could not be built.
    #[error("cannot build the backbone from {folder}: {source}")]
    Build {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        #[source]
        source: NnError,
    },
}
