//! LoRA from and to Python's peft, and whole checkpoints for transformers (`tests/golden/peft`).
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use sure_bench::{
    interchange::{ImportLabels, export_hf, export_peft, import, stored_labels},
    rundir::Opened,
};
use sure_nn::{
    Backbone, Checkpoint, Cx, Input, Keep, NoAdapter, Prepared,
    tch::{self, Device, Tensor},
};
use sure_zoo::{Compat, LoadOptions, Weights, from_dir};

/// Folders of adapters, each with its backbone.
const ADAPTERS: [(&str, &str); 3] = [
    ("wav2vec2-base", "wav2vec2-base"),
    ("hubert-large", "hubert-large"),
    ("wav2vec2-base-subset", "wav2vec2-base"),
];
const TOLERANCE: f64 = 1e-5;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden")).join(name)
}

fn speech(name: &str) -> PathBuf {
    golden("speech").join(name)
}

fn open(path: &Path) -> Checkpoint {
    Checkpoint::open(&[path.to_owned()]).unwrap()
}

fn reference(folder: &str, name: &str) -> Tensor {
    open(&golden("peft").join(folder).join("reference.safetensors")).tensor(name).unwrap().unwrap()
}

fn clip(backbone: &dyn Backbone, folder: &str, name: &str) -> Prepared {
    let wave =
        open(&speech(folder).join("reference.safetensors")).tensor(&format!("wave_{name}")).unwrap().unwrap();
    backbone.preparer().prepare(&Vec::<f32>::try_from(wave).unwrap()).unwrap()
}

fn distance(ours: &Tensor, theirs: &Tensor) -> f64 {
    let scale = theirs.abs().max().double_value(&[]).max(1.0);
    (ours.view_as(theirs) - theirs).abs().max().double_value(&[]) / scale
}

/// Both files hold exactly these tensors, to the bit.
fn assert_same(ours: &Checkpoint, theirs: &Checkpoint, names: &[&str]) {
    assert_eq!(ours.names().collect::<Vec<_>>(), names);
    for name in names {
        let [a, b] = [ours, theirs].map(|file| file.tensor(name).unwrap().unwrap());
        assert!(a.equal(&b), "{name}");
    }
}

fn settings(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("adapter_config.json")).unwrap()).unwrap()
}

/// peft's adapter `name`, imported into `out`.
fn imported(name: &str, backbone: &str, out: &Path) -> Opened {
    let from = golden("peft").join(name).join("adapter");
    import(&from, speech(backbone).to_str().unwrap(), None, out).unwrap();
    Opened::open(out, Device::Cpu).unwrap()
}

#[test]
fn an_adapter_of_peft_gives_pefts_hidden_states() {
    let folder = tempfile::tempdir().unwrap();
    for (name, backbone) in ADAPTERS {
        let opened = imported(name, backbone, &folder.path().join(name));
        let model = opened.model;
        let _guard = tch::no_grad_guard();
        for clip_name in ["a", "b"] {
            let input = Input::collate(&[clip(&*model.backbone, backbone, clip_name)], Device::Cpu);
            let encoded = model.backbone.encode(&input, &*model.adapted.adapter, &Cx::eval(), Keep::Last);
            let difference = distance(encoded.last(), &reference(name, &format!("{clip_name}.last")));
            assert!(difference < TOLERANCE, "{name}, clip {clip_name}: {difference:e}");
        }
    }
}

#[test]
fn what_was_imported_is_exported_as_peft_had_saved_it() {
    let folder = tempfile::tempdir().unwrap();
    for (name, backbone) in ADAPTERS {
        let opened = imported(name, backbone, &folder.path().join(name));
        let out = folder.path().join(format!("{name}-out"));
        export_peft(opened, true, &out).unwrap();
        let theirs = golden("peft").join(name).join("adapter");
        let [ours_file, theirs_file] =
            [&out, &theirs].map(|folder| open(&folder.join("adapter_model.safetensors")));
        assert_same(&ours_file, &theirs_file, &theirs_file.names().collect::<Vec<_>>());
        let (ours, theirs) = (settings(&out), settings(&theirs));
        for key in
            ["peft_type", "r", "lora_alpha", "bias", "use_dora", "use_rslora", "modules_to_save", "task_type"]
        {
            assert_eq!(ours[key], theirs[key], "{name}: {key}");
        }
        if name == "wav2vec2-base-subset" {
            // Two of three blocks: each map by its full name.
            assert_eq!(ours["target_modules"].as_array().unwrap().len(), 4);
        } else {
            assert_eq!(ours["target_modules"], theirs["target_modules"], "{name}");
        }
    }
}

