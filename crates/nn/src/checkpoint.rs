//! Tensors of a checkpoint, read from memory-mapped files.

use std::{
    collections::{BTreeMap, btree_map::Entry as Place},
    path::PathBuf,
};

use sure_weights::{Dtype, Skipped, TensorFile};
use tch::{Kind, Tensor};

use crate::{NnError, store};

/// The tensors of one or several files, by name: safetensors, or what `torch.save` wrote, told apart by content. No
/// element is read before its tensor is asked for, and nothing of a file is ever run.
#[derive(Debug)]
pub struct Checkpoint {
    files: Vec<TensorFile>,
    tensors: BTreeMap<String, Entry>,
    kind: Kind,
}

#[derive(Debug)]
struct Entry {
    file: usize,
    shape: Vec<i64>,
}

impl Checkpoint {
    /// Maps `paths` and indexes their tensors. Dictionaries inside others have their names joined by dots.
    ///
    /// # Errors
    /// When a file cannot be read, is not sound, or repeats a tensor.
    pub fn open(paths: &[PathBuf]) -> Result<Self, NnError> {
        let mut checkpoint = Self { files: Vec::new(), tensors: BTreeMap::new(), kind: Kind::Float };
        for path in paths {
            let file = TensorFile::open(path)?;
            checkpoint.index(&file)?;
            checkpoint.files.push(file);
        }
        Ok(checkpoint)
    }

    /// The same tensors, handed out in another precision: `Float` (the default), `Half` or `BFloat16`, whichever of the
    /// three the file has. Networks are built in `Float`.
    #[must_use]
    pub fn in_precision(self, kind: Kind) -> Self {
        Self { kind, ..self }
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
        self.files.last().and_then(|file| file.metadata(store::NOTE_KEY))
    }

    /// What the files hold beside tensors, such as the numbers of a training program.
    pub fn skipped(&self) -> impl Iterator<Item = &Skipped> {
        self.files.iter().flat_map(TensorFile::skipped)
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

    /// A copy of the tensor `name` on the CPU, in 32-bit precision or that of [`Checkpoint::in_precision`]; `None` when
    /// there is none.
    ///
    /// # Errors
    /// When its element type is not F32, F16 or BF16, or its elements are damaged.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor>, NnError> {
        let Some(entry) = self.tensors.get(name) else { return Ok(None) };
        let Some(view) = self.files[entry.file].get(name)? else { return Ok(None) };
        let kind = match view.dtype {
            Dtype::F32 => Kind::Float,
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            other => return Err(NnError::Dtype { name: name.to_owned(), dtype: other.to_string() }),
        };
        let tensor = Tensor::f_from_data_size(&view.data, &entry.shape, kind)
            .map_err(|source| NnError::Torch { what: format!("the data of {name}"), source })?;
        Ok(Some(tensor.to_kind(self.kind)))
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

    fn index(&mut self, file: &TensorFile) -> Result<(), NnError> {
        for name in file.names() {
            let Place::Vacant(vacant) = self.tensors.entry(name.to_owned()) else {
                return Err(NnError::Duplicate { name: name.to_owned(), path: file.path().to_owned() });
            };
            let shape = file.shape(name).unwrap_or_default().iter().map(|&size| size as i64).collect();
            vacant.insert(Entry { file: self.files.len(), shape });
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
    fn a_file_of_pytorch_is_read_in_the_precision_that_is_asked_for() {
        let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/weights");
        let [expected, found] = ["nested.safetensors", "nested.legacy.bin"]
            .map(|name| Checkpoint::open(&[golden.join(name)]).unwrap());
        let name = "model.old.weight_v";
        let weights = found.tensor(name).unwrap().unwrap();
        assert_eq!(weights.kind(), Kind::Float);
        assert!(weights.equal(&expected.tensor(name).unwrap().unwrap()));
        assert!(
            found.skipped().any(|skipped| skipped.name == "epoch") && expected.skipped().next().is_none()
        );
        let half = found.in_precision(Kind::Half).tensor(name).unwrap().unwrap();
        assert!(half.equal(&weights.to_kind(Kind::Half)));
    }

    #[test]
    fn a_tensor_in_two_files_is_an_error() {
        let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/weights");
        let both = ["net.safetensors", "net.zip.bin"].map(|name| golden.join(name));
        assert!(matches!(Checkpoint::open(&both), Err(NnError::Duplicate { .. })));
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
