//! Tensors of a checkpoint, read from memory-mapped safetensors files.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
};

use safetensors::{Dtype, SafeTensors};
use sure_sys::Mapped;
use tch::{Kind, Tensor};

use crate::{NnError, store};

/// The tensors of one or several safetensors files, by name. Nothing is read before it is asked for.
#[derive(Debug)]
pub struct Checkpoint {
    files: Vec<(PathBuf, Mapped)>,
    tensors: BTreeMap<String, Entry>,
    note: Option<String>,
}

#[derive(Debug)]
struct Entry {
    file: usize,
    dtype: Dtype,
    shape: Vec<i64>,
    bytes: Range<usize>,
}

impl Checkpoint {
    /// Maps `paths` and indexes their tensors.
    ///
    /// # Errors
    /// When a file cannot be read, is not valid safetensors, or repeats a tensor.
    pub fn open(paths: &[PathBuf]) -> Result<Self, NnError> {
        let mut checkpoint = Self { files: Vec::new(), tensors: BTreeMap::new(), note: None };
        for path in paths {
            let map = Mapped::open(path).map_err(|source| NnError::Read { path: path.clone(), source })?;
            checkpoint.index(path, &map)?;
            checkpoint.files.push((path.clone(), map));
        }
        Ok(checkpoint)
    }

    /// Named tensors, and a note of the writer's, as the bytes of a safetensors file; equal tensors give equal bytes.
    ///
    /// # Errors
    /// When a tensor cannot be laid out.
    pub fn to_bytes(tensors: &BTreeMap<String, Tensor>, note: Option<&str>) -> Result<Vec<u8>, NnError> {
        store::to_safetensors(tensors, Kind::Float, note.map(|note| (store::NOTE_KEY, note)))
    }

    /// Named tensors as the bytes of a safetensors file that `transformers` and `peft` take: with their mark of PyTorch's
    /// layout in the header.
    ///
    /// # Errors
    /// When a tensor cannot be laid out.
    pub fn to_pytorch_bytes(tensors: &BTreeMap<String, Tensor>) -> Result<Vec<u8>, NnError> {
        store::to_safetensors(tensors, Kind::Float, Some(("format", "pt")))
    }

    /// The same in 16-bit precision (F16): half the size, for weights to be handed out.
    ///
    /// # Errors
    /// When a tensor cannot be laid out.
    pub fn to_pytorch_half_bytes(tensors: &BTreeMap<String, Tensor>) -> Result<Vec<u8>, NnError> {
        store::to_safetensors(tensors, Kind::Half, Some(("format", "pt")))
    }

    /// The note that the writer of a single-file checkpoint left, see [`Checkpoint::to_bytes`].
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Whether there is a tensor called `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The shape of `name`.
    pub fn shape(&self, name: &str) -> Option<&[i64]> {
        self.tensors.get(name).map(|entry| entry.shape.as_slice())
    }

    /// A copy of the tensor `name` on the CPU in 32-bit precision; `None` when there is none.
    ///
    /// # Errors
    /// When its element type is not F32, F16 or BF16.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor>, NnError> {
        let Some(entry) = self.tensors.get(name) else { return Ok(None) };
        let kind = match entry.dtype {
            Dtype::F32 => Kind::Float,
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            other => return Err(NnError::Dtype { name: name.to_owned(), dtype: format!("{other:?}") }),
        };
        let bytes = &self.files[entry.file].1[entry.bytes.clone()];
        let tensor = Tensor::f_from_data_size(bytes, &entry.shape, kind)
            .map_err(|source| NnError::Torch { what: format!("the data of {name}"), source })?;
        Ok(Some(tensor.to_kind(Kind::Float)))
    }

    /// All tensors, read into memory.
    ///
    /// # Errors
    /// When an element type is not F32, F16 or BF16.
    pub fn read_all(&self) -> Result<BTreeMap<String, Tensor>, NnError> {
        let mut all = BTreeMap::new();
        for name in self.tensors.keys() {
            if let Some(tensor) = self.tensor(name)? {
                all.insert(name.clone(), tensor);
            }
        }
        Ok(all)
    }

    fn index(&mut self, path: &Path, map: &Mapped) -> Result<(), NnError> {
        let invalid = |source| NnError::Safetensors { path: path.to_owned(), source };
        // Checks that the header is sound and that every range lies inside the file.
        let parsed = SafeTensors::deserialize(map).map_err(invalid)?;
        let (_, header) = SafeTensors::read_metadata(map).map_err(invalid)?;
        self.note = header.metadata().as_ref().and_then(|notes| notes.get(store::NOTE_KEY)).cloned();
        let start = map.as_ptr() as usize;
        for (name, view) in parsed.iter() {
            let data = view.data();
            let from = data.as_ptr() as usize - start;
            let entry = Entry {
                file: self.files.len(),
                dtype: view.dtype(),
                shape: view.shape().iter().map(|&size| size as i64).collect(),
                bytes: from..from + data.len(),
            };
            if self.tensors.insert(name.to_owned(), entry).is_some() {
                return Err(NnError::Duplicate { name: name.to_owned(), path: path.to_owned() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("sure-nn-{name}-{}.safetensors", std::process::id()))
    }

    #[test]
    fn what_is_written_is_read_back_to_the_bit() {
        let path = temporary("roundtrip");
        let values = Tensor::from_slice(&[1.5f32, -0.25, 1e-20]).view([1, 3]);
        let tensors = BTreeMap::from([("w".to_owned(), values.copy())]);
        std::fs::write(&path, Checkpoint::to_bytes(&tensors, Some("kept")).unwrap()).unwrap();
        let back = Checkpoint::open(std::slice::from_ref(&path)).unwrap();
        assert!(back.tensor("w").unwrap().unwrap().equal(&values));
        assert_eq!(back.note(), Some("kept"));
        assert!(back.tensor("v").unwrap().is_none());
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_truncated_file_is_an_error_that_names_it() {
        let path = temporary("truncated");
        let values = BTreeMap::from([("w".to_owned(), Tensor::zeros([64], (Kind::Float, tch::Device::Cpu)))]);
        let bytes = Checkpoint::to_bytes(&values, None).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
        let error = Checkpoint::open(std::slice::from_ref(&path)).unwrap_err();
        assert!(error.to_string().contains("truncated"), "{error}");
        std::fs::remove_file(path).unwrap();
    }
}
