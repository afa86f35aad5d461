//! wav2vec 2.0 and HuBERT against `transformers` (`tests/golden/speech`): alone, in a batch of either mode, with hidden
//! frames, split at each cut.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::path::PathBuf;

use sure_nn::{
    Backbone, Checkpoint, Cut, Cx, Hooks, Input, Keep, NoAdapter, Prepared,
    tch::{self, Device, Kind, Tensor},
};
use sure_zoo::{Compat, LoadOptions, Weights, from_dir};

const NETWORKS: [&str; 4] = ["wav2vec2-base", "wav2vec2-large", "hubert-base", "hubert-large"];

fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/speech")).join(name)
}

/// A network with its reference.
struct Case {
    name: &'static str,
    backbone: Box<dyn Backbone>,
    reference: Checkpoint,
}

impl Case {
    fn all(compat: Compat) -> Vec<Self> {
        let options = LoadOptions { weights: Weights::Pretrained, device: Device::Cpu, compat };
        NETWORKS
            .map(|name| Self {
                name,
                backbone: from_dir(&golden(name), &options).unwrap(),
                reference: Checkpoint::open(&[golden(name).join("reference.safetensors")]).unwrap(),
            })
            .into()
    }

    fn get(&self, name: &str) -> Tensor {
        self.reference.tensor(name).unwrap().unwrap_or_else(|| panic!("the golden file has no {name}"))
    }

    fn clip(&self, name: &str) -> Prepared {
        let wave = Vec::<f32>::try_from(self.get(&format!("wave_{name}"))).unwrap();
        self.backbone.preparer().prepare(&wave).unwrap()
    }

    fn both(&self) -> Input {
        Input::collate(&["a", "b"].map(|clip| self.clip(clip)), Device::Cpu)
    }

    fn encode(&self, input: &Input, cx: &Cx) -> Vec<Tensor> {
        let _guard = tch::no_grad_guard();
        self.backbone.encode(input, &NoAdapter, cx, Keep::All).layers
    }

    fn compare(&self, ours: &Tensor, theirs: &str, tolerance: f64) {
        let reference = self.get(theirs);
        let distance = distance(&ours.view_as(&reference), &reference);
        assert!(distance < tolerance, "{} {theirs}: {distance:e}", self.name);
    }
}

/// Largest difference, relative to max(1, max of the reference).
fn distance(ours: &Tensor, theirs: &Tensor) -> f64 {
    assert_eq!(ours.size(), theirs.size());
    let scale = theirs.abs().max().double_value(&[]).max(1.0);
    (ours - theirs).abs().max().double_value(&[]) / scale
}

#[test]
fn every_hidden_state_of_a_clip_equals_transformers() {
    for case in Case::all(Compat::Sure) {
        for clip in ["a", "b"] {
            let input = Input::collate(&[case.clip(clip)], Device::Cpu);
            let layers = case.encode(&input, &Cx::eval());
            assert_eq!(layers.len(), 4);
            for (index, layer) in layers.iter().enumerate() {
                case.compare(layer, &format!("{clip}.hidden.{index}"), 1e-4);
            }
        }
    }
}

#[test]
fn the_features_of_the_front_end_equal_transformers() {
    for case in Case::all(Compat::Sure) {
        let input = Input::collate(&[case.clip("a")], Device::Cpu);
        let _guard = tch::no_grad_guard();
        let state = case.backbone.front_end(&input, &Hooks::new(&NoAdapter, &Cx::eval()));
        case.compare(&state.hidden, "a.features", 1e-4);
    }
}

#[test]
fn hidden_frames_get_the_mask_vector_as_in_transformers() {
    for case in Case::all(Compat::Sure) {
        let input = Input::collate(&[case.clip("a")], Device::Cpu);
        let masked = case.get("a.time_mask").unsqueeze(0).to_kind(Kind::Bool);
        let cx = Cx { time_mask: Some(masked), ..Cx::eval() };
        for (index, layer) in case.encode(&input, &cx).iter().enumerate() {
            case.compare(layer, &format!("a.masked.hidden.{index}"), 1e-4);
        }
    }
}

