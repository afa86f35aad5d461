//! What can go wrong in making the corpus.

use std::{io, path::PathBuf};

use sure_sys::EspeakError;

/// What can go wrong in making the corpus.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// The first synthesiser failed.
    #[error(transparent)]
    Espeak(#[from] EspeakError),
    /// A program is not installed.
    #[error("cannot start {program}: {source}; install it (Debian: apt-get install {package})")]
    Program {
        /// The program.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
        /// Why it did not start.
        source: io::Error,
    },
    /// A program failed.
    #[error("{program} failed on {what:?}: {reason}")]
    Failed {
        /// The program.
        program: &'static str,
        /// What it was asked to do.
        what: String,
        /// What it said.
        reason: String,
    },
    /// Sound could not be read, changed or written.
    #[error(transparent)]
    Audio(#[from] sure_audio::AudioError),
    /// A result could not be written.
    #[error(transparent)]
    Write(#[from] sure_records::RecordsError),
    /// A file could not be read or made.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what the corpus consists of.
    #[error("{path}: {reason}")]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl CorpusError {
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
