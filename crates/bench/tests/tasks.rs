//! Each kind of task from a manifest to its record and its answers.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

mod common;
#[expect(dead_code, reason = "keywords have tests of their own")]
#[path = "common/planned.rs"]
mod planned;

use std::{fs, path::Path};

use common::{backbone, spoken, succeed, sure, text};
use planned::planned_on;
use serde_json::Value;
use sure_bench::{
    backbone::BackboneRef,
    cell::{CellOptions, run_cell},
};
use sure_data::Decoding;
use sure_nn::tch::Device;
use sure_records::{PredictionRow, RunRecord};
use sure_train::Silent;
use sure_zoo::Compat;

fn train(home: &Path, data: &Path, task: &str, out: &Path, more: &[&str]) -> RunRecord {
    let mut command = sure(home);
    command.args(["train", "--task", task, "--method", "linear", "--json", "--cache", "off", "--backbone"]);
    command.arg(backbone()).arg("--data").arg(data).arg("--out").arg(out).args(more);
    serde_json::from_str(&text(&succeed(&mut command).stdout)).unwrap()
}

fn json(home: &Path, arguments: &[&str]) -> Value {
    let output = succeed(sure(home).args(arguments).arg("--json"));
    serde_json::from_str(&text(&output.stdout)).unwrap()
}

#[test]
fn transcripts_phones_slots_and_intents_are_learnt_scored_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let (home, data) = (folder.path().join("home"), spoken(folder.path()));
    for (task, metrics, right) in [
        ("asr", vec!["wer", "cer"], "go high"),
        ("pr", vec!["per"], "G OW1 HH AY1"),
        ("sf", vec!["slot-type-f1", "slot-value-cer"], "go B-way high E-way"),
        ("ic", vec!["accuracy"], "way=high"),
    ] {
        let out = folder.path().join(task);
        let record = train(&home, &data, task, &out, &["--head-lr", "0.05", "--max-steps", "60"]);
        let test = record.scores.iter().filter(|score| score.split == "test");
        assert_eq!(test.map(|score| score.score.name.as_str()).collect::<Vec<_>>(), metrics, "{task}");
        let (first, last) =
            (record.curve[0].valid_loss.unwrap(), record.curve.last().unwrap().valid_loss.unwrap());
        assert!(last < first || last < 1e-3, "{task}: the validation loss went from {first} to {last}");
        let rows = fs::read_to_string(out.join("predictions.jsonl")).unwrap();
        let rows: Vec<PredictionRow> = rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
        assert_eq!(rows.len(), 6);
        assert_eq!(rows[1].reference, right);

        let (run, clip) = (out.to_str().unwrap(), data.join("test-1.wav"));
        let said = &json(&home, &["predict", "--run", run, clip.to_str().unwrap()])[0];
        assert_eq!(said["prediction"], rows[1].prediction, "{task}");
        assert!((said["score"].as_f64().unwrap() - rows[1].score).abs() < 1e-4, "{task}");
        match task {
            "sf" => {
                let whole = rows[1].prediction.split(' ').filter(|word| !word.contains('-'));
                assert_eq!(said["text"], whole.collect::<Vec<_>>().join(" "));
                assert!(said["slots"].is_array());
            }
            "ic" => assert_eq!(said["labels"]["way"], "high"),
            _ => {}
        }
        let scored = json(&home, &["eval", "--run", run, "--data", data.to_str().unwrap()]);
        let stored = record.score("test").unwrap().score.value;
        assert!((scored[metrics[0]].as_f64().unwrap() - stored).abs() < 1e-9, "{task}: {scored}");
        assert_eq!(scored["n"], 6);
    }
}

#[test]
fn the_floor_of_a_transcript_is_silence() {
    let folder = tempfile::tempdir().unwrap();
    let run = planned_on(&spoken(folder.path()), "asr", "linear", Some(4));
    let cell = folder.path().join("cell");
    run.write(&cell).unwrap();
    let record = run_cell(&cell, &CellOptions::default(), &mut Silent).unwrap();
    assert_eq!(record.floor.unwrap().score.value, 1.0);
}

#[test]
fn a_beam_finds_transcripts_at_least_as_likely_as_those_of_the_best_path() {
    let folder = tempfile::tempdir().unwrap();
    let data = spoken(folder.path());
    let predictions = |decoding: Decoding, name: &str| -> Vec<PredictionRow> {
        let mut run = planned_on(&data, "asr", "linear", Some(40));
        let mut config = run.config().unwrap();
        config.task.decoding = decoding;
        config.train.head_lr = 0.05;
        run.cell.config = serde_json::to_value(&config).unwrap();
        let cell = folder.path().join(name);
        run.write(&cell).unwrap();
        assert!(run_cell(&cell, &CellOptions::default(), &mut Silent).unwrap().outcome.is_ok());
        let rows = fs::read_to_string(cell.join("predictions.jsonl")).unwrap();
        rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect()
    };
    let greedy = predictions(Decoding::Greedy, "greedy");
    for (one, many) in greedy.iter().zip(predictions(Decoding::Beam { width: 16 }, "beam")) {
        assert!(many.score >= one.score - 1e-6, "{one:?}\n{many:?}");
    }
}

