//! `extract` as a user types it: forms of the output, names, batches, failures, and calls that are broken off.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

#[expect(dead_code, reason = "the corpora are for verbs that train")]
mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::{backbone, succeed, sure, text};
use parquet::{
    file::reader::{FileReader as _, SerializedFileReader},
    record::{Field, RowAccessor as _},
};
use serde_json::Value;
use sure_audio::{WavFormat, Waveform, write_wav};
use sure_nn::{
    Checkpoint,
    tch::{Kind, Tensor},
};

/// A tone with an overtone, as long as is said.
fn recording(path: &Path, pitch: usize, samples: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let value = |n: usize| {
        let phase = n as f32 * (200 + 40 * pitch) as f32 * std::f32::consts::TAU / 16_000.0;
        0.3 * phase.sin() + 0.1 * (2.7 * phase).cos()
    };
    let wave = Waveform { samples: (0..samples).map(value).collect(), rate_hz: 16_000 };
    write_wav(path, &wave, WavFormat::Pcm16).unwrap();
}

/// Seven recordings of lengths that do not follow their names, two of them in a folder of their own.
fn recordings(folder: &Path) -> PathBuf {
    let root = folder.join("recordings");
    for (index, samples) in [9_000, 24_000, 3_200, 16_001, 9_000].into_iter().enumerate() {
        recording(&root.join(format!("{index}.wav")), index, samples);
    }
    recording(&root.join("inner/a.wav"), 7, 12_345);
    recording(&root.join("inner/b.wav"), 8, 5_000);
    root
}

const NAMES: [&str; 7] = ["0", "1", "2", "3", "4", "inner/a", "inner/b"];

/// The call on the embedded backbone.
fn extract(home: &Path, out: &Path) -> Command {
    let mut command = sure(&home.join("home"));
    command.args(["extract", "--backbone", "nano-hubert", "--threads", "1", "--out"]).arg(out);
    command
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn tensors(path: &Path) -> BTreeMap<String, Tensor> {
    Checkpoint::open(&[path.to_owned()]).unwrap().read_all().unwrap()
}

fn distance(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().max().double_value(&[]) / a.abs().max().double_value(&[]).max(1.0)
}

fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.view(-1)).unwrap()
}

#[test]
fn batches_change_neither_answers_nor_order() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (recordings(folder.path()), folder.path());
    let run = |out: &str, seconds: &str| {
        let out = home.join(out);
        let mut command = extract(home, &out);
        command.args(["--layer", "all", "--json", "--batch-seconds", seconds]).arg(&root);
        (json(&succeed(&mut command)), tensors(&out))
    };
    let (said, together) = run("together.safetensors", "40");
    let (_, alone) = run("alone.safetensors", "0.01");
    let names: Vec<&str> =
        said["tensors"].as_object().unwrap().keys().map(|name| name.rsplit_once('/').unwrap().0).collect();
    let layers = names.len() / NAMES.len();
    let expected: Vec<&str> = NAMES.iter().flat_map(|name| vec![*name; layers]).collect();
    assert_eq!(names, expected, "the order is that of the recordings");
    assert_eq!(together.len(), alone.len());
    for (name, tensor) in &together {
        let far = distance(tensor, &alone[name]);
        assert!(far < 1e-5, "{name} moved by {far}");
        assert_eq!(said["tensors"][name], serde_json::json!(tensor.size()));
    }
    // Lengths differ, so that one batch pads.
    assert!(together["1/layer.0"].size()[0] > together["2/layer.0"].size()[0]);
}

#[test]
fn chosen_layers_and_means_follow_from_all_frames() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (recordings(folder.path()), folder.path());
    let run = |out: &str, flags: &[&str]| {
        let out = home.join(out);
        succeed(extract(home, &out).args(flags).arg(&root));
        tensors(&out)
    };
    let all = run("all.safetensors", &["--layer", "all"]);
    let some = run("some.safetensors", &["--layer", "2,0"]);
    assert_eq!(some.len(), 2 * NAMES.len());
    for (name, tensor) in &some {
        assert_eq!(tensor, &all[name], "{name}");
    }
    let means = run("means.safetensors", &["--layer", "1", "--mean"]);
    assert_eq!(means.len(), NAMES.len());
    for (name, mean) in &means {
        let by_hand = all[name].mean_dim([0i64].as_slice(), false, Kind::Float);
        assert!(distance(mean, &by_hand) < 1e-6, "{name}");
    }
    let last = run("last.safetensors", &[]);
    let highest = all.keys().map(|name| name.rsplit_once('.').unwrap().1.parse::<usize>().unwrap()).max();
    let highest = format!("3/layer.{}", highest.unwrap());
    assert_eq!(last[&highest], all[&highest]);
    let output = extract(home, &home.join("none.safetensors")).args(["--layer", "99"]).arg(&root).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("layers 0 to"), "{}", text(&output.stderr));
}

