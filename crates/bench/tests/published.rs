//! Checkpoints with a CTC head (`tests/golden/speech-families`) answer and are scored without any training.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

#[expect(dead_code, reason = "other tests make corpora")]
mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use common::{backbone, succeed, sure, text};
use hound::{SampleFormat, WavSpec, WavWriter};
use serde_json::{Value, json};
use sure_nn::Checkpoint;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/speech-families")).join(name)
}

/// What `transformers` hears in each clip, by checkpoint.
fn transcripts() -> BTreeMap<String, BTreeMap<String, String>> {
    serde_json::from_str(&fs::read_to_string(golden("transcripts.json")).unwrap()).unwrap()
}

/// The golden clip as a recording, sample for sample.
fn recording(folder: &Path, clip: &str) -> PathBuf {
    let waves = Checkpoint::open(&[golden("shared.safetensors")]).unwrap();
    let wave = Vec::<f32>::try_from(waves.tensor(&format!("wave_{clip}")).unwrap().unwrap()).unwrap();
    let spec =
        WavSpec { channels: 1, sample_rate: 16_000, bits_per_sample: 32, sample_format: SampleFormat::Float };
    let path = folder.join(format!("{clip}.wav"));
    let mut writer = WavWriter::create(&path, spec).unwrap();
    for sample in wave {
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
    path
}

fn manifest(folder: &Path, rows: &[Value]) -> PathBuf {
    let path = folder.join("manifest.jsonl");
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    path
}

#[test]
fn a_published_head_writes_what_transformers_writes() {
    let folder = tempfile::tempdir().unwrap();
    let clips = ["a", "b"].map(|clip| (clip, recording(folder.path(), clip)));
    let known = transcripts();
    assert_eq!(known.len(), 4);
    for (name, known) in &known {
        let mut predict = sure(folder.path());
        predict.args(["predict", "--json", "--backbone"]).arg(golden(name));
        predict.args(clips.iter().map(|(_, path)| path));
        let answers: Value = serde_json::from_str(&text(&succeed(&mut predict).stdout)).unwrap();
        for (index, (clip, _)) in clips.iter().enumerate() {
            assert_eq!(answers[index]["prediction"], known[*clip], "{name} {clip}");
        }
    }
}

#[test]
fn a_published_head_is_scored_on_a_manifest_in_the_form_of_the_task() {
    let folder = tempfile::tempdir().unwrap();
    for clip in ["a", "b"] {
        recording(folder.path(), clip);
    }
    let known = &transcripts()["wavlm-large"];
    // Capitals, commas and points are of no matter to the task.
    let rows =
        ["a", "b"].map(|clip| json!({"audio": format!("{clip}.wav"), "text": format!("{}.", known[clip])}));
    let score = |rows: &[Value]| -> Value {
        let mut eval = sure(folder.path());
        eval.args(["eval", "--json", "--task", "asr", "--backbone"]).arg(golden("wavlm-large"));
        eval.arg("--data").arg(manifest(folder.path(), rows));
        serde_json::from_str(&text(&succeed(&mut eval).stdout)).unwrap()
    };
    assert_eq!(score(&rows), json!({"wer": 0.0, "cer": 0.0, "n": 2}));
    let swapped = [("a", "b"), ("b", "a")]
        .map(|(clip, other)| json!({"audio": format!("{clip}.wav"), "text": known[other]}));
    assert!(score(&swapped)["cer"].as_f64().unwrap() > 0.3);
}

#[test]
fn a_published_head_recognises_a_data_set_in_the_form_of_the_task() {
    let folder = tempfile::tempdir().unwrap();
    recording(folder.path(), "a");
    let data =
        manifest(folder.path(), &[json!({"audio": "a.wav", "split": "test", "text": "what was said"})]);
    let out = folder.path().join("heard.jsonl");
    let mut predict = sure(folder.path());
    predict.args(["predict", "--backbone"]).arg(golden("wavlm-large")).arg("--data").arg(&data);
    succeed(predict.arg("--out").arg(&out));
    let row: Value = serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(row["recognised"], transcripts()["wavlm-large"]["a"].to_lowercase());
    assert_eq!(row["text"], "what was said");
}

#[test]
fn what_has_no_published_head_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let clip = recording(folder.path(), "a");
    let random = format!("random:{}", golden("wavlm-large").display());
    for (name, reason) in [
        (golden("wavlm-base").display().to_string(), "no CTC head"),
        (backbone().display().to_string(), "no CTC head"),
        (random, "random weights"),
    ] {
        let output = sure(folder.path()).args(["predict", "--backbone", &name]).arg(&clip).output().unwrap();
        assert!(!output.status.success(), "{name}");
        assert!(text(&output.stderr).contains(reason), "{name}: {}", text(&output.stderr));
    }
    let mut eval = sure(folder.path());
    eval.args(["eval", "--task", "ks", "--backbone"]).arg(golden("wavlm-large")).arg("--data").arg(&clip);
    assert!(text(&eval.output().unwrap().stderr).contains("ks is another one"));
}
