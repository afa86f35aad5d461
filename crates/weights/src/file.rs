//! A file of weights.

use std::{
    borrow::Cow,
    ops::Deref,
    path::{Path, PathBuf},
};

use sure_sys::Mapped;

use crate::{
    Dtype, Form, Skipped, TensorView, WeightsError,
    error::shown,
    form::{self, Bytes},
    tensors::{Entry, Tensors},
};

/// The tensors of a file, by name. What the file says of them has been checked when it is opened; elements are read when
/// they are asked for.
#[derive(Debug)]
pub struct TensorFile {
    path: PathBuf,
    content: Content,
    form: Form,
    found: Tensors,
}

#[derive(Debug)]
enum Content {
    Mapped(Mapped),
    Memory(Vec<u8>),
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Memory(bytes) => bytes,
        }
    }
}

impl TensorFile {
    /// Maps a file into memory and finds its tensors.
    ///
    /// # Errors
    /// When it cannot be read, or is not sound in any of the ways that [`WeightsError`] lists.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        // Nothing cannot be mapped.
        let empty = std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() == 0);
        let content = if empty {
            Content::Memory(Vec::new())
        } else {
            let failed = |source| WeightsError::Read { path: path.to_owned(), source };
            Content::Mapped(Mapped::open(path).map_err(failed)?)
        };
        Self::new(path, content)
    }

    /// The same of bytes in memory; `path` is what errors call them.
    ///
    /// # Errors
    /// Those of [`TensorFile::open`].
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, WeightsError> {
        Self::new(path, Content::Memory(bytes))
    }

    fn new(path: &Path, content: Content) -> Result<Self, WeightsError> {
        let file = Bytes { path, bytes: &content };
        let form = form::detect(file)?;
        let found = form::read(form, file)?;
        Ok(Self { path: path.to_owned(), content, form, found })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is, by its content.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The names of all tensors, sorted. Dictionaries inside others have their names joined by dots.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.found.entries.keys().map(String::as_str)
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.found.entries.get(name).map(|entry| entry.layout.shape.as_slice())
    }

    /// The type of a tensor's elements.
    pub fn dtype(&self, name: &str) -> Option<Dtype> {
        self.found.entries.get(name).map(|entry| entry.dtype)
    }

    /// What the file holds beside tensors, in no order that means anything. Safetensors files hold nothing beside them.
    pub fn skipped(&self) -> &[Skipped] {
        &self.found.skipped
    }

    /// A remark that the writer of a safetensors file left in its header.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.found.metadata.get(key).map(String::as_str)
    }

    /// A tensor with its elements; `None` where there is none of the name.
    ///
    /// # Errors
    /// When the elements do not have the checksum that the archive gives for them. It is looked at once for each storage.
    pub fn get(&self, name: &str) -> Result<Option<TensorView<'_>>, WeightsError> {
        let Some(Entry { dtype, count, layout, storage }) = self.found.entries.get(name) else {
            return Ok(None);
        };
        let storage = &self.found.storages[*storage];
        let bytes = &self.content[storage.range.clone()];
        if let Some((crc, sound)) = &storage.crc
            && !sound.get_or_init(|| rawzip::crc32(bytes) == *crc)
        {
            let part = format!("the storage of {}", shown(name));
            let reason = "has a wrong checksum; fetch the file again".to_owned();
            return Err(WeightsError::Container { path: self.path.clone(), part, reason });
        }
        let size = dtype.size();
        let data = if *count == 0 {
            Cow::Borrowed(&bytes[..0])
        } else if layout.is_contiguous() {
            Cow::Borrowed(&bytes[layout.offset * size..(layout.offset + count) * size])
        } else {
            Cow::Owned(layout.copy(bytes, size, *count))
        };
        Ok(Some(TensorView { dtype: *dtype, shape: &layout.shape, data }))
    }
}
