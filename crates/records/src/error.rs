//! What can go wrong with records.

use std::io;
use std::path::PathBuf;

use sure_metrics::MetricError;
use thiserror::Error;

use crate::CellId;

/// What can go wrong between a run and its record.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// The file system refused.
    #[error("{action} {}", path.display())]
    Io {
        /// What was being done, as a verb: `read`, `write`, ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A stored file does not hold what it should.
    #[error("{} is damaged: {reason}; delete it and its cell is run again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A record of another generation of the schema.
    #[error(
        "{} has schema version {found}, this version of sure reads {expected}; use another --out folder, or delete it",
        path.display()
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that this crate writes and reads.
        expected: u32,
    },
    /// The record cannot be stored so that it reads back as it is.
    #[error("the record of cell {id} cannot be stored: {reason}")]
    Unstorable {
        /// The cell.
        id: CellId,
        /// Why, for example a score that is not a number.
        reason: String,
    },
    /// A text that should be a cell id.
    #[error("`{text}` is not a cell id: 32 hexadecimal digits in lower case are")]
    CellId {
        /// The text.
        text: String,
    },
    /// A claim needs a plain file name.
    #[error("`{name}` cannot name a claim: it must be a file name without folders")]
    ClaimName {
        /// The name.
        name: String,
    },
    /// Scores could not be compared.
    #[error("compare the predictions of cell {id}")]
    Compare {
        /// The cell.
        id: CellId,
        /// Why.
        #[source]
        source: MetricError,
    },
}

impl RecordsError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