/// Shape and values of a file, by what the documentation of `numpy` says of its format.
fn read_npy(path: &Path, descr: &str) -> (Vec<i64>, Vec<u8>) {
    let bytes = fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = text(&bytes[10..10 + length]);
    assert_eq!((10 + length) % 64, 0);
    assert!(header.ends_with('\n') && header.contains("'fortran_order': False"), "{header}");
    assert!(header.contains(&format!("'descr': '{descr}'")), "{header}");
    let shape = header.split_once('(').unwrap().1.split_once(')').unwrap().0;
    let shape = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
    (shape.map(|size| size.parse().unwrap()).collect(), bytes[10 + length..].to_vec())
}

#[test]
fn a_folder_of_npy_files_holds_what_safetensors_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (recordings(folder.path()), folder.path());
    let (single, many) = (home.join("all.safetensors"), home.join("states"));
    succeed(extract(home, &single).args(["--layer", "all"]).arg(&root));
    let mut command = extract(home, &many);
    let said = json(&succeed(command.args(["--layer", "all", "--format", "npy", "--json"]).arg(&root)));
    let all = tensors(&single);
    assert_eq!(said["files"].as_array().unwrap().len(), all.len());
    for (name, tensor) in &all {
        let (shape, bytes) = read_npy(&many.join(format!("{name}.npy")), "<f4");
        let read: Vec<f32> =
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        assert_eq!((shape, read), (tensor.size(), values(tensor)), "{name}");
    }
    // A folder with something in it is left alone.
    let again = extract(home, &many).args(["--format", "npy"]).arg(&root).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("is there already"), "{}", text(&again.stderr));
}

#[test]
fn an_npy_file_holds_one_layer_of_one_recording_in_the_precision_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (recordings(folder.path()), folder.path());
    let (wide, half) = (home.join("wide.safetensors"), home.join("half.npy"));
    succeed(extract(home, &wide).args(["--layer", "1"]).arg(root.join("3.wav")));
    succeed(extract(home, &half).args(["--layer", "1", "--dtype", "f16"]).arg(root.join("3.wav")));
    let wide = &tensors(&wide)["3/layer.1"];
    let (shape, bytes) = read_npy(&half, "<f2");
    let narrow = Tensor::from_data_size(&bytes, &shape, Kind::Half);
    assert_eq!(narrow, wide.to_kind(Kind::Half));
    let several = extract(home, &half).arg(&root).output().unwrap();
    assert_eq!(several.status.code(), Some(2));
    assert!(text(&several.stderr).contains("--format npy"), "{}", text(&several.stderr));
}

#[test]
fn parquet_has_a_row_a_recording_and_layer_in_the_order_of_the_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (recordings(folder.path()), folder.path());
    let (single, table) = (home.join("all.safetensors"), home.join("all.parquet"));
    succeed(extract(home, &single).args(["--layer", "0,3"]).arg(&root));
    succeed(extract(home, &table).args(["--layer", "0,3", "--batch-seconds", "2"]).arg(&root));
    let all = tensors(&single);
    let reader = SerializedFileReader::new(fs::File::open(&table).unwrap()).unwrap();
    let mut order = Vec::new();
    for row in reader.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        let (id, layer) = (row.get_string(0).unwrap().clone(), row.get_int(1).unwrap());
        let tensor = &all[&format!("{id}/layer.{layer}")];
        let shape = [row.get_int(2).unwrap(), row.get_int(3).unwrap()].map(i64::from);
        assert_eq!(shape.as_slice(), tensor.size(), "{id}");
        let list = row.get_list(4).unwrap();
        let read = list.elements().iter().map(|value| match value {
            Field::Float(value) => *value,
            other => panic!("{other:?} is no float"),
        });
        let read = Tensor::from_slice(&read.collect::<Vec<f32>>()).view(shape);
        assert!(distance(&read, tensor) < 1e-5, "{id}/layer.{layer}");
        order.push((id, layer));
    }
    let expected: Vec<(String, i32)> =
        NAMES.iter().flat_map(|name| [0, 3].map(|layer| ((*name).to_owned(), layer))).collect();
    assert_eq!(order, expected);
    assert!(!home.join("all.parquet.partial").exists());
    let narrow = extract(home, &table).args(["--dtype", "f16"]).arg(&root).output().unwrap();
    assert_eq!(narrow.status.code(), Some(2));
}