#[test]
fn merged_weights_are_a_checkpoint_that_answers_as_pefts_merged_model() {
    let folder = tempfile::tempdir().unwrap();
    for (name, backbone) in ADAPTERS {
        let opened = imported(name, backbone, &folder.path().join(name));
        let out = folder.path().join(format!("{name}-merged"));
        export_hf(opened, true, &out).unwrap();
        let theirs = open(&golden("peft").join(name).join("reference.safetensors"));
        let ours = open(&out.join("model.safetensors"));
        for merged in theirs.names().filter_map(|name| name.strip_prefix("merged.")) {
            let weight = ours.tensor(merged).unwrap().unwrap_or_else(|| panic!("no {merged}"));
            assert!(distance(&weight, &reference(name, &format!("merged.{merged}"))) < TOLERANCE, "{merged}");
        }
        let options = LoadOptions { weights: Weights::Pretrained, device: Device::Cpu, compat: Compat::Sure };
        let reopened = from_dir(&out, &options).unwrap();
        let _guard = tch::no_grad_guard();
        let input = Input::collate(&[clip(&*reopened, backbone, "a")], Device::Cpu);
        let encoded = reopened.encode(&input, &NoAdapter, &Cx::eval(), Keep::Last);
        assert!(distance(encoded.last(), &reference(name, "a.merged")) < TOLERANCE, "{name}");
    }
}

/// peft's classifier with its head, as a run of ours.
fn classifier(out: &Path) -> Opened {
    let from = golden("peft/wav2vec2-base-classifier/adapter");
    let labels =
        ImportLabels { task: "ks".to_owned(), labels: ["no", "yes", "maybe"].map(str::to_owned).into() };
    import(&from, speech("wav2vec2-base").to_str().unwrap(), Some(labels), out).unwrap();
    Opened::open(out, Device::Cpu).unwrap()
}

#[test]
fn a_head_saved_with_the_adapter_gives_pefts_logits() {
    let folder = tempfile::tempdir().unwrap();
    let model = classifier(&folder.path().join("run")).model;
    let _guard = tch::no_grad_guard();
    for name in ["a", "b"] {
        let input = Input::collate(&[clip(&*model.backbone, "wav2vec2-base", name)], Device::Cpu);
        let difference = distance(
            &model.logits_of(&input, &Cx::eval()).values,
            &reference("wav2vec2-base-classifier", &format!("{name}.logits")),
        );
        assert!(difference < TOLERANCE, "clip {name}: {difference:e}");
    }
}

#[test]
fn a_run_with_its_head_is_exported_as_peft_had_saved_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    export_peft(classifier(&folder.path().join("run")), true, &out).unwrap();
    let theirs = golden("peft/wav2vec2-base-classifier/adapter");
    let [ours_file, theirs_file] =
        [&out, &theirs].map(|folder| open(&folder.join("adapter_model.safetensors")));
    assert_same(&ours_file, &theirs_file, &theirs_file.names().collect::<Vec<_>>());
    assert_eq!(stored_labels(&out).unwrap().unwrap(), ["no", "yes", "maybe"]);
    assert_eq!(settings(&out)["modules_to_save"], settings(&theirs)["modules_to_save"]);
    let merged = folder.path().join("merged");
    export_hf(classifier(&folder.path().join("again")), true, &merged).unwrap();
    let config: Value =
        serde_json::from_str(&fs::read_to_string(merged.join("config.json")).unwrap()).unwrap();
    assert_eq!(config["architectures"], json!(["Wav2Vec2ForSequenceClassification"]));
    assert_eq!(config["id2label"]["2"], json!("maybe"));
    assert!(open(&merged.join("model.safetensors")).contains("classifier.weight"));
}

