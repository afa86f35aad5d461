//! The families of wav2vec 2.0's graph against `transformers` (`tests/golden/speech-families`): alone, in a batch of either
//! mode, split at each cut, under every spelling, and at the published sizes.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use sure_nn::{
    Backbone, Checkpoint, Cut, Cx, Input, Keep, NoAdapter, Prepared,
    tch::{self, Device, Tensor},
};
use sure_zoo::{Buckets, Compat, LoadOptions, Weights, ZooError, from_dir, published_ctc};

const NETWORKS: [&str; 5] = ["wavlm-base", "wavlm-large", "data2vec", "hubert-xlarge", "wav2vec2-base-ctc"];

fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/speech-families")).join(name)
}

fn open(folder: &Path, compat: Compat) -> Result<Box<dyn Backbone>, ZooError> {
    from_dir(folder, &LoadOptions { weights: Weights::Pretrained, device: Device::Cpu, compat })
}

fn file(path: &Path) -> Checkpoint {
    Checkpoint::open(&[path.to_owned()]).unwrap()
}

fn tensor(checkpoint: &Checkpoint, name: &str) -> Tensor {
    checkpoint.tensor(name).unwrap().unwrap_or_else(|| panic!("the golden file has no {name}"))
}

/// A network with its reference.
struct Case {
    name: &'static str,
    backbone: Box<dyn Backbone>,
    reference: Checkpoint,
    waves: Checkpoint,
}

impl Case {
    fn all(compat: Compat) -> Vec<Self> {
        let case = |name| Self {
            name,
            backbone: open(&golden(name), compat).unwrap(),
            reference: file(&golden(name).join("reference.safetensors")),
            waves: file(&golden("shared.safetensors")),
        };
        NETWORKS.map(case).into()
    }

    fn clip(&self, name: &str) -> Prepared {
        let wave = Vec::<f32>::try_from(tensor(&self.waves, &format!("wave_{name}"))).unwrap();
        self.backbone.preparer().prepare(&wave).unwrap()
    }

    fn alone(&self, name: &str) -> Vec<Tensor> {
        self.encode(&Input::collate(&[self.clip(name)], Device::Cpu))
    }

    fn both(&self) -> Input {
        Input::collate(&["a", "b"].map(|clip| self.clip(clip)), Device::Cpu)
    }

    fn encode(&self, input: &Input) -> Vec<Tensor> {
        let _guard = tch::no_grad_guard();
        self.backbone.encode(input, &NoAdapter, &Cx::eval(), Keep::All).layers
    }
}

/// Largest difference, relative to max(1, max of the reference).
fn distance(ours: &Tensor, theirs: &Tensor) -> f64 {
    assert_eq!(ours.size(), theirs.size());
    let scale = theirs.abs().max().double_value(&[]).max(1.0);
    (ours - theirs).abs().max().double_value(&[]) / scale
}