#[test]
fn long_recordings_are_left_out_of_training_and_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = planned_on(&spoken(folder.path()), "asr", "linear", Some(4));
    let mut config = run.config().unwrap();
    config.task.max_train_seconds = Some(0.9);
    run.cell.config = serde_json::to_value(&config).unwrap();
    let cell = folder.path().join("cell");
    run.write(&cell).unwrap();
    // The cell was planned on all recordings.
    let record = run_cell(&cell, &CellOptions::default(), &mut Silent).unwrap();
    assert!(!record.outcome.is_ok());
    let backbone = BackboneRef::find(&run.backbone).unwrap().open(Device::Cpu, Compat::Sure).unwrap();
    let data =
        sure_bench::celldata::CellData::read(&config.task, None, config.protocol, &run.data, &*backbone)
            .unwrap();
    assert!(data.set.train.len() < 16 && data.set.test.len() == 6);
    assert_eq!(data.facts.len(), data.set.len());
    assert!(data.set.notes.iter().any(|note| note.contains("train recordings are longer than 0.9 s")));
}

#[test]
fn a_ctc_model_goes_to_transformers_with_its_vocabulary_where_there_is_a_class_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (home, data) = (folder.path().join("home"), spoken(folder.path()));
    let train = |backbone: &Path, out: &Path| {
        let mut command = sure(&home);
        command.args(["train", "--task", "asr", "--method", "linear", "--max-steps", "4", "--cache", "off"]);
        succeed(command.arg("--backbone").arg(backbone).arg("--data").arg(&data).arg("--out").arg(out));
    };
    let export = |run: &Path, out: &Path| {
        let mut command = sure(&home);
        command.args(["export", "--format", "hf", "--run"]).arg(run).arg("--out").arg(out).output().unwrap()
    };
    let speech = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/speech/wav2vec2-base");
    let (run, out) = (folder.path().join("run"), folder.path().join("out"));
    train(&speech, &run);
    assert!(export(&run, &out).status.success());
    let read =
        |name: &str| -> Value { serde_json::from_str(&fs::read_to_string(out.join(name)).unwrap()).unwrap() };
    let (config, vocab) = (read("config.json"), read("vocab.json"));
    assert_eq!(config["architectures"][0], "Wav2Vec2ForCTC");
    assert_eq!(config["vocab_size"], vocab.as_object().unwrap().len());
    assert_eq!(config["pad_token_id"], vocab["[PAD]"]);
    assert_eq!(read("tokenizer_config.json")["tokenizer_class"], "Wav2Vec2CTCTokenizer");
    let tensors = fs::read(out.join("model.safetensors")).unwrap();
    assert!(String::from_utf8_lossy(&tensors[..20_000]).contains("\"lm_head.weight\""));

    let (run, out) = (folder.path().join("whisper"), folder.path().join("none"));
    train(&backbone(), &run);
    let refused = export(&run, &out);
    assert!(!refused.status.success() && !out.exists());
    assert!(
        text(&refused.stderr).contains("no class with a CTC head for Whisper"),
        "{}",
        text(&refused.stderr)
    );
}

#[test]
fn the_papers_profile_runs_what_is_there_and_lists_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (home, data) = (folder.path().join("home"), folder.path().join("data"));
    fs::create_dir(&data).unwrap();
    fs::rename(spoken(folder.path()), data.join("librispeech")).unwrap();
    let bench = |data: &Path| {
        let mut command = sure(&home);
        // Named twice, run once.
        command.args([
            "bench",
            "--profile",
            "paper",
            "--methods",
            "linear, linear",
            "--max-steps",
            "2",
            "--json",
        ]);
        command.arg("--backbone").arg(backbone()).arg("--data").arg(data).output().unwrap()
    };
    let output = bench(&data);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let records: Vec<RunRecord> = serde_json::from_str(&text(&output.stdout)).unwrap();
    let columns: Vec<String> = records.iter().map(|record| record.cell.column()).collect();
    assert_eq!(columns, ["asr/librispeech", "pr/librispeech"]);
    for (record, metric) in records.iter().zip(["wer", "per"]) {
        assert_eq!(record.score("test").unwrap().score.name, metric);
        assert_eq!(record.cell.config["train"]["schedule"]["linear"].is_null(), metric == "wer");
    }
    let missing = text(&output.stderr);
    for sets in
        ["ser/esd, sr/esd, asr/esd", "ser/meld", "sr/vctk", "ic/fluent-speech-commands", "sf/audio-snips"]
    {
        assert!(missing.contains(&format!("not there: {sets}: ")), "{missing}");
    }

    let nothing = bench(&data.join("librispeech").join(".."));
    assert_eq!(
        nothing.status.code(),
        Some(3),
        "finished cells are not run again, and the rest is still missing"
    );
}
