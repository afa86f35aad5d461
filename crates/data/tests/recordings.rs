//! Facts of recordings, their memo, and fingerprints.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as it does")]

use std::fs;
use std::path::{Path, PathBuf};

use sure_data::{AudioFacts, DataError, Example, Fingerprint, LabelledSet, Labels, Target, facts};

const RATE_HZ: u32 = 16_000;

/// A short tone as a 16-bit WAV file.
fn write_wav(path: &Path, samples: usize, step: i16) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for sample in 0..samples {
        writer.write_sample((sample % 50) as i16 * step).unwrap();
    }
    writer.finalize().unwrap();
}

fn example(folder: &Path, id: &str, label: usize) -> Example {
    let (audio, target) = (folder.join(format!("{id}.wav")), Target::Class(label));
    Example { id: id.into(), audio, written: None, target, speaker: Some(id[..1].into()) }
}

/// Six recordings `a0` to `c1` of different lengths; two of each split.
fn set(folder: &Path) -> LabelledSet {
    let mut samples = 400;
    let mut pair = |speaker: &str| {
        [0, 1].map(|label| {
            let example = example(folder, &format!("{speaker}{label}"), label);
            write_wav(&example.audio, samples, 100);
            samples += 16;
            example
        })
    };
    LabelledSet {
        task: "ks".into(),
        set: "tones".into(),
        labels: Labels::Classes(vec!["no".into(), "yes".into()]),
        train: pair("a").into(),
        valid: pair("b").into(),
        test: pair("c").into(),
        skipped: 0,
        notes: Vec::new(),
    }
}

fn classes(set: &mut LabelledSet) -> &mut Vec<String> {
    let Labels::Classes(classes) = &mut set.labels else { panic!("no classes") };
    classes
}

#[test]
fn facts_are_those_of_the_samples_in_the_order_of_the_examples() {
    let folder = tempfile::tempdir().unwrap();
    let set = set(folder.path());
    let expected: Vec<AudioFacts> = set
        .examples()
        .map(|example| AudioFacts::of(&sure_audio::load(&example.audio, RATE_HZ).unwrap().samples))
        .collect();
    assert_eq!(expected[1].samples, 416);
    for threads in [0, 1, 3, 100] {
        assert_eq!(facts(set.examples(), RATE_HZ, None, threads, None).unwrap(), expected);
    }
    assert_eq!(facts([], RATE_HZ, None, 2, None).unwrap(), []);
}

#[test]
fn the_hash_is_of_little_endian_samples() {
    // printf '\000\000\000\277\000\000\200\076' | sha256sum, that is -0.5 and 0.25
    let facts = AudioFacts::of(&[-0.5, 0.25]);
    let start = [0x1d, 0xc7, 0xfb, 0xfa, 0xc3, 0x3e, 0x9a, 0x09];
    assert_eq!(facts.sha256[..8], start);
}

#[test]
fn a_second_run_decodes_nothing_and_a_changed_file_is_decoded_again() {
    let folder = tempfile::tempdir().unwrap();
    let set = set(folder.path());
    let memo = folder.path().join("memos/facts.json");
    let first = facts(set.examples(), RATE_HZ, None, 2, Some(&memo)).unwrap();

    // Other samples behind the same size and time: only a memo can still say the old ones.
    let path = &set.train[0].audio;
    let time = fs::metadata(path).unwrap().modified().unwrap();
    write_wav(path, 400, 7);
    let set_time = |time| fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    set_time(time);
    let remembered = fs::read(&memo).unwrap();
    assert_eq!(facts(set.examples(), RATE_HZ, None, 2, Some(&memo)).unwrap(), first);
    assert_eq!(fs::read(&memo).unwrap(), remembered);

    set_time(time + std::time::Duration::from_micros(1));
    let changed = facts(set.examples(), RATE_HZ, None, 2, Some(&memo)).unwrap();
    assert_ne!(changed[0], first[0]);
    assert_eq!(changed[1..], first[1..]);
    assert_eq!(
        facts(set.examples(), 8_000, None, 2, Some(&memo)).unwrap()[1].samples,
        208,
        "another rate is another fact"
    );
}

