//! Safetensors. The crate of that name checks lengths, ranges and holes; that no name stands twice is checked here, where
//! it would take the last.

use std::{collections::BTreeSet, fmt};

use safetensors::{SafeTensors, tensor::TensorInfo};
use serde::{
    Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

use super::Bytes;
use crate::{
    Dtype, WeightsError,
    error::shown,
    layout::Layout,
    tensors::{Entry, Storage, Tensors},
};

pub(crate) fn read(file: Bytes<'_>) -> Result<Tensors, WeightsError> {
    let invalid = |source| WeightsError::Safetensors { path: file.path.to_owned(), source };
    let (length, header) = SafeTensors::read_metadata(file.bytes).map_err(invalid)?;
    let start = length + 8;
    if let Some(name) = twice(&file.bytes[8..start]) {
        return Err(WeightsError::Duplicate { path: file.path.to_owned(), name: shown(&name) });
    }
    // `read_metadata` has looked at the header alone; this holds it against the length of the file.
    SafeTensors::deserialize(file.bytes).map_err(invalid)?;
    let notes = header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
    let mut found = Tensors { metadata: notes.collect(), ..Tensors::default() };
    for (name, info) in header.tensors() {
        let (dtype, count) = size(&file, &name, info)?;
        let (from, to) = info.data_offsets;
        found.storages.push(Storage { range: start + from..start + to, crc: None });
        let storage = found.storages.len() - 1;
        let layout = Layout { offset: 0, shape: info.shape.clone(), strides: contiguous(&info.shape) };
        found.entries.insert(name, Entry { dtype, count, layout, storage });
    }
    Ok(found)
}

/// The type of the elements, and how many there are.
fn size(file: &Bytes<'_>, name: &str, info: &TensorInfo) -> Result<(Dtype, usize), WeightsError> {
    let dtype = Dtype::of(info.dtype).ok_or_else(|| WeightsError::Dtype {
        path: file.path.to_owned(),
        name: shown(name),
        dtype: format!("{:?}", info.dtype),
    })?;
    // The product has been held against the length of the range.
    Ok((dtype, info.shape.iter().product()))
}

/// The strides of elements that lie one behind the other. Products that are too large belong to a tensor without elements.
fn contiguous(shape: &[usize]) -> Vec<usize> {
    let mut stride = 1usize;
    let mut strides = vec![0; shape.len()];
    for (place, size) in strides.iter_mut().zip(shape).rev() {
        *place = stride;
        stride = stride.saturating_mul(*size);
    }
    strides
}

/// The first name that stands twice in a header.
fn twice(header: &[u8]) -> Option<String> {
    struct Names(Option<String>);

    impl<'de> Visitor<'de> for &mut Names {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of tensors")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let mut seen = BTreeSet::new();
            while let Some((name, IgnoredAny)) = map.next_entry::<String, _>()? {
                if seen.contains(&name) {
                    self.0 = Some(name);
                    return Err(A::Error::custom("twice"));
                }
                seen.insert(name);
            }
            Ok(())
        }
    }

    let mut names = Names(None);
    // An unsound header is the crate's to report.
    let _ = serde_json::Deserializer::from_slice(header).deserialize_map(&mut names);
    names.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_found_however_it_is_spelt() {
        assert_eq!(twice(br#"{"a": {"x": 1, "x": 2}, "b": 3}"#), None);
        assert_eq!(twice(br#"{"a": 1, "b": 2, "\u0061": 3}"#).as_deref(), Some("a"));
    }

    #[test]
    fn strides_are_those_of_elements_in_a_row() {
        assert_eq!(contiguous(&[2, 3, 4]), [12, 4, 1]);
        assert_eq!(contiguous(&[]), [0; 0]);
        assert_eq!(contiguous(&[0, usize::MAX, usize::MAX]), [usize::MAX, usize::MAX, 1]);
    }
}
