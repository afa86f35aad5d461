//! The forms that files of weights have.

mod legacy;
mod safe;
mod state;
mod zip;

use std::path::Path;

use crate::{WeightsError, tensors::Tensors};

/// What a file is, by its content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Form {
    /// Safetensors.
    Safetensors,
    /// A zip archive, as `torch.save` writes it since PyTorch 1.6.
    TorchZip,
    /// Pickles and storages one behind the other, as `torch.save` wrote them before.
    TorchLegacy,
}

/// What of a file is at hand.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a> {
    pub(crate) path: &'a Path,
    pub(crate) bytes: &'a [u8],
}

impl Bytes<'_> {
    fn container(&self, part: impl Into<String>, reason: impl Into<String>) -> WeightsError {
        WeightsError::Container { path: self.path.to_owned(), part: part.into(), reason: reason.into() }
    }
}

/// Tells what a file is.
pub(crate) fn detect(file: Bytes<'_>) -> Result<Form, WeightsError> {
    let found = match file.bytes {
        [] => "is empty",
        [b'P', b'K', 3, 4, ..] => return Ok(Form::TorchZip),
        bytes if bytes.starts_with(legacy::MAGIC) => return Ok(Form::TorchLegacy),
        // A length below 2^32, and the start of a JSON object.
        [_, _, _, _, 0, 0, 0, 0, b'{', ..] => return Ok(Form::Safetensors),
        [0x80, 3..=5, ..] => "is a pickle of a protocol that torch.save does not use by itself",
        [0x80, ..] => "is a pickle, and none that torch.save wrote",
        [b'<', ..] => "looks like a web page",
        bytes if bytes.starts_with(b"version https://git-lfs") => {
            "is a pointer of git-lfs in the place of the file; fetch the file itself"
        }
        bytes if bytes.starts_with(b"\x89HDF") => "is HDF5, as TensorFlow writes it",
        _ => "is something else",
    };
    Err(WeightsError::Form { path: file.path.to_owned(), found })
}

/// Reads all but the elements of a file.
pub(crate) fn read(form: Form, file: Bytes<'_>) -> Result<Tensors, WeightsError> {
    match form {
        Form::Safetensors => safe::read(file),
        Form::TorchZip => zip::read(file),
        Form::TorchLegacy => legacy::read(file),
    }
}
