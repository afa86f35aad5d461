//! Slot filling on synthetic speech: SNIPS sentences, spoken by espeak-ng into the layout of Audio SNIPS, read, learnt,
//! scored and said. Where espeak-ng is not installed the test says so and ends.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

#[expect(dead_code, reason = "the sentences are the corpus")]
mod common;

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use common::{backbone, succeed, sure, text};
use serde_json::Value;
use sure_records::{PredictionRow, RunRecord};

const SENTENCES: &str = include_str!("fixtures/snips.jsonl");

/// Speakers of Audio SNIPS, with the voice that speaks here.
const SPEAKERS: [(&str, &str); 2] = [("Aditi", "en-us"), ("Brian", "en-gb")];

/// Whether espeak-ng is there.
fn can_speak() -> bool {
    Command::new("espeak-ng")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Words in upper case and one tag a word, as `all.iob.snips.txt` has them.
fn iob(row: &Value) -> (Vec<String>, Vec<String>) {
    let sentence = row["text"].as_str().unwrap();
    let slots = row["slots"].as_array().unwrap();
    let (mut words, mut tags) = (Vec::new(), Vec::new());
    let mut start = 0;
    for word in sentence.split(' ') {
        let slot = slots.iter().find(|slot| {
            let range = slot[1].as_u64().unwrap() as usize..slot[2].as_u64().unwrap() as usize;
            range.contains(&start)
        });
        words.push(word.to_uppercase());
        tags.push(slot.map_or("O", |slot| slot[0].as_str().unwrap()).to_owned());
        start += word.len() + 1;
    }
    (words, tags)
}

/// The sentences in the layout of Audio SNIPS: 32 to train, 8 and 8, each by both speakers.
fn speak(folder: &Path) {
    let mut table = String::new();
    let mut kinds = std::collections::BTreeSet::new();
    for (index, line) in SENTENCES.lines().enumerate() {
        let row: Value = serde_json::from_str(line).unwrap();
        let split = ["train", "train", "train", "train", "valid", "test"][index % 6];
        fs::create_dir_all(folder.join(split)).unwrap();
        let (words, tags) = iob(&row);
        kinds.extend(tags.clone());
        for (speaker, voice) in SPEAKERS {
            let utterance = format!("{speaker}-snips-{split}-{index}");
            let wav = folder.join(split).join(format!("{utterance}.wav"));
            let mut espeak = Command::new("espeak-ng");
            espeak.args(["-v", voice, "-s", "220", "-w"]).arg(&wav).arg(row["text"].as_str().unwrap());
            assert!(espeak.status().unwrap().success());
            let (words, tags, intent) = (words.join(" "), tags.join(" "), row["intent"].as_str().unwrap());
            writeln!(table, "{utterance} BOS {words} EOS\tO {tags} {intent}").unwrap();
        }
    }
    fs::write(folder.join("all.iob.snips.txt"), table).unwrap();
    kinds.remove("O");
    let slots: String =
        kinds.iter().flat_map(|kind| [format!("B-{kind}\n"), format!("E-{kind}\n")]).collect();
    fs::write(folder.join("slots.txt"), format!("O\n{slots}")).unwrap();
}

#[test]
fn slots_are_learnt_from_speech_in_the_layout_of_audio_snips() {
    if !can_speak() {
        eprintln!("skipped: espeak-ng is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (home, data, run) =
        (folder.path().join("home"), folder.path().join("audio-snips"), folder.path().join("run"));
    speak(&data);
    let mut command = sure(&home);
    command.args([
        "train",
        "--task",
        "sf",
        "--method",
        "linear",
        "--max-steps",
        "80",
        "--head-lr",
        "0.02",
        "--json",
    ]);
    command.arg("--backbone").arg(backbone()).arg("--data").arg(&data).arg("--out").arg(&run);
    let record: RunRecord = serde_json::from_str(&text(&succeed(&mut command).stdout)).unwrap();

    assert_eq!(record.cell.set, "audio-snips");
    let names: Vec<&str> = record.scores.iter().map(|score| score.score.name.as_str()).collect();
    assert_eq!(names[..2], ["slot-type-f1", "slot-value-cer"]);
    let losses: Vec<f64> = record.curve.iter().map(|point| point.valid_loss.unwrap()).collect();
    assert!(losses.last().unwrap() < &(losses[0] * 0.9), "{losses:?}");
    let rows = fs::read_to_string(run.join("predictions.jsonl")).unwrap();
    let rows: Vec<PredictionRow> = rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(rows.len(), 16);
    assert!(rows.iter().all(|row| row.reference.contains("B-") && row.reference.contains(" E-")), "{rows:?}");

    let clip = data.join("test/Aditi-snips-test-5.wav");
    let predict = |json: &[&str]| {
        let mut command = sure(&home);
        command.args(["predict", "--run"]).arg(&run).arg(&clip).args(json);
        text(&succeed(&mut command).stdout)
    };
    let answers: Value = serde_json::from_str(&predict(&["--json"])).unwrap();
    let stored = rows.iter().find(|row| row.id == "Aditi-snips-test-5").unwrap();
    assert_eq!(answers[0]["prediction"], stored.prediction);
    assert!(answers[0]["slots"].is_array() && !answers[0]["text"].as_str().unwrap().contains("B-"));
    assert!(predict(&[]).contains("test-5.wav\t"));
}
