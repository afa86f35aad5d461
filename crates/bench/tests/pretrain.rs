//! Pretraining from the command line: killed and resumed it ends in the same bytes, and what it leaves is a backbone.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

#[expect(dead_code, reason = "one corpus is enough here")]
mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use common::{corpus, succeed, sure, text};

/// Two iterations of a model of a few thousand parameters.
const RECIPE: &str = r#"
seed = 3
crop_seconds = 0.8
holdout = 0.15
eval_every = 4
checkpoint_every = 3
final_dim = 8
temperature = 0.1
unmasked_weight = 0.5
front_end_gradient = 0.1
dropout = true
weight_decay = 0.01
clip_norm = 5.0
mask = { share = 0.5, length = 4 }

[model]
hidden_size = 16
num_hidden_layers = 2
num_attention_heads = 2
intermediate_size = 32
conv_dim = [8, 8, 8, 8, 8, 8, 8]
num_conv_pos_embeddings = 8
num_conv_pos_embedding_groups = 4

[[iterations]]
targets = "mfcc"
clusters = 6
init = "random"
steps = 8
batch_seconds = 3.0
lr = 1e-3
warmup = 0.2

[[iterations]]
targets = { layer = 1 }
clusters = 8
init = "previous"
steps = 6
batch_seconds = 3.0
lr = 1e-3
warmup = 0.2
"#;

struct Place {
    // Removed when dropped.
    _folder: tempfile::TempDir,
    home: PathBuf,
    data: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let data = corpus(folder.path());
    let home = folder.path().join("home");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("recipe.toml"), RECIPE).unwrap();
    Place { _folder: folder, home, data }
}

fn pretrain(place: &Place, out: &str) -> Command {
    let mut command = sure(&place.home);
    command.args(["pretrain", "--threads", "1", "--recipe"]).arg(place.home.join("recipe.toml"));
    command.arg("--data").arg(&place.data).arg("--out").arg(place.home.join(out));
    command
}

fn weights(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("model.safetensors")).unwrap()
}

/// The record without what a clock says.
fn record(folder: &Path) -> serde_json::Value {
    let text = fs::read_to_string(folder.join("pretrain.json")).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    for iteration in record["iterations"].as_array_mut().unwrap() {
        let iteration = iteration.as_object_mut().unwrap();
        assert!(iteration.remove("seconds_targets").is_some() && iteration.remove("seconds_train").is_some());
    }
    record
}

#[test]
fn a_run_killed_at_any_point_ends_in_the_same_bytes() {
    let place = place();
    succeed(&mut pretrain(&place, "whole"));
    let whole = place.home.join("whole");
    // While recordings are read, before and behind a checkpoint, and in the second iteration.
    for (index, point) in
        ["filled:1", "step:2", "step:5", "checkpointed:1", "trained:1", "step:12"].iter().enumerate()
    {
        let out = format!("killed-{index}");
        let killed = pretrain(&place, &out).args(["--abort-at", point]).output().unwrap();
        assert!(!killed.status.success(), "{point}: the run was not killed");
        assert!(!place.home.join(&out).join("model.safetensors").exists(), "{point}");
        succeed(&mut pretrain(&place, &out));
        let out = place.home.join(&out);
        assert_eq!(weights(&out), weights(&whole), "killed at {point}");
        assert_eq!(record(&out), record(&whole), "killed at {point}");
        assert!(!out.join("iteration-2/checkpoint.safetensors").exists());
    }
}

#[test]
fn what_it_leaves_is_a_backbone_and_a_finished_iteration_is_not_run_again() {
    let place = place();
    succeed(&mut pretrain(&place, "nano"));
    let nano = place.home.join("nano");
    let states = place.home.join("states.safetensors");
    let mut extract = sure(&place.home);
    extract.args(["extract", "--backbone"]).arg(&nano).args(["--layer", "all", "--out"]).arg(&states);
    let said = succeed(extract.arg(place.data.join("train-23.wav")));
    // 20,100 samples.
    assert!(text(&said.stdout).contains("train-23/layer.2\t[62, 16]"), "{}", text(&said.stdout));

    let record = record(&nano);
    assert_eq!(record["data"][0]["utterances"], 18, "{record:#}");
    assert_eq!(record["data"][0]["too_short"], 6);
    assert_eq!(record["data"][0]["not_train"], 16);
    let before = weights(&nano);
    let again = succeed(&mut pretrain(&place, "nano"));
    let said = text(&again.stderr);
    assert!(said.contains("iteration 1 is finished") && said.contains("iteration 2 is finished"), "{said}");
    assert_eq!(weights(&nano), before);
    // Another recipe does not write over it.
    fs::write(place.home.join("recipe.toml"), RECIPE.replace("seed = 3", "seed = 4")).unwrap();
    let other = pretrain(&place, "nano").output().unwrap();
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).contains("another recipe or other data"), "{}", text(&other.stderr));
}

#[test]
fn bad_recipes_and_bad_data_are_refused_by_name() {
    let place = place();
    let refused = |recipe: &str, expected: &str| {
        fs::write(place.home.join("recipe.toml"), recipe).unwrap();
        let output = pretrain(&place, "bad").output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected) && !said.contains("panicked"), "{expected}: {said}");
    };
    refused(&RECIPE.replace("seed = 3", "sed = 3"), "sed");
    refused(&RECIPE.replace("share = 0.5", "share = 1.5"), "mask.share = 1.5");
    refused(&RECIPE.replace("length = 4", "length = 40"), "mask.length = 40");
    refused(&RECIPE.replace("crop_seconds = 0.8", "crop_seconds = 0.2"), "crop_seconds = 0.2");
    refused(&RECIPE.replace("layer = 1", "layer = 3"), "layer 3: the model has fewer blocks");
    refused(&RECIPE.replace("clusters = 6", "clusters = 60000"), "60000 clusters");
    refused(&RECIPE.replace("num_attention_heads = 2", "num_attention_heads = 3"), "attention heads = 3");
    refused(&RECIPE.replace("[model]", "[model]\nmodel_type = \"wav2vec2\""), "model.model_type");
    refused(&RECIPE.replace("[model]", "[model]\nmask_time_prob = 0.0"), "mask_time_prob");
    let rows = fs::read_to_string(place.data.join("manifest.jsonl")).unwrap();
    fs::write(place.data.join("manifest.jsonl"), rows.replace("\"split\"", "\"part\"")).unwrap();
    refused(RECIPE, "manifest.jsonl has neither the key `split` nor `sid_split`");
}
