//! Where a network's parameters come from: a checkpoint, seeded random values, or nowhere.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt::{self, Display},
};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tch::{Device, Kind, Tensor};

use crate::{Checkpoint, NnError, Role, Seed, Store};

/// Initial values of a parameter that no checkpoint gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// All zero.
    Zeros,
    /// All one.
    Ones,
    /// Normal with mean zero.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// Uniform in `-bound..bound`.
    Uniform {
        /// The bound.
        bound: f64,
    },
}

impl Init {
    /// PyTorch's default for a linear layer, Kaiming uniform with `a = sqrt(5)`: `U(-1/sqrt(in), 1/sqrt(in))`.
    pub fn fan_in(in_dim: i64) -> Self {
        Self::Uniform { bound: 1.0 / (in_dim.max(1) as f64).sqrt() }
    }

    /// Kaiming normal over the inputs of a rectifier: variance `2 / fan_in`. So transformers draws convolutions.
    pub fn kaiming_normal(fan_in: i64) -> Self {
        Self::Normal { std: (2.0 / fan_in.max(1) as f64).sqrt() }
    }
}

type Rename = Box<dyn Fn(&str) -> String>;

/// Where parameters come from.
pub enum Source {
    /// A checkpoint; `rename` turns the network's own names into the checkpoint's.
    Checkpoint {
        /// The files.
        checkpoint: Checkpoint,
        /// From our name to the checkpoint's.
        rename: Rename,
    },
    /// Random values, each parameter from the seed and its own name: the order of construction changes nothing.
    Init(Seed),
    /// Uninitialised memory that is never read: for counting parameters without loading them.
    Blank,
}

impl Source {
    /// A checkpoint whose names are the network's own.
    pub fn own_names(checkpoint: Checkpoint) -> Self {
        Self::Checkpoint { checkpoint, rename: Box::new(str::to_owned) }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint { checkpoint, .. } => f.debug_tuple("Checkpoint").field(checkpoint).finish(),
            Self::Init(seed) => f.debug_tuple("Init").field(seed).finish(),
            Self::Blank => f.write_str("Blank"),
        }
    }
}

/// The construction of one network: hands out parameters, keeps them in a [`Store`], and is strict about names.
#[derive(Debug)]
pub struct Loading {
    source: Source,
    device: Device,
    trainable: bool,
    store: RefCell<Store>,
    used: RefCell<BTreeSet<String>>,
}

impl Loading {
    /// A frozen network: no parameter asks for a gradient.
    pub fn frozen(source: Source, device: Device) -> Self {
        Self { source, device, trainable: false, store: RefCell::default(), used: RefCell::default() }
    }

    /// A trainable network: every parameter asks for a gradient, except [`Role::Fixed`] ones.
    pub fn trainable(source: Source, device: Device) -> Self {
        Self { trainable: true, ..Self::frozen(source, device) }
    }

    /// The loader at the root of the network's names.
    pub fn root(&self) -> Loader<'_> {
        Loader { loading: self, prefix: String::new() }
    }

    /// Ends the construction: the parameters by name.
    ///
    /// # Errors
    /// When the checkpoint holds tensors that nobody asked for and `ignore` does not excuse (by checkpoint name).
    pub fn finish(self, ignore: impl Fn(&str) -> bool) -> Result<Store, NnError> {
        if let Source::Checkpoint { checkpoint, .. } = &self.source {
            let used = self.used.borrow();
            let names: Vec<String> = checkpoint
                .names()
                .filter(|name| !used.contains(*name) && !ignore(name))
                .map(str::to_owned)
                .collect();
            if !names.is_empty() {
                return Err(NnError::Unexpected { names });
            }
        }
        Ok(self.store.into_inner())
    }
}

/// A place in the tree of a network's names.
#[derive(Debug, Clone)]
pub struct Loader<'a> {
    loading: &'a Loading,
    prefix: String,
}

