//! Helpers shared by the conformance tests: golden files, tiny backbones, distances.

use std::path::PathBuf;

use sure_adapters::AdapterConfig;
use sure_bench::presets::{self, MethodPreset};
use sure_data::{Example, Target};
use sure_nn::{
    Backbone, Checkpoint, Modality, Prepared,
    tch::{self, Device, Kind, Tensor},
};
use sure_train::Model;
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
    "speech-families/wavlm-base",
    "speech-families/wavlm-large",
    "speech-families/data2vec",
    "text-encoders/bert",
    "text-encoders/distilbert",
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

/// Recordings or texts of different lengths, made ready for `backbone`.
///
/// # Panics
/// When the backbone refuses them.
pub fn clips(backbone: &dyn Backbone) -> Vec<Prepared> {
    if backbone.modality() == Modality::Text {
        let texts = [
            "play a song by queen in the kitchen and turn the lights on please",
            "I'd like a large double-shot latte with 2 sugars, please; and make it quick, it is cold in here!",
            "no, set the warm red light to 10",
        ];
        let read = |text| backbone.preparer().prepare_text(text).expect("any backbone reads so few words");
        return texts.map(read).into();
    }
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

/// An example with a class and nothing else.
pub fn example(class: usize) -> Example {
    example_of(Target::Class(class))
}

/// An example with a target and nothing else.
pub fn example_of(target: Target) -> Example {
    Example { id: String::new(), audio: PathBuf::new(), written: None, target, speaker: None }
}

/// A method's preset, fit for networks of width 32.
///
/// # Panics
/// When there is no such method.
pub fn preset(method: &str) -> MethodPreset {
    let mut preset = presets::method(method).expect("the method exists");
    if let Some(AdapterConfig::TinyConformer(config)) = &mut preset.adapter {
        // A 32nd of 32 leaves nothing to halve.
        config.reduction = 8;
    }
    preset
}

/// Moves every trained parameter away from where it starts, as training would.
pub fn stir(model: &Model) {
    let _guard = tch::no_grad_guard();
    for (_, store) in model.trained() {
        for (_, param) in store.iter() {
            let count = param.tensor.numel() as i64;
            let wave = Tensor::arange(count, (Kind::Float, Device::Cpu)).sin() * 0.05;
            let moved = &param.tensor + wave.view_as(&param.tensor);
            param.tensor.shallow_clone().copy_(&moved);
        }
    }
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