#[test]
fn shards_and_their_index_hold_what_one_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (recordings(folder.path()), folder.path());
    let (single, out) = (home.join("one.safetensors"), home.join("all.safetensors"));
    let flags = ["--layer", "0,1", "--batch-seconds", "1"];
    succeed(extract(home, &single).args(flags).arg(&root));
    let mut command = extract(home, &out);
    let said = json(&succeed(command.args(flags).args(["--shard-size", "60KB", "--json"]).arg(&root)));
    let index: Value =
        serde_json::from_slice(&fs::read(home.join("all.safetensors.index.json")).unwrap()).unwrap();
    let shards: Vec<PathBuf> =
        said["files"].as_array().unwrap().iter().map(|f| f.as_str().unwrap().into()).collect();
    let shards = &shards[..shards.len() - 1];
    assert!(shards.len() > 2 && shards[0].ends_with(format!("all-00001-of-{:05}.safetensors", shards.len())));
    let all = tensors(&single);
    let mut found = 0;
    for shard in shards {
        for (name, tensor) in tensors(shard) {
            assert_eq!(tensor, all[&name]);
            assert_eq!(index["weight_map"][&name], shard.file_name().unwrap().to_str().unwrap());
            found += 1;
        }
    }
    assert_eq!(found, all.len());
    assert!(!out.exists());
}

/// Many short recordings, each in a batch of its own.
fn many(folder: &Path) -> PathBuf {
    let root = folder.join("many");
    for index in 0..120 {
        recording(&root.join(format!("{index:03}.wav")), index % 9, 3_200 + 40 * index);
    }
    root
}

const SINGLY: [&str; 4] = ["--layer", "all", "--batch-seconds", "0.01"];

fn journal(out: &Path) -> usize {
    let path =
        out.with_file_name(format!("{}.partial", out.file_name().unwrap().display())).join("journal.jsonl");
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

/// Starts a call and waits until some batches are done.
fn begun(command: &mut Command, out: &Path) -> Child {
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while journal(out) < 8 {
        assert!(begun.elapsed() < Duration::from_mins(2), "nothing was written");
        thread::sleep(Duration::from_millis(2));
    }
    child
}

#[test]
fn a_call_that_was_killed_goes_on_and_ends_in_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (many(folder.path()), folder.path());
    let (whole, out) = (home.join("whole.safetensors"), home.join("out.safetensors"));
    succeed(extract(home, &whole).args(SINGLY).arg(&root));
    let call = || {
        let mut command = extract(home, &out);
        command.args(SINGLY).arg(&root);
        command
    };
    let mut child = begun(&mut call(), &out);
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = journal(&out) - 1;
    assert!(kept >= 7 && !out.exists());
    let again = succeed(&mut call());
    let said = text(&again.stderr);
    // The last line may be torn.
    let counts = [kept, kept - 1].map(|kept| format!("{kept} of 120 recordings are there"));
    assert!(counts.iter().any(|count| said.contains(count)), "{kept} kept: {said}");
    assert_eq!(fs::read(&whole).unwrap(), fs::read(&out).unwrap());
    assert_eq!(journal(&out), 0, "what was kept is gone");
}

#[test]
fn what_another_call_left_is_not_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (many(folder.path()), folder.path());
    let out = home.join("out.safetensors");
    let call = |layer: &str| {
        let mut command = extract(home, &out);
        command.args(["--batch-seconds", "0.01", "--layer", layer]).arg(&root);
        command
    };
    let mut child = begun(&mut call("all"), &out);
    child.kill().unwrap();
    child.wait().unwrap();
    let said = text(&succeed(&mut call("0")).stderr);
    assert!(said.contains("beginning anew"), "{said}");
    assert_eq!(tensors(&out).len(), 120);

    fs::remove_file(&out).unwrap();
    let mut child = begun(&mut call("0"), &out);
    child.kill().unwrap();
    child.wait().unwrap();
    // The longest was done first; now it is another recording.
    recording(&root.join("119.wav"), 3, 8_000);
    let said = text(&succeed(&mut call("0")).stderr);
    assert!(said.contains("beginning anew"), "{said}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_done_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (many(folder.path()), folder.path());
    let out = home.join("states");
    let call = || {
        let mut command = extract(home, &out);
        command.args(SINGLY).args(["--format", "npy"]).arg(&root);
        command
    };
    let child = begun(&mut call(), &out);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("the same command goes on") && !out.exists(), "{said}");
    let said = text(&succeed(&mut call()).stderr);
    assert!(said.contains("of 120 recordings are there"), "{said}");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 120);
}

