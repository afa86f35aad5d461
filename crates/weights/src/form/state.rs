//! What the two forms of PyTorch have in common: a pickle, and storages somewhere else in the file.

use std::{ops::Range, sync::OnceLock};

use super::Bytes;
use crate::{
    ViewFault, WeightsError,
    error::shown,
    pickle::{
        self, Fault,
        state::{StateFault, flatten},
        value::{Built, Storage as Named},
    },
    tensors::{Entry, Storage, Tensors},
};

/// Tensors may share storages, and a small file could so claim to hold far more than it does: this many bytes for each of
/// the file's, and [`FREE`] more.
const SHARING: u64 = 8;
const FREE: u64 = 1 << 20;

/// Reads the pickle at `start` of the file.
pub(crate) fn read(file: Bytes<'_>, range: Range<usize>) -> Result<Built<'_>, WeightsError> {
    let at = |Fault { at, fault }| WeightsError::Pickle { path: file.path.to_owned(), at: at as u64, fault };
    pickle::read(&file.bytes[..range.end], range.start).map_err(at)
}

/// The tensors of a pickle. `find` says where in the file a storage lies, and the checksum of it.
pub(crate) fn tensors(
    file: Bytes<'_>,
    built: &Built<'_>,
    mut find: impl FnMut(&Named<'_>) -> Result<(Range<usize>, Option<u32>), WeightsError>,
) -> Result<Tensors, WeightsError> {
    let path = || file.path.to_owned();
    let (named, skipped) = flatten(built).map_err(|fault| match fault {
        StateFault::NoDict(what) => {
            file.container("what it saves", format!("is a {what}, and no dictionary"))
        }
        StateFault::TooMuch(what, most) => WeightsError::TooMuch { path: path(), what, most },
    })?;
    let mut found = Tensors { skipped, ..Tensors::default() };
    for storage in &built.storages {
        let (range, crc) = find(storage)?;
        let bytes = storage.length.checked_mul(storage.dtype.size());
        if bytes != Some(range.len()) {
            let reason = format!(
                "has {} bytes, and the pickle says {} elements of {}",
                range.len(),
                storage.length,
                storage.dtype
            );
            return Err(file.container(format!("the storage {}", shown(storage.key)), reason));
        }
        found.storages.push(Storage { range, crc: crc.map(|crc| (crc, OnceLock::new())) });
    }
    let mut total = 0u64;
    for (name, tensor) in named {
        let storage = &built.storages[tensor.storage];
        let view = |fault| WeightsError::View { path: path(), name: shown(&name), fault };
        let count = tensor.layout.check(storage.length).map_err(view)?;
        let bytes = count.checked_mul(storage.dtype.size()).ok_or_else(|| view(ViewFault::Overflow))?;
        total = total.saturating_add(bytes as u64);
        let most = SHARING * file.bytes.len() as u64 + FREE;
        if total > most {
            return Err(WeightsError::TooMuch { path: path(), what: "bytes of tensors", most });
        }
        let (dtype, layout) = (storage.dtype, tensor.layout.clone());
        let entry = Entry { dtype, count, layout, storage: tensor.storage };
        if found.entries.insert(name.clone(), entry).is_some() {
            return Err(WeightsError::Duplicate { path: path(), name: shown(&name) });
        }
    }
    Ok(found)
}
