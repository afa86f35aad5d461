//! The form before PyTorch 1.6: a magic number, a version, facts of the machine, the object and the keys of its storages,
//! each as a pickle, then for each key the number of elements and the elements.

use std::{collections::HashMap, ops::Range};

use super::{Bytes, state};
use crate::{
    WeightsError,
    error::shown,
    pickle::value::{Built, Node, Storage, Value},
    tensors::Tensors,
};

/// The number 0x1950a86a20f9469cfc6c, pickled.
pub(crate) const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
const VERSION: i64 = 1001;

pub(crate) fn read(file: Bytes<'_>) -> Result<Tensors, WeightsError> {
    let pickle = |start| state::read(file, start..file.bytes.len());
    let version = pickle(MAGIC.len())?;
    if version.top != Value::Int(VERSION) {
        return Err(file.container("its version", format!("is not {VERSION}")));
    }
    let machine = pickle(version.end)?;
    if entry(&machine, "little_endian") != Some(Value::Bool(true)) {
        return Err(
            file.container("the machine that wrote it", "has another order of bytes, or does not say")
        );
    }
    let object = pickle(machine.end)?;
    let keys = pickle(object.end)?;
    let places = places(file, &object, &keys)?;
    state::tensors(file, &object, |storage| {
        let place = places.get(storage.key).cloned();
        let missing = || file.container(format!("the storage {}", shown(storage.key)), "is not there");
        Ok((place.ok_or_else(missing)?, None))
    })
}

/// Where each storage lies.
fn places<'a>(
    file: Bytes<'_>,
    object: &Built<'_>,
    keys: &Built<'a>,
) -> Result<HashMap<&'a str, Range<usize>>, WeightsError> {
    let Some(Node::List(list)) = keys.node(keys.top) else {
        return Err(file.container("the list of storages", "is no list"));
    };
    let known: HashMap<&str, &Storage<'_>> =
        object.storages.iter().map(|storage| (storage.key, storage)).collect();
    let (mut places, mut at) = (HashMap::new(), keys.end);
    for key in list {
        let Value::Text(key) = *key else {
            return Err(file.container("the list of storages", "has a key that is no text"));
        };
        let part = || format!("the storage {}", shown(key));
        let Some(storage) = known.get(key) else {
            return Err(file.container(part(), "is of no tensor, so that its length is not known"));
        };
        let (range, end) = place(file, at, storage).map_err(|reason| file.container(part(), reason))?;
        at = end;
        if places.insert(key, range).is_some() {
            return Err(file.container(part(), "is there twice"));
        }
    }
    Ok(places)
}

/// Where the elements of a storage lie, and what comes behind them.
fn place(file: Bytes<'_>, at: usize, storage: &Storage<'_>) -> Result<(Range<usize>, usize), &'static str> {
    let start = at.checked_add(8).ok_or("is cut off")?;
    let length = file.bytes.get(at..start).and_then(|bytes| bytes.try_into().ok());
    let length = usize::try_from(i64::from_le_bytes(length.ok_or("is cut off")?));
    if length != Ok(storage.length) {
        return Err("has another length than the pickle says");
    }
    let bytes = storage.length.checked_mul(storage.dtype.size());
    let end = bytes.and_then(|bytes| start.checked_add(bytes)).filter(|end| *end <= file.bytes.len());
    let end = end.ok_or("is cut off")?;
    Ok((start..end, end))
}

/// An entry of the dictionary that a pickle is.
fn entry<'a>(built: &Built<'a>, name: &str) -> Option<Value<'a>> {
    let Some(Node::Dict(dict)) = built.node(built.top) else { return None };
    dict.iter().find(|(key, _)| *key == Value::Text(name)).map(|(_, value)| *value)
}
