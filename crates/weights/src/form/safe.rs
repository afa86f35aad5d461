//! Safetensors. The crate of that name checks the header, shapes, holes and overlaps; what it leaves out is looked for
//! before it.

use std::{collections::BTreeSet, fmt};

use safetensors::{SafeTensorError, SafeTensors, tensor::TensorInfo};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

use super::Bytes;
use crate::{
    Dtype, WeightsError,
    error::shown,
    layout::Layout,
    tensors::{Entry, Storage, Tensors},
};

/// The entry of a header that is no tensor.
const NOTES: &str = "__metadata__";

pub(crate) fn read(file: Bytes<'_>) -> Result<Tensors, WeightsError> {
    let invalid = |source| WeightsError::Safetensors { path: file.path.to_owned(), source };
    let start = header_end(file.bytes).ok_or_else(|| invalid(SafeTensorError::InvalidHeaderLength))?;
    let lies = lies(&file.bytes[8..start], (file.bytes.len() - start) as u64);
    match lies {
        Some(Lie::Twice(name)) => {
            return Err(WeightsError::Duplicate { path: file.path.to_owned(), name: shown(&name) });
        }
        Some(Lie::Outside(name)) => return Err(invalid(SafeTensorError::InvalidOffset(shown(&name)))),
        None => {}
    }
    let (_, header) = SafeTensors::read_metadata(file.bytes).map_err(invalid)?;
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

/// Where the header ends that a file says it has.
fn header_end(bytes: &[u8]) -> Option<usize> {
    let length = u64::from_le_bytes(*bytes.first_chunk()?);
    let end = usize::try_from(length).ok()?.checked_add(8)?;
    (end <= bytes.len()).then_some(end)
}

/// What the crate does not look for.
enum Lie {
    /// A name that stands twice, of which it takes the last.
    Twice(String),
    /// A tensor beyond the end, where its sum may overflow.
    Outside(String),
}

/// The first lie of a header about `length` bytes of elements.
fn lies(header: &[u8], length: u64) -> Option<Lie> {
    #[derive(Deserialize)]
    struct Info {
        data_offsets: (u64, u64),
    }

    struct Names {
        length: u64,
        lie: Option<Lie>,
    }

    impl<'de> Visitor<'de> for &mut Names {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of tensors")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let mut seen = BTreeSet::new();
            while let Some(name) = map.next_key::<String>()? {
                let end = if name == NOTES {
                    map.next_value::<IgnoredAny>()?;
                    0
                } else {
                    map.next_value::<Info>()?.data_offsets.1
                };
                if seen.contains(&name) {
                    self.lie = Some(Lie::Twice(name));
                    return Err(A::Error::custom("twice"));
                }
                if end > self.length {
                    self.lie = Some(Lie::Outside(name));
                    return Err(A::Error::custom("outside"));
                }
                seen.insert(name);
            }
            Ok(())
        }
    }

    let mut names = Names { length, lie: None };
    // An unsound header is the crate's to report.
    let _ = serde_json::Deserializer::from_slice(header).deserialize_map(&mut names);
    names.lie
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_found_however_it_is_spelt() {
        let info = r#"{"data_offsets":[0,4]}"#;
        let header = |second: &str| format!(r#"{{"__metadata__":{{"a":"b"}},"a":{info},"{second}":{info}}}"#);
        assert!(lies(header("b").as_bytes(), 4).is_none());
        assert!(matches!(lies(header("\\u0061").as_bytes(), 4), Some(Lie::Twice(name)) if name == "a"));
        assert!(matches!(lies(header("b").as_bytes(), 3), Some(Lie::Outside(name)) if name == "a"));
    }

    #[test]
    fn strides_are_those_of_elements_in_a_row() {
        assert_eq!(contiguous(&[2, 3, 4]), [12, 4, 1]);
        assert_eq!(contiguous(&[]), [0; 0]);
        assert_eq!(contiguous(&[0, usize::MAX, usize::MAX]), [usize::MAX, usize::MAX, 1]);
    }
}