#[test]
fn a_recording_that_cannot_be_used_is_named_and_the_others_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (recordings(folder.path()), folder.path());
    fs::write(root.join("bad.wav"), "no audio").unwrap();
    recording(&root.join("short.wav"), 1, 20);
    let out = home.join("out.safetensors");
    let output = extract(home, &out).args(["--json"]).arg(&root).arg("gone.flac").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let said = json(&output);
    let mut failed: Vec<&str> =
        said["failed"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    failed.sort_unstable();
    assert_eq!(failed, ["bad", "gone", "short"]);
    for word in ["bad.wav", "gone.flac", "short.wav"] {
        assert!(text(&output.stderr).contains(word), "{word}: {}", text(&output.stderr));
    }
    assert_eq!(tensors(&out).len(), NAMES.len());

    let strict = home.join("strict.safetensors");
    let call = || {
        let mut command = extract(home, &strict);
        command.args(["--strict", "--batch-seconds", "0.01"]).arg(&root);
        command
    };
    let output = call().output().unwrap();
    assert_eq!((output.status.code(), strict.exists()), (Some(1), false));
    // With the bad ones mended, the same call goes on and ends.
    recording(&root.join("bad.wav"), 2, 4_000);
    recording(&root.join("short.wav"), 1, 4_000);
    let said = text(&succeed(&mut call()).stderr);
    assert!(said.contains("7 of 9 recordings are there"), "{said}");
    assert_eq!(tensors(&strict).len(), NAMES.len() + 2);
}

#[test]
fn names_come_from_stems_lists_and_manifests_and_never_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (recordings(folder.path()), folder.path());
    let names = |command: &mut Command| {
        let said = json(&succeed(command.args(["--json", "--mean"])));
        said["tensors"]
            .as_object()
            .unwrap()
            .keys()
            .map(|n| n.split("/layer").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let out = home.join("out.safetensors");
    let list = home.join("list.txt");
    let path = |name: &str| root.join(name).display().to_string();
    fs::write(&list, format!("{}\n\n{}\n", path("inner/b.wav"), path("2.wav"))).unwrap();
    assert_eq!(names(extract(home, &out).arg("--files").arg(&list)), ["b", "2"]);

    let manifest = root.join("manifest.jsonl");
    fs::write(&manifest, "{\"audio\": \"inner/a.wav\", \"id\": \"first\"}\n{\"audio\": \"0.wav\"}\n")
        .unwrap();
    assert_eq!(names(extract(home, &out).arg(path("1.wav")).arg(&manifest)), ["1", "first", "0"]);

    let twice = extract(home, &out).arg(root.join("0.wav")).arg(&manifest).output().unwrap();
    let said = text(&twice.stderr);
    assert_eq!(twice.status.code(), Some(2), "{said}");
    assert!(said.contains("two recordings are called 0"), "{said}");
    let nothing = extract(home, &out).output().unwrap();
    assert_eq!(nothing.status.code(), Some(2));
}

#[test]
fn with_the_padding_rules_of_transformers_batches_change_nothing_either() {
    let folder = tempfile::tempdir().unwrap();
    let (root, home) = (recordings(folder.path()), folder.path());
    let run = |out: &str, network: &Path, seconds: &str| {
        let out = home.join(out);
        let mut command = sure(&home.join("home"));
        command.args(["extract", "--compat", "transformers", "--batch-seconds", seconds, "--backbone"]);
        succeed(command.arg(network).arg("--out").arg(&out).arg(&root));
        tensors(&out)
    };
    let speech = backbone().join("../speech/wav2vec2-base");
    for (name, network) in [("whisper", backbone()), ("speech", speech)] {
        let together = run(&format!("{name}.safetensors"), &network, "200");
        let alone = run(&format!("{name}-alone.safetensors"), &network, "0.01");
        assert_eq!(together.len(), NAMES.len());
        for (tensor, states) in &together {
            assert!(distance(states, &alone[tensor]) < 1e-5, "{name}: {tensor}");
        }
    }
}