#[test]
fn a_damaged_memo_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let set = set(folder.path());
    let memo = folder.path().join("facts.json");
    let expected = facts(set.examples(), RATE_HZ, None, 2, None).unwrap();
    for damaged in ["", "{", "[]", "{\"version\": 1, \"files\": 3}", "{\"version\": 99, \"files\": {}}"] {
        fs::write(&memo, damaged).unwrap();
        assert_eq!(facts(set.examples(), RATE_HZ, None, 2, Some(&memo)).unwrap(), expected);
        assert!(fs::read_to_string(&memo).unwrap().contains("a0.wav"), "{damaged}");
    }
}

#[test]
fn the_first_recording_that_cannot_be_decoded_is_named_whatever_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    let set = set(folder.path());
    fs::write(&set.train[1].audio, b"no audio").unwrap();
    fs::remove_file(&set.test[1].audio).unwrap();
    let memo = folder.path().join("facts.json");
    for threads in [1, 2, 6] {
        let error = facts(set.examples(), RATE_HZ, None, threads, Some(&memo)).unwrap_err();
        assert!(matches!(&error, DataError::Audio { id, .. } if id == "a1"), "{error}");
    }
    assert!(fs::read_to_string(&memo).unwrap().contains("a0.wav"), "what was decoded is kept");
}

fn fingerprint(set: &LabelledSet) -> Fingerprint {
    let facts = facts(set.examples(), RATE_HZ, None, 2, None).unwrap();
    Fingerprint::new(set, &facts, RATE_HZ).unwrap()
}

#[test]
fn a_fingerprint_counts_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let fingerprint = fingerprint(&set(folder.path()));
    assert_eq!((fingerprint.utterances, fingerprint.speakers), (6, 3));
    // 400 + 416 + ... + 480 samples
    assert!((fingerprint.seconds - 2640.0 / 16_000.0).abs() < 1e-12);
    let splits: Vec<(&str, usize, usize)> = fingerprint
        .splits
        .iter()
        .map(|split| (split.split.name(), split.utterances, split.labels["yes"]))
        .collect();
    assert_eq!(splits, [("train", 2, 1), ("valid", 2, 1), ("test", 2, 1)]);
    assert!(fingerprint.duplicates.is_empty() && fingerprint.leakage.is_empty());
    assert_eq!(fingerprint.hash.len(), 64);
}

#[test]
fn the_hash_changes_with_samples_labels_ids_and_splits_and_with_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let original = set(folder.path());
    let hash = fingerprint(&original).hash;
    let change = |change: fn(&mut LabelledSet)| {
        let mut changed = original.clone();
        change(&mut changed);
        fingerprint(&changed).hash
    };
    assert_eq!(change(|set| set.train.reverse()), hash, "the order");
    assert_eq!(change(|set| set.train[0].speaker = None), hash, "the speaker");
    assert_ne!(change(|set| classes(set).push("unused".into())), hash, "a class that no utterance here has");
    assert_ne!(change(|set| set.train[0].id = "new".into()), hash, "an id");
    assert_ne!(change(|set| set.train[0].target = Target::Class(1)), hash, "a label");
    assert_ne!(change(|set| classes(set)[1] = "yeah".into()), hash, "a label's name");
    assert_ne!(change(|set| std::mem::swap(&mut set.train, &mut set.test)), hash, "the split");
    let copy: PathBuf = folder.path().join("copy.wav");
    fs::copy(&original.train[0].audio, &copy).unwrap();
    let mut moved = original.clone();
    moved.train[0].audio = copy;
    assert_eq!(fingerprint(&moved).hash, hash, "the file's place");
    write_wav(&original.train[0].audio, 400, 101);
    assert_ne!(fingerprint(&original).hash, hash, "a sample");
}

#[test]
fn recordings_that_occur_twice_are_listed_and_leaks_apart() {
    let folder = tempfile::tempdir().unwrap();
    let mut set = set(folder.path());
    set.train[1].audio = set.train[0].audio.clone();
    set.test[0].audio = set.valid[1].audio.clone();
    let fingerprint = fingerprint(&set);
    assert_eq!(fingerprint.duplicates.len(), 1);
    assert_eq!(fingerprint.duplicates[0].utterances, ["train/a0", "train/a1"]);
    assert_eq!(fingerprint.leakage.len(), 1);
    assert_eq!(fingerprint.leakage[0].utterances, ["valid/b1", "test/c0"]);
}

#[test]
fn facts_of_another_set_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let set = set(folder.path());
    let error = Fingerprint::new(&set, &[], RATE_HZ).unwrap_err();
    assert!(matches!(error, DataError::FactsMismatch { facts: 0, utterances: 6 }));
}
