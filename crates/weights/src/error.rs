//! What can be wrong with a file of weights.

use std::{fmt, io, path::PathBuf};

use safetensors::SafeTensorError;

use crate::pickle::opcode;

/// Why the tensors of a file cannot be had. What the file says of itself is shown shortened, with control characters
/// escaped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// The content is of no form that is read here.
    #[error("{} is no file of weights that is read here: it {found}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: &'static str,
    },

    /// The header of a safetensors file is not sound.
    #[error("{} is no sound safetensors file", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: SafeTensorError,
    },

    /// The archive or the layout around the pickle is not sound.
    #[error("{} is no sound PyTorch file: {part} {reason}", path.display())]
    Container {
        /// The file.
        path: PathBuf,
        /// The part of it.
        part: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The pickle does what no dictionary of tensors needs, or is not sound.
    #[error("{} is refused: {fault}, at byte {at}; nothing of it was run", path.display())]
    Pickle {
        /// The file.
        path: PathBuf,
        /// Where in the file the step stands, in bytes.
        at: u64,
        /// What is wrong.
        fault: PickleFault,
    },

    /// A tensor that its storage does not hold.
    #[error("{}: the tensor {name} {fault}", path.display())]
    View {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// What is wrong.
        fault: ViewFault,
    },

    /// A type of elements that is not read here.
    #[error("{}: the tensor {name} has elements of type {dtype}, which are not read here", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// As the file calls it.
        dtype: String,
    },

    /// Two entries of one name.
    #[error("{} has {name} twice", path.display())]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },

    /// More than any checkpoint has.
    #[error("{} has more than {most} {what}", path.display())]
    TooMuch {
        /// The file.
        path: PathBuf,
        /// Of what.
        what: &'static str,
        /// The limit.
        most: u64,
    },
}

/// What is wrong with a pickle.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PickleFault {
    /// A step that no dictionary of tensors needs.
    Opcode(u8),
    /// A name that is not on the short list of those that may be called.
    Global(String),
    /// Another protocol than 2, the one that `torch.save` writes.
    Protocol(u8),
    /// It ends in the middle.
    Truncated,
    /// A step takes more from the stack than is there.
    Stack,
    /// A step asks for what was never put aside.
    Memo(u32),
    /// A step meets a value that it is not for.
    Value {
        /// What it is for.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// Text that is not UTF-8.
    Text,
    /// A number that is negative or too large for what it counts.
    Number,
    /// A storage that was named before, with another type or length.
    Storage(String),
    /// More of something than any checkpoint has.
    TooMuch(&'static str),
}

impl fmt::Display for PickleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opcode(code) => write!(
                f,
                "its pickle has the step {} (0x{code:02x}), which no dictionary of tensors needs",
                opcode::name(*code)
            ),
            Self::Global(name) => {
                write!(f, "its pickle names {name}, which no dictionary of tensors needs")
            }
            Self::Protocol(version) => write!(
                f,
                "its pickle is of protocol {version}, and only 2 is read here; save it again with torch.save's default"
            ),
            Self::Truncated => f.write_str("its pickle ends in the middle"),
            Self::Stack => f.write_str("its pickle takes more from the stack than is there"),
            Self::Memo(index) => write!(f, "its pickle asks for {index}, which it never put aside"),
            Self::Value { wanted, found } => write!(f, "its pickle has a {found} where a {wanted} must be"),
            Self::Text => f.write_str("its pickle has text that is not UTF-8"),
            Self::Number => f.write_str("its pickle has a number that is negative or too large"),
            Self::Storage(key) => write!(f, "its pickle names the storage {key} twice, with different sizes"),
            Self::TooMuch(what) => write!(f, "its pickle has more {what} than any checkpoint"),
        }
    }
}

/// What is wrong with a tensor's place in its storage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ViewFault {
    /// As many sizes as strides are needed.
    Ranks,
    /// The number of elements, or of bytes, is too large to count.
    Overflow,
    /// It reaches beyond its storage.
    Outside,
    /// Several of its elements are the same in the storage.
    Overlap,
}

impl fmt::Display for ViewFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ranks => "has another number of sizes than of strides",
            Self::Overflow => "has more elements than can be counted",
            Self::Outside => "reaches beyond its storage",
            Self::Overlap => "has several elements in one place",
        })
    }
}

/// Most letters of something in a message.
const SHOWN: usize = 120;

/// A name of the file's for a message: no control character of it reaches a terminal.
pub(crate) fn shown(name: &str) -> String {
    let mut letters = name.chars();
    let mut shown: String = letters.by_ref().take(SHOWN).flat_map(char::escape_debug).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