impl Loader<'_> {
    /// The loader one level deeper, at `name`.
    #[must_use]
    pub fn at(&self, name: impl Display) -> Self {
        Self { loading: self.loading, prefix: self.full(&name.to_string()) }
    }

    /// The name of this place.
    pub fn path(&self) -> &str {
        &self.prefix
    }

    /// The device that the parameters live on.
    pub fn device(&self) -> Device {
        self.loading.device
    }

    /// The parameter `name` at this place, of exactly this shape, in 32-bit precision.
    ///
    /// # Errors
    /// When the name was asked for before, or the checkpoint lacks the tensor or has it in another shape or type.
    pub fn param(&self, name: &str, shape: &[i64], role: Role, init: Init) -> Result<Tensor, NnError> {
        let own = self.full(name);
        let values = match &self.loading.source {
            Source::Checkpoint { checkpoint, rename } => {
                let theirs = rename(&own);
                let tensor = checkpoint.tensor(&theirs)?.ok_or_else(|| NnError::Missing {
                    name: theirs.clone(),
                    parameter: own.clone(),
                    shape: shape.to_vec(),
                })?;
                if tensor.size() != shape {
                    return Err(NnError::Shape {
                        name: theirs,
                        found: tensor.size(),
                        wanted: shape.to_vec(),
                    });
                }
                self.loading.used.borrow_mut().insert(theirs);
                tensor
            }
            Source::Init(seed) => draw(init, shape, seed.derive(&own)),
            Source::Blank => Tensor::empty(shape, (Kind::Float, Device::Cpu)),
        };
        let learn = self.loading.trainable && role != Role::Fixed;
        let tensor = values.to_device(self.loading.device).set_requires_grad(learn);
        self.loading.store.borrow_mut().insert(&own, tensor.shallow_clone(), role)?;
        Ok(tensor)
    }

    fn full(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}.{name}", self.prefix) }
    }
}

/// Draws with a generator of our own whatever the target device: a seed means the same values everywhere, and
/// libtorch's one global generator is left alone.
fn draw(init: Init, shape: &[i64], seed: Seed) -> Tensor {
    let options = (Kind::Float, Device::Cpu);
    match init {
        Init::Zeros => Tensor::zeros(shape, options),
        Init::Ones => Tensor::ones(shape, options),
        Init::Normal { std } => sample(shape, seed, |rng| {
            let value: f64 = rng.sample(StandardNormal);
            value * std
        }),
        Init::Uniform { bound } => sample(shape, seed, |rng| rng.random_range(-bound..=bound)),
    }
}

fn sample(shape: &[i64], seed: Seed, mut next: impl FnMut(&mut ChaCha8Rng) -> f64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.value());
    let count: i64 = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| next(&mut rng) as f32).collect();
    Tensor::from_slice(&values).view(shape)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn saved(names: &[&str]) -> Checkpoint {
        // Tests run in parallel threads of one process: every call writes a file of its own.
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sure-nn-loader-{}-{number}", std::process::id()));
        let tensors: BTreeMap<String, Tensor> =
            names.iter().map(|name| ((*name).to_owned(), Tensor::from_slice(&[1.0f32, 2.0]))).collect();
        std::fs::write(&path, Checkpoint::to_bytes(&tensors, None).unwrap()).unwrap();
        let checkpoint = Checkpoint::open(std::slice::from_ref(&path)).unwrap();
        std::fs::remove_file(path).unwrap();
        checkpoint
    }

    #[test]
    fn a_tensor_that_nobody_asked_for_is_an_error_that_names_it() {
        let loading = Loading::frozen(Source::own_names(saved(&["a", "b"])), Device::Cpu);
        let _ = loading.root().param("a", &[2], Role::Weight, Init::Zeros).unwrap();
        let error = loading.finish(|_| false).unwrap_err();
        assert!(matches!(&error, NnError::Unexpected { names } if names == &["b"]), "{error}");
    }

    #[test]
    fn an_excused_tensor_is_left_alone() {
        let loading = Loading::frozen(Source::own_names(saved(&["a", "b"])), Device::Cpu);
        let _ = loading.root().param("a", &[2], Role::Weight, Init::Zeros).unwrap();
        assert!(loading.finish(|name| name == "b").is_ok());
    }

    #[test]
    fn a_missing_tensor_and_a_wrong_shape_are_errors() {
        let loading = Loading::frozen(Source::own_names(saved(&["a"])), Device::Cpu);
        let missing = loading.root().at("x").param("y", &[2], Role::Weight, Init::Zeros).unwrap_err();
        assert!(missing.to_string().contains("x.y"), "{missing}");
        let shape = loading.root().param("a", &[3], Role::Weight, Init::Zeros).unwrap_err();
        assert!(matches!(shape, NnError::Shape { .. }));
    }

    #[test]
    fn random_values_depend_on_seed_and_name_but_not_on_order() {
        let build = |names: [&str; 2]| {
            let loading = Loading::trainable(Source::Init(Seed::new(3)), Device::Cpu);
            for name in names {
                let _ = loading.root().param(name, &[4], Role::Weight, Init::Normal { std: 1.0 }).unwrap();
            }
            loading.finish(|_| false).unwrap().hashes()
        };
        let hashes = build(["a", "b"]);
        assert_eq!(hashes, build(["b", "a"]));
        assert_ne!(hashes["a"], hashes["b"]);
    }
}