/// A folder that is gone when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    /// A copy of a golden folder, with the checkpoint's tensors as `change` gives them.
    fn of(
        name: &str,
        purpose: &str,
        change: impl Fn(BTreeMap<String, Tensor>) -> BTreeMap<String, Tensor>,
    ) -> Self {
        let scratch = Self::empty(purpose);
        for file in ["config.json", "preprocessor_config.json"] {
            fs::copy(golden(name).join(file), scratch.0.join(file)).unwrap();
        }
        let tensors = change(file(&golden(name).join("model.safetensors")).read_all().unwrap());
        fs::write(scratch.0.join("model.safetensors"), Checkpoint::to_bytes(&tensors, None).unwrap())
            .unwrap();
        scratch
    }

    fn empty(purpose: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("sure-families-{purpose}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn renamed(
    rename: impl Fn(String) -> String,
) -> impl Fn(BTreeMap<String, Tensor>) -> BTreeMap<String, Tensor> {
    move |tensors| tensors.into_iter().map(|(name, tensor)| (rename(name), tensor)).collect()
}

#[test]
fn every_hidden_state_of_a_clip_equals_transformers() {
    for case in Case::all(Compat::Sure) {
        for clip in ["a", "b"] {
            for (index, layer) in case.alone(clip).iter().enumerate() {
                let reference = tensor(&case.reference, &format!("{clip}.hidden.{index}"));
                let distance = distance(layer, &reference);
                assert!(distance < 1e-4, "{} {clip}, layer {index}: {distance:e}", case.name);
            }
        }
    }
}

#[test]
fn a_batch_of_different_lengths_gives_what_each_clip_gives_alone() {
    for case in Case::all(Compat::Sure) {
        let batch = case.encode(&case.both());
        for (row, clip) in ["a", "b"].iter().enumerate() {
            for (index, (batch, alone)) in batch.iter().zip(&case.alone(clip)).enumerate() {
                let real = batch.narrow(0, row as i64, 1).narrow(1, 0, alone.size()[1]);
                let distance = distance(&real, alone);
                assert!(distance < 1e-5, "{} clip {clip}, layer {index}: {distance:e}", case.name);
            }
        }
    }
}

#[test]
fn in_their_mode_a_batch_equals_transformers_padding_and_all() {
    for case in Case::all(Compat::Transformers) {
        for (index, layer) in case.encode(&case.both()).iter().enumerate() {
            let reference = tensor(&case.reference, &format!("batch.hidden.{index}"));
            // Where a mask says what is padding, nobody reads the padded frames.
            let real = if case.name == "wav2vec2-base-ctc" { [45, 45] } else { [45, 24] };
            for (row, frames) in real.into_iter().enumerate() {
                let cut = |all: &Tensor| all.get(row as i64).narrow(0, 0, frames);
                let distance = distance(&cut(layer), &cut(&reference));
                assert!(distance < 1e-4, "{} row {row}, layer {index}: {distance:e}", case.name);
            }
        }
    }
}

#[test]
fn splitting_at_any_cut_changes_nothing() {
    for case in Case::all(Compat::Sure) {
        let input = case.both();
        let _guard = tch::no_grad_guard();
        let whole = case.backbone.encode(&input, &NoAdapter, &Cx::eval(), Keep::Last);
        let blocks = (0..case.backbone.blocks()).map(Cut::Block);
        for cut in [Cut::Input, Cut::Features, Cut::Output].into_iter().chain(blocks) {
            let state = case.backbone.encode_until(&input, cut);
            let split = case.backbone.encode_from(state, cut, &NoAdapter, &Cx::eval(), Keep::Last);
            assert!(split.last().equal(whole.last()), "{} {cut:?}", case.name);
        }
    }
}

#[test]
fn a_published_head_gives_the_logits_of_transformers() {
    for case in Case::all(Compat::Sure).into_iter().filter(|case| case.name != "wavlm-base") {
        let head = published_ctc(&golden(case.name)).unwrap();
        for clip in ["a", "b"] {
            let logits = case.alone(clip).pop().unwrap().linear(&head.weight, Some(&head.bias));
            let distance = distance(&logits, &tensor(&case.reference, &format!("{clip}.logits")));
            assert!(distance < 1e-4, "{} {clip}: {distance:e}", case.name);
        }
        let words = head.vocabulary;
        assert_eq!(
            (words.tokens.len() as i64, words.lower_case),
            (head.bias.size()[0], case.name == "hubert-xlarge")
        );
    }
    let vocabulary = published_ctc(&golden("data2vec")).unwrap().vocabulary;
    assert_eq!(vocabulary.tokens[11..], ["[UNK]", "[PAD]", "<s>", "</s>"]);
    assert_eq!((vocabulary.blank, vocabulary.unknown, vocabulary.delimiter), (12, Some(11), Some(10)));
    assert!(matches!(published_ctc(&golden("wavlm-base")), Err(ZooError::NoCtcHead { .. })));
}

#[test]
fn each_distance_has_the_bucket_that_transformers_gives_it() {
    let shared = file(&golden("shared.safetensors"));
    for (num_buckets, max_bucket_distance) in [(320, 800), (32, 40)] {
        let buckets = Buckets { num_buckets, max_bucket_distance };
        let theirs = tensor(&shared, &format!("buckets.{num_buckets}.{max_bucket_distance}"));
        let theirs = Vec::<f32>::try_from(theirs).unwrap();
        assert_eq!(theirs.len(), 4001);
        for (distance, theirs) in (-2000..=2000).zip(theirs) {
            assert_eq!(buckets.of(distance), theirs as i64, "{distance} frames, {buckets:?}");
        }
    }
}

#[test]
fn prefix_and_spelling_of_a_checkpoint_change_nothing() {
    let last = |folder: &Path| {
        let case = Case {
            name: "",
            backbone: open(folder, Compat::Sure).unwrap(),
            reference: file(&golden("shared.safetensors")),
            waves: file(&golden("shared.safetensors")),
        };
        case.alone("a").pop().unwrap()
    };
    let whole = |prefix: &'static str| renamed(move |name| format!("{prefix}{name}"));
    let bare = |prefix: &'static str| {
        renamed(move |name: String| name.strip_prefix(prefix).map_or(name.clone(), str::to_owned))
    };
    let new = |name: String| {
        let name = name.replace(".weight_g", ".parametrizations.weight.original0");
        name.replace(".weight_v", ".parametrizations.weight.original1")
    };
    let old = |name: String| {
        let name = name.replace(".parametrizations.weight.original0", ".weight_g");
        name.replace(".parametrizations.weight.original1", ".weight_v")
    };
    let changed = [
        ("wavlm-base", Scratch::of("wavlm-base", "wavlm-whole", whole("wavlm."))),
        ("wavlm-base", Scratch::of("wavlm-base", "wavlm-new", renamed(new))),
        ("wavlm-large", Scratch::of("wavlm-large", "wavlm-bare", bare("wavlm."))),
        ("wavlm-large", Scratch::of("wavlm-large", "wavlm-old", renamed(old))),
        ("data2vec", Scratch::of("data2vec", "data2vec-bare", bare("data2vec_audio."))),
    ];
    for (name, folder) in &changed {
        assert!(last(&folder.0).equal(&last(&golden(name))), "{name} as {}", folder.0.display());
    }
}

