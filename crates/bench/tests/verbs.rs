//! The verbs as a user types them: exit codes, JSON keys, messages.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

#[expect(dead_code, reason = "keywords are enough here")]
mod common;

use std::{fs, path::Path};

use common::{backbone, corpus, succeed, sure, text};
use serde_json::Value;

fn json(command: &mut std::process::Command) -> Value {
    serde_json::from_slice(&succeed(command).stdout).unwrap()
}

fn bench(home: &Path, data: &Path) -> std::process::Command {
    let mut command = sure(home);
    command.args([
        "bench",
        "--methods",
        "linear,lora",
        "--max-steps",
        "8",
        "--jobs",
        "2",
        "--tasks",
        "ks",
        "--backbone",
    ]);
    command.arg(backbone()).arg("--data").arg(data);
    command
}

#[test]
fn bench_with_a_profile_that_has_no_data_here_says_in_one_line_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, code) in [(&["--profile", "small"][..], 3), (&["--profile", "mini", "--data", "."], 2)] {
        let output = sure(folder.path()).args(["bench", "--suite", "sure"]).args(flags).output().unwrap();
        let message = text(&output.stderr);
        assert_eq!((output.status.code(), message.lines().count()), (Some(code), 1), "{message}");
        assert!(message.contains("--data") && message.contains("profile"), "{message}");
    }
}

#[test]
fn bench_without_data_and_backbone_runs_on_the_embedded_ones_and_their_worth_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let bench = |backbone: &[&str]| {
        let mut command = sure(folder.path());
        command.args([
            "bench",
            "--suite",
            "sure",
            "--methods",
            "linear",
            "--limit",
            "12",
            "--max-steps",
            "3",
        ]);
        command.args(["--tasks", "ks/words,pr/sentences"]).args(backbone);
        succeed(&mut command)
    };
    let output = bench(&[]);
    assert!(text(&output.stderr).contains("the embedded synthetic corpus and nano-hubert"));
    let table = text(&output.stdout);
    for word in ["backbone nano-hubert", "ks/words", "pr/sentences", "2 cells"] {
        assert!(table.contains(word), "no {word} in {table}");
    }
    bench(&["--backbone", "random:nano-hubert"]);
    let mut report = sure(folder.path());
    report.args(["report", "--against", "random:nano-hubert", "--json"]);
    let compared = json(&mut report);
    let columns: Vec<&str> =
        compared.as_array().unwrap().iter().map(|one| one["column"].as_str().unwrap()).collect();
    assert_eq!(columns, ["ks/words", "pr/sentences"]);
    let missing = sure(folder.path()).args(["report", "--against", "nothing"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(3));
}

#[test]
fn bench_prints_a_table_and_the_same_again_without_running_anything() {
    let folder = tempfile::tempdir().unwrap();
    let data = corpus(folder.path());
    let home = folder.path().join("home");
    let table =
        |text: String| text.lines().filter(|line| !line.contains(" s; records in ")).collect::<String>();
    let first = table(text(&succeed(&mut bench(&home, &data)).stdout));
    for word in ["random", "linear", "lora", "ks/tones", "accuracy"] {
        assert!(first.contains(word), "no {word} in {first}");
    }
    let runs = home.join("runs/sure-small");
    let stamp = |path: &Path| {
        let mut all: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.retain(|path| path.is_dir());
        all.sort();
        all.iter()
            .map(|dir| fs::metadata(dir.join("record.json")).unwrap().modified().unwrap())
            .collect::<Vec<_>>()
    };
    let before = stamp(&runs);
    assert_eq!(before.len(), 2);
    assert_eq!(table(text(&succeed(&mut bench(&home, &data)).stdout)), first);
    assert_eq!(stamp(&runs), before, "a finished cell was run again");
    let markdown = text(&succeed(sure(&home).args(["report", "--format", "markdown"])).stdout);
    assert!(markdown.contains("| lora"), "{markdown}");
}

#[test]
fn two_benches_at_once_share_the_cells() {
    let folder = tempfile::tempdir().unwrap();
    let data = corpus(folder.path());
    let home = folder.path().join("home");
    let start = || bench(&home, &data).arg("--json").stdout(std::process::Stdio::piped()).spawn().unwrap();
    let (first, second) = (start(), start());
    let outputs = [first, second].map(|child| child.wait_with_output().unwrap());
    for output in &outputs {
        assert!(output.status.success());
    }
    assert_eq!(text(&outputs[0].stdout), text(&outputs[1].stdout));
}

