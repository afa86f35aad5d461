//! Helpers shared by the conformance tests: golden files, tiny backbones, distances.

use std::path::PathBuf;

use sure_data::Example;
use sure_nn::{
    Backbone, Checkpoint, Prepared,
    tch::{Device, Tensor},
};
use sure_zoo::{Compat, LoadOptions, Weights, from_dir};

/// A path below `tests/golden`.
pub fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/golden")).join(name)
}

/// The backbones that every method is tried on: tiny, with the whole graph of their family.
pub const BACKBONES: &[&str] = &[
    "whisper",
    "speech/wav2vec2-base",
    "speech/wav2vec2-large",
    "speech/hubert-base",
    "speech/hubert-large",
];

/// One of [`BACKBONES`].
///
/// # Panics
/// When the golden folder is damaged.
pub fn backbone(name: &str) -> Box<dyn Backbone> {
    let options = LoadOptions { weights: Weights::Pretrained, device: Device::Cpu, compat: Compat::Sure };
    from_dir(&golden(name), &options).expect("the golden backbone opens")
}

/// A golden tensor file.
#[derive(Debug)]
pub struct Golden(Checkpoint);

impl Golden {
    /// Opens `name`, below `tests/golden`.
    ///
    /// # Panics
    /// When it is not there.
    pub fn open(name: &str) -> Self {
        Self(Checkpoint::open(&[golden(name)]).expect("the golden file opens"))
    }

    /// The tensor called `name`.
    ///
    /// # Panics
    /// When there is none.
    pub fn get(&self, name: &str) -> Tensor {
        self.0
            .tensor(name)
            .expect("a golden tensor is readable")
            .unwrap_or_else(|| panic!("no tensor {name}"))
    }

    /// The file itself.
    pub fn checkpoint(self) -> Checkpoint {
        self.0
    }
}

/// Clips of different lengths, made ready for `backbone`.
///
/// # Panics
/// When the backbone refuses them.
pub fn clips(backbone: &dyn Backbone) -> Vec<Prepared> {
    let clip = |samples: usize, pitch: f32| -> Vec<f32> {
        (0..samples).map(|n| 0.3 * (n as f32 * pitch).sin() + 0.05 * (n as f32 * pitch * 7.3).cos()).collect()
    };
    [clip(9_000, 0.05), clip(14_321, 0.11), clip(5_130, 0.02)]
        .iter()
        .map(|samples| {
            backbone.preparer().prepare(samples).expect("half a second is enough for any backbone")
        })
        .collect()
}

/// An example with a label and nothing else.
pub fn example(label: usize) -> Example {
    Example { id: String::new(), audio: PathBuf::new(), label, speaker: None }
}

/// Largest difference, relative to max(1, max of the reference).
///
/// # Panics
/// When the shapes differ.
pub fn distance(ours: &Tensor, theirs: &Tensor) -> f64 {
    assert_eq!(ours.size(), theirs.size());
    let scale = theirs.abs().max().double_value(&[]).max(1.0);
    (ours.detach() - theirs).abs().max().double_value(&[]) / scale
}
