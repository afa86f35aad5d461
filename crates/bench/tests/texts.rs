//! Text encoders: intents and slots from transcripts, the data set's own or recognised ones.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

#[expect(dead_code, reason = "texts need no corpus of words")]
mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{backbone, spoken, succeed, sure, text};
use serde_json::Value;
use sure_records::RunRecord;

/// The tiny text encoder of the golden files.
fn reader() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/text-encoders/bert"))
}

fn train(home: &Path, task: &str, data: &Path, out: &Path, more: &[&str]) -> RunRecord {
    let mut command = sure(home);
    command.args([
        "train",
        "--task",
        task,
        "--method",
        "lora",
        "--lr",
        "1e-2",
        "--head-lr",
        "1e-2",
        "--json",
    ]);
    command.arg("--data").arg(data).arg("--out").arg(out).arg("--backbone").arg(reader()).args(more);
    serde_json::from_str(&text(&succeed(&mut command).stdout)).unwrap()
}

fn test_score(record: &RunRecord) -> f64 {
    record.score("test").unwrap().score.value
}

fn json(home: &Path, arguments: &[&str]) -> Value {
    let output = succeed(sure(home).args(arguments).arg("--json"));
    serde_json::from_str(&text(&output.stdout)).unwrap()
}

#[test]
fn intents_and_slots_are_learnt_from_transcripts_and_read_in_new_texts() {
    let folder = tempfile::tempdir().unwrap();
    let (home, data) = (folder.path().join("home"), spoken(folder.path()));
    for (task, asked, answer) in [
        ("ic", "go high", "way=high"),
        // What is not normalised is normalised as in training.
        ("sf", "Go, HIGH!", "go B-way high E-way"),
    ] {
        let out = folder.path().join(task);
        let record = train(&home, task, &data, &out, &["--max-steps", "60"]);
        assert_eq!(record.cell.config.pointer("/task/input").unwrap(), "transcript");
        assert_eq!(test_score(&record), 1.0, "{task}");
        let run = out.to_str().unwrap();
        let said = json(&home, &["predict", "--run", run, "--text", asked]);
        assert_eq!(said[0]["prediction"], answer);
        let scored = json(&home, &["eval", "--run", run, "--data", data.to_str().unwrap()]);
        assert_eq!(scored["n"], 6);
        assert_eq!(scored[record.score("test").unwrap().score.name.as_str()], 1.0);
        assert_eq!(json(&home, &["doctor", "--run", run])["ok"], true);
    }
    // A second way to the same slots stands in the same column.
    let column = fs::read_to_string(folder.path().join("sf/record.json")).unwrap();
    assert!(column.contains("slot-type-f1"));
}

#[test]
fn recognised_transcripts_are_read_where_nothing_is_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let (home, data) = (folder.path().join("home"), spoken(folder.path()));
    let manifest = fs::read_to_string(data.join("manifest.jsonl")).unwrap();
    let heard = folder.path().join("heard/words");
    fs::create_dir_all(&heard).unwrap();
    // A recogniser that always hears the one word.
    let lines = manifest.lines().map(|line| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        row["audio"] = data.join(row["audio"].as_str().unwrap()).to_str().unwrap().into();
        if row["split"] != "train" {
            row["recognised"] = "go low".into();
        }
        row.to_string() + "\n"
    });
    fs::write(heard.join("manifest.jsonl"), lines.collect::<String>()).unwrap();
    for (task, expected) in [("ic", 0.5), ("sf", 1.0)] {
        let out = folder.path().join(format!("{task}-heard"));
        let more = ["--max-steps", "60", "--transcripts", "recognised"];
        let record = train(&home, task, &heard, &out, &more);
        assert_eq!(record.cell.config.pointer("/task/input").unwrap(), "recognised");
        // Half of the texts say what was not said; the kind of the slot is right in all.
        assert_eq!(test_score(&record), expected, "{task}");
    }
    let out = folder.path().join("none");
    let mut command = sure(&home);
    command.args(["train", "--task", "ic", "--method", "lora", "--transcripts", "recognised", "--backbone"]);
    command.arg(reader()).arg("--data").arg(&data).arg("--out").arg(&out);
    let output = command.output().unwrap();
    assert!(text(&output.stderr).contains("`recognised`"), "{}", text(&output.stderr));
    assert!(!output.status.success());
}

#[test]
fn a_run_of_ones_own_writes_what_it_heard_beside_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (home, data) = (folder.path().join("home"), spoken(folder.path()));
    let (run, out) = (folder.path().join("asr"), folder.path().join("heard/words/manifest.jsonl"));
    let mut command = sure(&home);
    command.args(["train", "--task", "asr", "--method", "linear", "--max-steps", "4", "--backbone"]);
    succeed(command.arg(backbone()).arg("--data").arg(&data).arg("--out").arg(&run));
    let said = json(
        &home,
        &[
            "predict",
            "--run",
            run.to_str().unwrap(),
            "--data",
            data.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ],
    );
    assert_eq!((&said["rows"], &said["recognised"]), (&28.into(), &12.into()));
    for line in fs::read_to_string(&out).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["recognised"].is_string(), row["split"] != "train");
        assert!(Path::new(row["audio"].as_str().unwrap()).is_absolute());
    }
}

#[test]
fn what_needs_the_recordings_is_refused_and_what_hears_takes_no_transcripts() {
    let folder = tempfile::tempdir().unwrap();
    let (home, data) = (folder.path().join("home"), spoken(folder.path()));
    let refusal = |backbone: &Path, task: &str, more: &[&str]| {
        let mut command = sure(&home);
        command.args(["train", "--task", task, "--method", "linear", "--backbone"]).arg(backbone);
        let output =
            command.arg("--data").arg(&data).arg("--out").arg(folder.path().join("no")).args(more).output();
        text(&output.unwrap().stderr)
    };
    let needs = refusal(&reader(), "asr", &[]);
    assert!(needs.contains("the task needs the recordings"), "{needs}");
    let hears = refusal(&backbone(), "ic", &["--transcripts", "recognised"]);
    assert!(hears.contains("hears the recordings themselves"), "{hears}");
}