#[test]
fn a_trained_run_predicts_evaluates_and_extracts() {
    let folder = tempfile::tempdir().unwrap();
    let data = corpus(folder.path());
    let (home, run) = (folder.path().join("home"), folder.path().join("run"));
    let mut train = sure(&home);
    train.args([
        "train",
        "--task",
        "ks",
        "--method",
        "linear",
        "--max-steps",
        "60",
        "--threads",
        "1",
        "--json",
        "--backbone",
    ]);
    train.arg(backbone()).arg("--data").arg(data.join("manifest.jsonl")).arg("--out").arg(&run);
    let record = json(&mut train);
    assert_eq!(record["outcome"], "ok");
    let test = record["scores"].as_array().unwrap().iter().find(|s| s["split"] == "test").unwrap();

    let scored = json(sure(&home).args(["eval", "--json", "--run"]).arg(&run).arg("--data").arg(&data));
    assert_eq!(scored["accuracy"], test["score"]["value"]);
    assert_eq!(scored["n"], 8);

    let proved = json(sure(&home).args(["doctor", "--json", "--run"]).arg(&run));
    assert_eq!(proved["ok"], true, "{proved}");

    let clip = data.join("test-0.wav");
    let answers = json(sure(&home).args(["predict", "--json", "--run"]).arg(&run).arg(&clip));
    assert_eq!(answers[0]["audio"], clip.display().to_string());
    assert!(["low", "high"].contains(&answers[0]["prediction"].as_str().unwrap()));

    let states = folder.path().join("states.safetensors");
    let mut extract = sure(&home);
    extract
        .args(["extract", "--layer", "all", "--json", "--run"])
        .arg(&run)
        .arg(&clip)
        .arg("--out")
        .arg(&states);
    let written = json(&mut extract);
    assert_eq!(written["tensors"]["test-0/layer.0"], serde_json::json!([13, 32]));
    assert_eq!(written["tensors"].as_object().unwrap().len(), 4);
    assert!(states.is_file());
}

#[test]
fn a_file_that_is_no_audio_is_named_and_the_others_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let data = corpus(folder.path());
    let (home, run) = (folder.path().join("home"), folder.path().join("run"));
    let mut train = sure(&home);
    train.args([
        "train",
        "--task",
        "ks",
        "--method",
        "linear",
        "--max-steps",
        "2",
        "--threads",
        "1",
        "--backbone",
    ]);
    succeed(train.arg(backbone()).arg("--data").arg(&data).arg("--out").arg(&run));
    let bad = folder.path().join("bad.wav");
    fs::write(&bad, "no audio").unwrap();
    let output =
        sure(&home).args(["predict", "--run"]).arg(&run).arg(&bad).arg(data.join("test-1.wav")).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("bad.wav"), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 1);
}

#[test]
fn params_counts_from_the_configuration_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(backbone().join("config.json"), folder.path().join("config.json")).unwrap();
    let mut params = sure(folder.path());
    params.args(["params", "--method", "lora", "--task", "ks", "--classes", "11", "--json", "--backbone"]);
    let counted = json(params.arg(folder.path()));
    // Rank 8 on q, k, v, out (32 to 32) and the two feed-forward maps (32 and 64) of 3 blocks.
    assert_eq!(counted["adapter"], 3 * (4 * 8 * 64 + 2 * 8 * 96));
    assert_eq!(counted["head"], 256 * 33 + 257 * 11);
    assert_eq!(
        counted["trainable"].as_u64().unwrap(),
        counted["adapter"].as_u64().unwrap() + counted["head"].as_u64().unwrap()
    );
}

#[test]
fn wrong_names_are_usage_errors_that_list_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = corpus(folder.path());
    let try_bench = |flags: &[&str]| {
        let mut command = sure(folder.path());
        command.arg("bench").args(flags).arg("--backbone").arg(backbone()).arg("--data").arg(&data);
        let output = command.output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    for (flags, word) in [
        (["--methods", "lorra"], "lora"),
        (["--tasks", "kss"], "ks"),
        (["--tasks", "ks/nothing"], "tones"),
        (["--tasks", "ser/tones"], "emotion"),
        (["--precision", "fp7"], "fp32"),
        (["--device", "tpu"], "cuda"),
    ] {
        let (code, message) = try_bench(&flags);
        assert_eq!(code, Some(2), "{flags:?}: {message}");
        assert!(message.contains(word), "{flags:?}: {message}");
    }
    let (code, message) = try_bench(&["--device", "cuda"]);
    assert_eq!(code, Some(3), "{message}");
    assert!(message.contains("setup --cuda"), "{message}");
}

#[test]
fn every_registry_prints_json_cards_with_names() {
    let folder = tempfile::tempdir().unwrap();
    for verb in ["methods", "tasks", "backbones", "metrics", "suites"] {
        let cards = json(sure(folder.path()).args([verb, "--json"]));
        assert!(!cards.as_array().unwrap().is_empty(), "{verb}");
        for card in cards.as_array().unwrap() {
            assert!(card["name"].is_string(), "{verb}: {card}");
        }
    }
}

#[test]
fn score_computes_a_metric_from_two_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let (reference, answers) = (file("ref", "a\nb\na\n"), file("hyp", "a\nb\nb\n"));
    let mut score = sure(folder.path());
    let scored =
        json(score.args(["score", "accuracy", "--json", "--ref"]).arg(reference).arg("--hyp").arg(answers));
    assert_eq!(scored["n"], 3);
    assert!((scored["value"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-12);
}
