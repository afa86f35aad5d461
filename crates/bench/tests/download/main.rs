//! From an empty machine to the paper's table: `download`, `bench`, and what has to be brought by hand.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

mod sets;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use sure_hub::test_hub::{Access, Faults, TestHub};

/// The backbone that the paper's profile names.
const BACKBONE: &str = "jonatasgrosman/wav2vec2-large-xlsr-53-english";
/// A token, which nobody must ever see.
const SECRET: &str = "hf_ThisMustNeverBeSeen";

/// A hub with the paper's backbone and data sets, and a home that is empty.
struct World {
    folder: tempfile::TempDir,
    hub: TestHub,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hub = TestHub::start(&folder.path().join("served"), 20_000).unwrap();
        let world = Self { folder, hub };
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/speech/wav2vec2-large");
        for file in ["config.json", "model.safetensors", "preprocessor_config.json"] {
            let bytes = fs::read(golden.join(file)).unwrap();
            sets::write(&world.served(&format!("models/{BACKBONE}/{file}")), &bytes);
        }
        world
    }

    fn served(&self, path: &str) -> PathBuf {
        self.folder.path().join("served").join(path)
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A folder in which a data set is laid out.
    fn laid_out(&self, name: &str, lay: fn(&Path)) -> PathBuf {
        let folder = self.folder.path().join("owner").join(name);
        lay(&folder);
        folder
    }

    /// Everything that can be fetched, where its card says.
    fn serve_sets(&self) {
        let fleurs = self.laid_out("fleurs", sets::fleurs);
        for part in ["train", "dev", "test"] {
            let list = fs::read(fleurs.join(format!("data/en_us/{part}.tsv"))).unwrap();
            sets::write(&self.served(&format!("datasets/google/fleurs/data/en_us/{part}.tsv")), &list);
            let audio = self.folder.path().join("audio");
            fs::create_dir(&audio).unwrap();
            fs::rename(fleurs.join(format!("data/en_us/audio/{part}")), audio.join(part)).unwrap();
            let archive = format!("datasets/google/fleurs/data/en_us/audio/{part}.tar.gz");
            sets::tar_gz(&audio, &self.served(&archive));
            fs::remove_dir_all(&audio).unwrap();
        }
        let snips = self.laid_out("snips", sets::snips);
        sets::zip(&snips, &self.served("datasets/s3prl/SNIPS/snips.zip"));
        sets::write(&self.served("datasets/s3prl/SNIPS/slots.txt"), b"O\nartist\ngenre\n");
        let libri = self.laid_out("librispeech", sets::librispeech);
        for part in ["train-clean-100", "dev-clean", "test-clean"] {
            let alone = self.folder.path().join("part/LibriSpeech");
            fs::create_dir_all(&alone).unwrap();
            fs::rename(libri.join("LibriSpeech").join(part), alone.join(part)).unwrap();
            let archive = format!("mirror/www.openslr.org/resources/12/{part}.tar.gz");
            sets::tar_gz(alone.parent().unwrap(), &self.served(&archive));
            fs::remove_dir_all(alone.parent().unwrap()).unwrap();
        }
        let commands = self.laid_out("speech-commands", sets::speech_commands);
        sets::tar_gz(
            &commands,
            &self.served("mirror/download.tensorflow.org/data/speech_commands_v0.02.tar.gz"),
        );
    }

    fn sure(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sure"));
        command
            .env("SURE_HOME", self.home())
            .env("HF_HOME", self.folder.path().join("hf"))
            .env("HF_ENDPOINT", self.hub.url())
            .env("SURE_MIRROR", format!("{}/mirror", self.hub.url()))
            .env("HF_TOKEN", SECRET)
            .env("NO_PROXY", "127.0.0.1");
        for other in
            ["HF_HUB_CACHE", "HF_HUB_OFFLINE", "SURE_COMMIT", "http_proxy", "https_proxy", "no_proxy"]
        {
            command.env_remove(other);
        }
        command
    }

    /// Runs the program, which must end with `code` and never show the token.
    fn run(&self, code: i32, arguments: &[&str]) -> Output {
        let output = self.sure().args(arguments).output().unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
        assert!(!out.contains(SECRET) && !err.contains(SECRET), "{arguments:?}");
        output
    }

    fn files(&self, code: i32, arguments: &[&str]) -> (Vec<Value>, String) {
        let output = self.run(code, &[arguments, &["--json"]].concat());
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        (value["files"].as_array().unwrap().clone(), text(&output.stderr))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn states(files: &[Value]) -> BTreeSet<String> {
    files.iter().map(|file| file["state"].as_str().unwrap().to_owned()).collect()
}

fn columns(output: &Output) -> BTreeSet<String> {
    let records: Vec<sure_records::RunRecord> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(records.iter().all(|record| record.outcome.is_ok()), "{}", text(&output.stderr));
    records.iter().map(|record| record.cell.column()).collect()
}

#[test]
fn an_empty_machine_gets_to_the_papers_table() {
    let world = World::new();
    world.serve_sets();
    let bench = [
        "bench",
        "--suite",
        "sure",
        "--profile",
        "paper",
        "--max-steps",
        "3",
        "--jobs",
        "2",
        "--threads",
        "1",
        "--json",
    ];

    // Nothing is there: what is needed is listed, with the way to it.
    let empty = text(&world.run(3, &bench).stderr);
    for word in [BACKBONE, "download --model", "--dataset fleurs", "ser/esd", "HLTSingapore", "--from"] {
        assert!(empty.contains(word), "{word} in {empty}");
    }
    world.hub.heard();
    let (listed, _) = world.files(0, &["download", "--suite", "sure", "--list"]);
    assert_eq!(states(&listed), ["missing", "wanted"].map(str::to_owned).into());
    let lines = text(&world.run(0, &["download", "--suite", "sure", "--list"]).stdout);
    for line in ["model jonatasgrosman", "data set fleurs  (CC-BY-4.0)", "data set esd  (research only"] {
        assert!(lines.contains(line), "{line} in {lines}");
    }
    assert_eq!(world.hub.heard(), Vec::new(), "a list asks nobody");
    let (planned, _) = world.files(3, &["download", "--suite", "sure", "--dry-run"]);
    assert!(planned.iter().all(|file| file["state"] == "wanted"));
    assert!(!world.home().join("datasets").exists());

    let (files, said) = world.files(3, &["download", "--suite", "sure"]);
    assert_eq!(states(&files), ["fetched".to_owned()].into());
    // Three of the model, six and two of repositories, three and one of addresses.
    assert_eq!(files.len(), 3 + 6 + 2 + 3 + 1);
    for missing in ["esd", "meld", "vctk", "fluent-speech-commands"] {
        assert!(said.contains(&format!("missing: {missing}: ")), "{missing} in {said}");
    }
    assert!(said.contains("ffmpeg") && said.contains("datashare.ed.ac.uk"), "{said}");

    let output = world.run(3, &bench);
    let there = ["asr/fleurs", "asr/librispeech", "ks/speech-commands", "pr/librispeech", "sf/audio-snips"];
    assert_eq!(columns(&output), there.map(str::to_owned).into());
    assert!(
        text(&output.stderr).contains("not there: sr/vctk: https://datashare"),
        "{}",
        text(&output.stderr)
    );

    // What is had by a form is brought: two folders, two archives.
    let owner = world.folder.path().join("owner");
    for (name, lay) in [
        ("esd", sets::esd as fn(&Path)),
        ("meld", sets::meld),
        ("vctk", sets::vctk),
        ("fluent-speech-commands", sets::fluent),
    ] {
        world.laid_out(name, lay);
    }
    sets::zip(&owner.join("vctk"), &owner.join("vctk.zip"));
    sets::tar_gz(&owner.join("fluent-speech-commands"), &owner.join("fluent.tar.gz"));
    for (name, from) in
        [("esd", "esd"), ("meld", "meld"), ("vctk", "vctk.zip"), ("fluent-speech-commands", "fluent.tar.gz")]
    {
        let (brought, _) =
            world.files(0, &["download", "--dataset", name, "--from", owner.join(from).to_str().unwrap()]);
        assert_eq!(states(&brought), ["fetched".to_owned()].into());
    }
    let output = world.run(0, &bench);
    assert_eq!(columns(&output).len(), 11);
    let records: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(records.len(), 66, "six methods on eleven tasks");
    assert!(records.iter().all(|record| record["cell"]["backbone"] == BACKBONE));

    // All is there now, also without a network, and is what it was when it came.
    let (again, _) = world.files(0, &["download", "--suite", "sure"]);
    assert_eq!(states(&again), ["present".to_owned()].into());
    let offline =
        world.sure().env("HF_HUB_OFFLINE", "1").args(["download", "--suite", "sure"]).output().unwrap();
    assert_eq!(offline.status.code(), Some(0), "{}", text(&offline.stderr));
    let (verified, _) = world.files(0, &["download", "--suite", "sure", "--verify"]);
    assert_eq!(states(&verified), ["verified".to_owned()].into());
    fs::write(world.home().join("datasets/fleurs/data/en_us/dev.tsv"), "other").unwrap();
    let (wrong, said) = world.files(1, &["download", "--suite", "sure", "--verify"]);
    assert!(states(&wrong).contains("wrong") && said.contains("failed: fleurs"), "{said}");
}

#[test]
fn what_is_no_such_set_is_not_taken_up() {
    let world = World::new();
    let folder = world.laid_out("vctk", sets::vctk);
    let from = folder.to_str().unwrap();
    let refused = text(&world.run(2, &["download", "--dataset", "esd", "--from", from]).stderr);
    assert!(refused.contains("esd") && refused.contains("vctk"), "{refused}");
    let nothing = text(&world.run(2, &["download", "--dataset", "esd", "--from", "/nowhere"]).stderr);
    assert!(nothing.contains("/nowhere"), "{nothing}");
    sets::write(&folder.join("../text.zip"), b"no archive");
    world.run(2, &["download", "--dataset", "esd", "--from", folder.join("../text.zip").to_str().unwrap()]);
    world.run(2, &["download", "--dataset", "esd", "--dataset", "vctk", "--from", from]);
    world.run(2, &["download", "--dataset", "nothing"]);
    world.run(2, &["download", "--model", "nothing"]);
    world.run(2, &["download"]);
    assert!(!world.home().join("datasets").exists());
    world.run(0, &["download", "--dataset", "vctk", "--from", from]);
    world.run(2, &["download", "--dataset", "vctk", "--from", from]);
}

#[test]
fn a_second_way_is_taken_where_the_first_fails_and_all_are_listed_where_none_works() {
    let world = World::new();
    let said = world.files(3, &["download", "--dataset", "audio-snips", "--model", "nobody/nothing"]).1;
    assert!(said.contains("s3prl/SNIPS") && said.contains("nobody/nothing"), "{said}");
    // A set whose archive holds something else never appears.
    world.serve_sets();
    let wrong = world.laid_out("vctk", sets::vctk);
    sets::zip(&wrong, &world.served("datasets/s3prl/SNIPS/snips.zip"));
    let said = world.files(1, &["download", "--dataset", "audio-snips"]).1;
    assert!(said.contains("vctk"), "{said}");
    assert!(!world.home().join("datasets/audio-snips").exists());
    // What leads out of its folder does not get out.
    let mut tar =
        tar::Builder::new(fs::File::create(world.served("datasets/s3prl/SNIPS/snips.zip")).unwrap());
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..10].copy_from_slice(b"../../evil");
    header.set_size(1);
    header.set_mode(0o644);
    header.set_cksum();
    tar.append(&header, &b"x"[..]).unwrap();
    tar.finish().unwrap();
    drop(tar);
    world.run(1, &["download", "--dataset", "audio-snips", "--update"]);
    assert!(!world.home().join("evil").exists() && !world.home().join("fetch/evil").exists());
}

#[test]
fn a_gated_model_is_explained_and_a_token_opens_it() {
    let world = World::new();
    let set = |name: &str| std::iter::once(name.to_owned()).collect();
    world.hub.admit(Access { gated: set(BACKBONE), tokens: set("hf_other"), ..Access::default() });
    let said = world.files(3, &["download", "--model", BACKBONE]).1;
    assert!(said.contains("HF_TOKEN") && said.contains(&format!("{}/{BACKBONE}", world.hub.url())), "{said}");
    // The token may lie where `hf auth login` puts it.
    sets::write(&world.folder.path().join("hf/token"), b"hf_other\n");
    let output =
        world.sure().env_remove("HF_TOKEN").args(["download", "--model", BACKBONE]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[cfg(unix)]
#[test]
fn ctrl_c_and_kill_leave_what_has_come_for_the_next_call() {
    let world = World::new();
    let path = world.served(&format!("models/{BACKBONE}/model.safetensors"));
    let length = fs::metadata(&path).unwrap().len();
    for signal in ["INT", "KILL"] {
        world.hub.misbehave(Faults { slow: Some(Duration::from_millis(150)), ..Faults::default() });
        let _ = fs::remove_dir_all(world.folder.path().join("hf"));
        let mut child = world
            .sure()
            .args(["download", "--model", BACKBONE])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let kept = || {
            partial(&world.folder.path().join("hf"))
                .map_or(0, |path| fs::metadata(path).map_or(0, |data| data.len()))
        };
        while kept() == 0 {
            assert!(started.elapsed() < Duration::from_secs(30), "nothing came");
            thread::sleep(Duration::from_millis(20));
        }
        let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let status = child.wait().unwrap();
        assert_eq!(status.code(), if signal == "INT" { Some(130) } else { None });
        let kept = kept();
        assert!(kept > 0 && kept < length, "{kept} of {length}");
        world.hub.misbehave(Faults::default());
        world.hub.heard();
        world.run(0, &["download", "--model", BACKBONE]);
        let ranges: Vec<String> = world.hub.heard().into_iter().filter_map(|heard| heard.range).collect();
        assert_eq!(ranges, [format!("bytes={kept}-")], "{signal}");
        assert!(world.hub.heard().iter().all(|heard| !heard.far || heard.token.is_none()));
        let (verified, _) = world.files(0, &["download", "--model", BACKBONE, "--verify"]);
        assert_eq!(states(&verified), ["verified".to_owned()].into());
    }
}

/// A partial file below a folder.
fn partial(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            partial(&path)
        } else {
            path.to_string_lossy().ends_with(".incomplete").then_some(path)
        }
    })
}
