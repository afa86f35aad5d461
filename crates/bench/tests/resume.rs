//! Determinism: killed and rerun, run twice, with and without cache, the record is the same to the byte.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

#[expect(dead_code, reason = "keywords are enough here")]
mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{backbone, corpus, succeed, sure, text};

/// A `train` command on the small corpus.
fn train(home: &Path, data: &Path, method: &str, out: &str) -> std::process::Command {
    let mut command = sure(home);
    command.args([
        "train",
        "--task",
        "ks",
        "--max-steps",
        "60",
        "--threads",
        "1",
        "--method",
        method,
        "--backbone",
    ]);
    command.arg(backbone()).arg("--data").arg(data).arg("--out").arg(home.join(out));
    command
}

fn record(home: &Path, out: &str) -> String {
    fs::read_to_string(home.join(out).join("record.json")).unwrap()
}

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
    Place { _folder: folder, home, data }
}

#[test]
fn a_run_killed_at_five_points_ends_in_the_same_record() {
    let place = place();
    succeed(&mut train(&place.home, &place.data, "lora", "whole"));
    let whole = record(&place.home, "whole");
    assert!(whole.contains("\"ok\""), "{whole}");
    // While the cache is filled, in mid-training with and without a checkpoint behind, right after a checkpoint,
    // between an evaluation and its checkpoint, and after training before anything is saved.
    for (index, point) in ["filled:1", "step:7", "step:57", "checkpointed:1", "trained:1"].iter().enumerate()
    {
        let (out, cache) = (format!("killed-{index}"), place.home.join(format!("cache-{index}")));
        let mut first = train(&place.home, &place.data, "lora", &out);
        let killed = first.arg("--cache").arg(&cache).args(["--abort-at", point]).output().unwrap();
        assert!(!killed.status.success(), "{point}: the run was not killed");
        assert!(!place.home.join(&out).join("record.json").exists(), "{point}: a record of a killed run");
        succeed(train(&place.home, &place.data, "lora", &out).arg("--cache").arg(&cache));
        assert_eq!(record(&place.home, &out), whole, "killed at {point}");
    }
}

#[test]
fn two_runs_are_equal_to_the_byte() {
    let place = place();
    for method in ["linear", "finetune", "lora", "prefix", "conv"] {
        for out in ["first", "second"] {
            let out = format!("{method}-{out}");
            succeed(&mut train(&place.home, &place.data, method, &out));
        }
        let [first, second] = ["first", "second"].map(|out| format!("{method}-{out}"));
        assert_eq!(record(&place.home, &first), record(&place.home, &second));
        let model = |out: &str| fs::read(place.home.join(out).join("model.safetensors")).unwrap();
        assert_eq!(model(&first), model(&second), "{method}: the trained values differ");
    }
}

#[test]
fn with_and_without_the_cache_the_record_is_the_same_to_the_byte() {
    let place = place();
    for method in ["linear", "lora"] {
        let [on, off] = ["on", "off"].map(|out| format!("{method}-{out}"));
        succeed(&mut train(&place.home, &place.data, method, &on));
        succeed(train(&place.home, &place.data, method, &off).args(["--cache", "off"]));
        assert_eq!(record(&place.home, &on), record(&place.home, &off), "{method}");
        assert!(!place.home.join(&off).join("trunk").exists(), "a private cache outlived its run");
    }
}

#[test]
fn another_run_is_not_written_over_the_first() {
    let place = place();
    succeed(&mut train(&place.home, &place.data, "linear", "run"));
    let other = train(&place.home, &place.data, "lora", "run").output().unwrap();
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).contains("holds another run"), "{}", text(&other.stderr));
}