#[test]
fn a_batch_of_different_lengths_gives_what_each_clip_gives_alone() {
    for case in Case::all(Compat::Sure) {
        let batch = case.encode(&case.both(), &Cx::eval());
        for (row, clip) in ["a", "b"].iter().enumerate() {
            let alone = case.encode(&Input::collate(&[case.clip(clip)], Device::Cpu), &Cx::eval());
            for (index, (batch, alone)) in batch.iter().zip(&alone).enumerate() {
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
        for (index, layer) in case.encode(&case.both(), &Cx::eval()).iter().enumerate() {
            let reference = case.get(&format!("batch.hidden.{index}"));
            // Where a mask says what is padding, nobody reads the padded frames.
            let real = if case.name.ends_with("large") { [64, 38] } else { [64, 64] };
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
        for cut in [Cut::Input, Cut::Features, Cut::Block(0), Cut::Block(1), Cut::Block(2), Cut::Output] {
            let state = case.backbone.encode_until(&input, cut);
            let split = case.backbone.encode_from(state, cut, &NoAdapter, &Cx::eval(), Keep::Last);
            assert!(split.last().equal(whole.last()), "{} {cut:?}", case.name);
        }
    }
}

#[test]
fn the_published_configurations_have_the_published_counts() {
    let options = LoadOptions { weights: Weights::Blank, device: Device::Cpu, compat: Compat::Sure };
    for (name, count) in [("wav2vec2-large-xlsr-53", 315_438_720), ("wav2vec2-base", 94_371_712)] {
        let backbone = from_dir(&golden("configs").join(name), &options).unwrap();
        assert_eq!(backbone.store().count(), count, "{name}");
        let front_end = backbone.store().select(|name, _| name.starts_with(backbone.front_end_prefix()));
        assert_eq!(front_end.count(), if name.contains("large") { 4_210_176 } else { 4_200_448 });
    }
}

#[test]
fn every_parameter_is_called_in_published_names_as_the_checkpoint_calls_it() {
    for case in Case::all(Compat::Sure).iter().filter(|case| case.name == "wav2vec2-large") {
        let file = Checkpoint::open(&[golden(case.name).join("model.safetensors")]).unwrap();
        for (name, _) in case.backbone.store().iter() {
            let published = format!("wav2vec2.{}", case.backbone.published_name(name));
            assert!(file.contains(&published), "{published}");
        }
    }
}

#[test]
fn another_graph_over_the_same_weights_is_another_backbone() {
    let opened = |folder: &std::path::Path| {
        let options = LoadOptions { weights: Weights::Pretrained, device: Device::Cpu, compat: Compat::Sure };
        from_dir(folder, &options).unwrap()
    };
    let (from, copy) =
        (golden("wav2vec2-base"), std::env::temp_dir().join(format!("sure-graph-{}", std::process::id())));
    std::fs::create_dir_all(&copy).unwrap();
    for file in ["model.safetensors", "preprocessor_config.json"] {
        std::fs::copy(from.join(file), copy.join(file)).unwrap();
    }
    let config = std::fs::read_to_string(from.join("config.json")).unwrap();
    let changed = config.replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 2");
    assert_ne!(config, changed);
    std::fs::write(copy.join("config.json"), changed).unwrap();
    let (one, other) = (opened(&from), opened(&copy));
    assert_eq!(one.store().hash(), other.store().hash());
    assert_ne!(one.identity(), other.identity());
    assert_eq!(one.identity(), opened(&from).identity());
    std::fs::remove_dir_all(copy).unwrap();
}

#[test]
fn a_checkpoint_without_a_mask_vector_opens_whatever_its_configuration_says() {
    let from = golden("hubert-base");
    let copy = std::env::temp_dir().join(format!("sure-mask-{}", std::process::id()));
    std::fs::create_dir_all(&copy).unwrap();
    std::fs::copy(from.join("config.json"), copy.join("config.json")).unwrap();
    let mut tensors = Checkpoint::open(&[from.join("model.safetensors")]).unwrap().read_all().unwrap();
    assert!(tensors.remove("masked_spec_embed").is_some());
    std::fs::write(copy.join("model.safetensors"), Checkpoint::to_bytes(&tensors, None).unwrap()).unwrap();
    let options = LoadOptions { weights: Weights::Pretrained, device: Device::Cpu, compat: Compat::Sure };
    let backbone = from_dir(&copy, &options).unwrap();
    assert!(backbone.store().get("mask_vector").is_none());
    std::fs::remove_dir_all(copy).unwrap();
}