#[test]
fn what_cannot_be_exchanged_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let backbone = speech("wav2vec2-base");
    let backbone = backbone.to_str().unwrap();
    let refused = |from: &Path, backbone: &str| {
        format!("{:#}", import(from, backbone, None, &folder.path().join("never")).unwrap_err())
    };
    let theirs = golden("peft/wav2vec2-base/adapter");
    let changed = |key: &str, value: Value| {
        let copy = folder.path().join(format!("changed-{key}"));
        fs::create_dir_all(&copy).unwrap();
        fs::copy(theirs.join("adapter_model.safetensors"), copy.join("adapter_model.safetensors")).unwrap();
        let mut config = settings(&theirs);
        config[key] = value;
        fs::write(copy.join("adapter_config.json"), config.to_string()).unwrap();
        copy
    };
    assert!(refused(&changed("use_dora", json!(true)), backbone).contains("use_dora"));
    assert!(refused(&changed("peft_type", json!("IA3")), backbone).contains("IA3"));
    assert!(refused(&changed("rank_pattern", json!({"q_proj": 2})), backbone).contains("rank"));
    assert!(refused(&changed("r", json!(7)), backbone).contains("does not fit rank 7"));
    assert!(refused(&changed("r", json!(i64::MAX)), backbone).contains("does not fit"));
    assert!(refused(&changed("init_lora_weights", json!("pissa")), backbone).contains("pissa"));
    assert!(refused(&changed("layer_replication", json!([[0, 2]])), backbone).contains("layer_replication"));
    assert!(refused(&theirs, golden("whisper").to_str().unwrap()).contains("no place"));
    assert!(refused(folder.path(), backbone).contains("adapter_config.json"));
    assert!(!folder.path().join("never").exists(), "a refused import leaves nothing behind");

    let headless = ImportLabels { task: "ks".to_owned(), labels: vec!["no".to_owned(), "yes".to_owned()] };
    let error = import(&theirs, backbone, Some(headless.clone()), &folder.path().join("never")).unwrap_err();
    assert!(error.to_string().contains("without a head"), "{error}");
    let from = golden("peft/wav2vec2-base-classifier/adapter");
    let error = import(&from, backbone, Some(headless), &folder.path().join("never")).unwrap_err();
    assert!(error.to_string().contains("3 outputs, and there are 2 labels"), "{error}");
}

#[test]
fn a_decoders_adapter_is_not_taken_for_the_encoders() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = golden("lora/peft-adapter");
    let decoder = open(&theirs.join("adapter_model.safetensors")).read_all().unwrap();
    let decoder = decoder
        .into_iter()
        .filter(|(name, _)| name.contains("fc1.lora"))
        .map(|(name, tensor)| (name.replace("model.encoder.", "model.model.decoder."), tensor));
    let bytes = Checkpoint::to_pytorch_bytes(&decoder.collect()).unwrap();
    fs::write(folder.path().join("adapter_model.safetensors"), bytes).unwrap();
    fs::copy(theirs.join("adapter_config.json"), folder.path().join("adapter_config.json")).unwrap();
    let error = import(folder.path(), golden("whisper").to_str().unwrap(), None, &folder.path().join("out"));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("no place") && error.contains("decoder"), "{error}");
}

#[test]
fn a_rank_stabilised_adapter_keeps_its_scale() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = golden("peft/wav2vec2-base/adapter");
    let copy = folder.path().join("copy");
    fs::create_dir_all(&copy).unwrap();
    fs::copy(theirs.join("adapter_model.safetensors"), copy.join("adapter_model.safetensors")).unwrap();
    // alpha / sqrt(4) with alpha 1 is what alpha / 4 is with alpha 2.
    let mut config = settings(&theirs);
    config["use_rslora"] = json!(true);
    config["lora_alpha"] = json!(1);
    fs::write(copy.join("adapter_config.json"), config.to_string()).unwrap();
    let out = folder.path().join("out");
    import(&copy, speech("wav2vec2-base").to_str().unwrap(), None, &out).unwrap();
    let model = Opened::open(&out, Device::Cpu).unwrap().model;
    let _guard = tch::no_grad_guard();
    let input = Input::collate(&[clip(&*model.backbone, "wav2vec2-base", "a")], Device::Cpu);
    let encoded = model.backbone.encode(&input, &*model.adapted.adapter, &Cx::eval(), Keep::Last);
    assert!(distance(encoded.last(), &reference("wav2vec2-base", "a.last")) < TOLERANCE);
}

#[test]
fn whispers_adapters_go_both_ways_too() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = golden("lora/peft-adapter");
    let taken =
        import(&theirs, golden("whisper").to_str().unwrap(), None, &folder.path().join("in")).unwrap();
    assert!(taken.head_left, "the adapter has a head of another width");
    let out = folder.path().join("out");
    export_peft(Opened::open(&folder.path().join("in"), Device::Cpu).unwrap(), true, &out).unwrap();
    let [ours, theirs] = [&out, &theirs].map(|folder| open(&folder.join("adapter_model.safetensors")));
    let lora: Vec<&str> = theirs.names().filter(|name| name.contains("lora_")).collect();
    assert_same(&ours, &theirs, &lora);
}
