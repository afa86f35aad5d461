//! A small corpus, made on the spot, and the program under test.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use hound::{SampleFormat, WavSpec, WavWriter};

/// Sample rate of the corpus.
const RATE_HZ: u32 = 16_000;

/// Two kinds of sound that a linear head tells apart in a few steps, in all three splits.
pub(crate) fn corpus(folder: &Path) -> PathBuf {
    let set = folder.join("tones");
    fs::create_dir_all(&set).unwrap();
    let mut manifest = String::new();
    for (split, count) in [("train", 24), ("valid", 8), ("test", 8)] {
        for index in 0..count {
            let label = if index % 2 == 0 { "low" } else { "high" };
            let name = format!("{split}-{index}.wav");
            let pitch = if index % 2 == 0 { 220.0 } else { 1760.0 } + 3.0 * index as f32;
            write_tone(&set.join(&name), pitch, 4_000 + 700 * index);
            let row = serde_json::json!({"audio": name, "split": split, "keyword": label});
            manifest.push_str(&row.to_string());
            manifest.push('\n');
        }
    }
    fs::write(set.join("manifest.jsonl"), manifest).unwrap();
    set
}

/// The same with transcripts, slots and intents: what is high is said to be high.
pub(crate) fn spoken(folder: &Path) -> PathBuf {
    let set = folder.join("words");
    fs::create_dir_all(&set).unwrap();
    let mut manifest = String::new();
    for (split, count) in [("train", 16), ("valid", 6), ("test", 6)] {
        for index in 0..count {
            let name = format!("{split}-{index}.wav");
            let (word, pitch) = if index % 2 == 0 { ("low", 220.0) } else { ("high", 1760.0) };
            write_tone(&set.join(&name), pitch + 3.0 * index as f32, 9_000 + 700 * index);
            let row = serde_json::json!({
                "audio": name, "split": split, "text": format!("go {word}"), "slots": [["way", 3, 3 + word.len()]],
                "intent": {"action": "go", "way": word},
            });
            manifest.push_str(&row.to_string());
            manifest.push('\n');
        }
    }
    fs::write(set.join("manifest.jsonl"), manifest).unwrap();
    set
}

fn write_tone(path: &Path, pitch: f32, samples: usize) {
    let spec =
        WavSpec { channels: 1, sample_rate: RATE_HZ, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut writer = WavWriter::create(path, spec).unwrap();
    for n in 0..samples {
        let phase = n as f32 * pitch * std::f32::consts::TAU / RATE_HZ as f32;
        writer.write_sample((phase.sin() * 8_000.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// The tiny backbone of the golden files.
pub(crate) fn backbone() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/whisper"))
}

/// The program, with a home of its own.
pub(crate) fn sure(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sure"));
    command.env("SURE_HOME", home).env_remove("SURE_COMMIT");
    command
}

/// Runs the program and expects it to succeed.
pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    output
}

/// Bytes as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