#[test]
fn every_known_head_may_stand_beside_an_encoder_and_nothing_else_may() {
    let with = |purpose: &str, name: &str| {
        let add = |mut tensors: BTreeMap<String, Tensor>| {
            tensors.insert(name.to_owned(), Tensor::from_slice(&[1.0f32]));
            tensors
        };
        open(&Scratch::of("wavlm-large", purpose, add).0, Compat::Sure)
    };
    let heads = [
        "quantizer.codevectors",
        "quantizer.weight_proj.weight",
        "project_q.bias",
        "project_hid.weight",
        "projector.weight",
        "classifier.weight",
        "layer_weights",
        "objective.weight",
        "tdnn.0.kernel.weight",
        "feature_extractor.weight",
    ];
    for (index, head) in heads.iter().enumerate() {
        assert!(with(&format!("head-{index}"), head).is_ok(), "{head}");
    }
    let strangers = ["wavlm.encoder.layers.3.layer_norm.weight", "encoder.layer_norm.weight", "vad.weight"];
    for (index, stranger) in strangers.iter().enumerate() {
        let error = with(&format!("stranger-{index}"), stranger).unwrap_err();
        let ZooError::Build { source, .. } = &error else { panic!("{error}") };
        assert!(source.to_string().contains(stranger), "{error}");
    }
}

#[test]
fn a_parameter_has_the_name_that_the_checkpoint_gives_it() {
    for (name, prefix) in [("wavlm-large", "wavlm."), ("data2vec", "data2vec_audio.")] {
        let backbone = open(&golden(name), Compat::Sure).unwrap();
        let checkpoint = file(&golden(name).join("model.safetensors"));
        for (ours, _) in backbone.store().iter() {
            let theirs = format!("{prefix}{}", backbone.published_name(ours));
            assert!(checkpoint.contains(&theirs), "{name}: {theirs}");
        }
    }
}

#[test]
fn the_published_configurations_have_the_published_counts() {
    #[derive(serde::Deserialize)]
    struct Published {
        config: serde_json::Value,
        count: u64,
    }

    let text = fs::read_to_string(golden("counts.json")).unwrap();
    let published: BTreeMap<String, Published> = serde_json::from_str(&text).unwrap();
    assert_eq!(published.len(), 21);
    let scratch = Scratch::empty("counts");
    let options = LoadOptions { weights: Weights::Blank, device: Device::Cpu, compat: Compat::Sure };
    for (name, Published { config, count }) in published {
        fs::write(scratch.0.join("config.json"), config.to_string()).unwrap();
        let backbone = from_dir(&scratch.0, &options).unwrap();
        assert_eq!(backbone.store().count(), count, "{name}");
        let second = backbone.preparer().prepare(&vec![0.1; 16_000]).unwrap();
        let mels = config["num_mel_bins"].as_u64();
        assert_eq!(
            (second.channels as u64, second.length),
            mels.map_or((1, 16_000), |mels| (mels, 100)),
            "{name}"
        );
    }
}
