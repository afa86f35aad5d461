//! Tensors of a file: what is known of each, and its bytes.

use std::{borrow::Cow, collections::BTreeMap, ops::Range, sync::OnceLock};

use crate::{Dtype, layout::Layout};

/// A tensor of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TensorView<'a> {
    /// The type of its elements.
    pub dtype: Dtype,
    /// Its shape; empty for a single number.
    pub shape: &'a [usize],
    /// Its elements one behind the other, the last axis fastest, little-endian. A part of the file where they lie so
    /// there, else a copy.
    pub data: Cow<'a, [u8]>,
}

/// An entry of a checkpoint that is no tensor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// Its name.
    pub name: String,
    /// What it is, in a word.
    pub what: &'static str,
}

/// What a reader of a form finds.
#[derive(Debug, Default)]
pub(crate) struct Tensors {
    pub(crate) entries: BTreeMap<String, Entry>,
    pub(crate) storages: Vec<Storage>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A tensor, checked against its storage.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) dtype: Dtype,
    /// The number of elements.
    pub(crate) count: usize,
    pub(crate) layout: Layout,
    /// Its index in [`Tensors::storages`].
    pub(crate) storage: usize,
}

/// A stretch of the file that holds elements.
#[derive(Debug)]
pub(crate) struct Storage {
    pub(crate) range: Range<usize>,
    /// The checksum that the archive has of it, and whether it was right, once it has been looked at.
    pub(crate) crc: Option<(u32, OnceLock<bool>)>,
}
