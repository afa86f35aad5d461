//! Named parameters.

use std::collections::{BTreeMap, HashMap};

use safetensors::{Dtype, tensor::TensorView};
use sha2::{Digest, Sha256};
use tch::{Kind, Tensor};

use crate::NnError;

/// The metadata key of a file's note.
pub(crate) const NOTE_KEY: &str = "sure";

/// What a parameter is, for weight decay and for unfreezing by role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A matrix or a convolution kernel.
    Weight,
    /// An additive bias.
    Bias,
    /// Scale or shift of a normalisation.
    Norm,
    /// The vector that `SpecAugment` puts in the place of hidden frames: nothing reaches it without `SpecAugment`.
    MaskVector,
    /// Never trained, not even by full fine-tuning: for example fixed positions.
    Fixed,
}

/// A parameter with its role.
#[derive(Debug)]
pub struct Param {
    /// The tensor; layers hold handles to the same storage.
    pub tensor: Tensor,
    /// Its role.
    pub role: Role,
}

impl Param {
    /// Number of elements.
    pub fn count(&self) -> u64 {
        self.tensor.numel() as u64
    }
}

/// Parameters by name. Backbone, adapter and head live in three stores, so that counts, optimiser, checkpoints and
/// weight decay follow from where a parameter stands and never from its name.
#[derive(Debug, Default)]
pub struct Store {
    params: BTreeMap<String, Param>,
}

impl Store {
    /// Adds a parameter.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn insert(&mut self, name: &str, tensor: Tensor, role: Role) -> Result<(), NnError> {
        match self.params.insert(name.to_owned(), Param { tensor, role }) {
            None => Ok(()),
            Some(_) => Err(NnError::DeclaredTwice { name: name.to_owned() }),
        }
    }

    /// Parameters with their names, in the names' order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Param)> {
        self.params.iter().map(|(name, param)| (name.as_str(), param))
    }

    /// The parameter called `name`.
    pub fn get(&self, name: &str) -> Option<&Param> {
        self.params.get(name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// Number of elements of all parameters.
    pub fn count(&self) -> u64 {
        self.params.values().map(Param::count).sum()
    }

    /// Bytes of all parameters in their own precision.
    pub fn bytes(&self) -> u64 {
        self.params.values().map(|param| param.count() * param.tensor.kind().elt_size_in_bytes() as u64).sum()
    }

    /// A second store that holds handles to the parameters for which `keep` is true.
    #[must_use]
    pub fn select(&self, keep: impl Fn(&str, &Param) -> bool) -> Self {
        let params = self
            .iter()
            .filter(|(name, param)| keep(name, param))
            .map(|(name, param)| {
                (name.to_owned(), Param { tensor: param.tensor.shallow_clone(), role: param.role })
            })
            .collect();
        Self { params }
    }

    /// Copies of all values, detached from the parameters.
    pub fn snapshot(&self) -> BTreeMap<String, Tensor> {
        self.iter().map(|(name, param)| (name.to_owned(), param.tensor.detach().copy())).collect()
    }

    /// Writes `values` into the parameters of the same names; names that this store lacks are left alone.
    pub fn restore(&self, values: &BTreeMap<String, Tensor>) {
        let _guard = tch::no_grad_guard();
        for (name, param) in &self.params {
            if let Some(value) = values.get(name) {
                param.tensor.shallow_clone().copy_(value);
            }
        }
    }

    /// SHA-256 of every parameter by name: name, shape and values, in hexadecimal.
    pub fn hashes(&self) -> BTreeMap<String, String> {
        self.iter().map(|(name, param)| (name.to_owned(), tensor_hash(name, &param.tensor))).collect()
    }

    /// SHA-256 over [`Store::hashes`].
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for (name, value) in self.hashes() {
            hash.update(name.as_bytes());
            hash.update(value.as_bytes());
        }
        hex(&hash.finalize())
    }

    /// The store as the bytes of a safetensors file in 32-bit precision.
    ///
    /// # Errors
    /// When a tensor cannot be laid out.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, NnError> {
        to_safetensors(&self.snapshot(), Kind::Float, None)
    }
}

/// Named tensors as the bytes of a safetensors file in the precision `kind`, `Half` or `Float`; equal tensors give equal
/// bytes.
pub(crate) fn to_safetensors(
    tensors: &BTreeMap<String, Tensor>,
    kind: Kind,
    note: Option<(&str, &str)>,
) -> Result<Vec<u8>, NnError> {
    let invalid = |source| NnError::Safetensors { path: "(in memory)".into(), source };
    let data: Vec<(&str, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            let shape = tensor.size().iter().map(|&size| size as usize).collect();
            (name.as_str(), shape, value_bytes(tensor, kind))
        })
        .collect();
    // One key at most: the header is a hash map, and several keys would come out in any order.
    let note = note.map(|(key, note)| HashMap::from([(key.to_owned(), note.to_owned())]));
    let dtype = if kind == Kind::Half { Dtype::F16 } else { Dtype::F32 };
    let views = data
        .iter()
        .map(|(name, shape, bytes)| Ok((*name, TensorView::new(dtype, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(invalid)?;
    safetensors::serialize(views, note).map_err(invalid)
}

/// The values as little-endian floats of the precision `kind`.
fn value_bytes(tensor: &Tensor, kind: Kind) -> Vec<u8> {
    let flat = tensor.detach().to_device(tch::Device::Cpu).to_kind(kind).contiguous();
    let count = flat.numel();
    let mut bytes = vec![0; count * kind.elt_size_in_bytes()];
    flat.copy_data_u8(&mut bytes, count);
    bytes
}

fn tensor_hash(name: &str, tensor: &Tensor) -> String {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    for size in tensor.size() {
        hash.update(size.to_le_bytes());
    }
    hash.update(value_bytes(tensor, Kind::Float));
    hex(&hash.finalize())
}

/// SHA-256 of `parts` one after the other, in hexadecimal.
pub fn hash_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        let mut store = Store::default();
        store.insert("a", Tensor::from_slice(&[1.0f32, 2.0]), Role::Weight).unwrap();
        store.insert("b", Tensor::from_slice(&[3.0f32]), Role::Bias).unwrap();
        store
    }

    #[test]
    fn a_name_can_be_declared_once() {
        let twice = store().insert("a", Tensor::from_slice(&[0.0f32]), Role::Bias);
        assert!(matches!(twice, Err(NnError::DeclaredTwice { name }) if name == "a"));
    }

    #[test]
    fn a_changed_value_changes_only_its_own_hash() {
        let store = store();
        let before = store.hashes();
        let _ = store.get("a").unwrap().tensor.shallow_clone().fill_(5.0);
        let after = store.hashes();
        assert_ne!(before["a"], after["a"]);
        assert_eq!(before["b"], after["b"]);
    }

    #[test]
    fn a_snapshot_restores_the_values() {
        let store = store();
        let kept = store.snapshot();
        let _ = store.get("a").unwrap().tensor.shallow_clone().fill_(5.0);
        store.restore(&kept);
        assert_eq!(Vec::<f32>::try_from(&store.get("a").unwrap().tensor).unwrap(), [1.0, 2.0]);
    }
}
