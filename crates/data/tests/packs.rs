//! Manifests of packed recordings: several utterances in one file.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as it does")]

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use sure_data::{DataError, Manifest, Protocol, ReadOptions, TaskCard, facts, read_dataset};

const TONES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pack/tones.ogg");

/// Three rows, out of order, one of them with an id that is no name of a file.
const ROWS: &str = r#"{"id": "high", "audio": "a/tones.ogg", "start": 1600, "samples": 800, "split": "train", "keyword": "high"}
{"id": "../low", "audio": "a/tones.ogg", "start": 0, "samples": 800, "split": "train", "keyword": "low"}
{"id": "mid", "audio": "a/tones.ogg", "start": 790, "samples": 20, "split": "test", "keyword": "low"}
"#;

const KEYWORDS: &str = r#"
name = "ks"
title = "keyword spotting"
kind = "sequence-classification"
label = "keyword"
split = "split"
metric = "accuracy"
"#;

/// A folder with the set `words`, and room to unpack into.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(name: &str, rows: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(place.set().join("a")).unwrap();
        fs::copy(TONES, place.set().join("a/tones.ogg")).unwrap();
        fs::write(place.set().join(name), rows).unwrap();
        place
    }

    fn set(&self) -> PathBuf {
        self.folder.path().join("words")
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn read(&self) -> Result<Manifest, DataError> {
        let unpack_into = Some(self.home());
        let options = ReadOptions { unpack_into, ..ReadOptions::new(Protocol::Sure) };
        Ok(read_dataset(&self.set(), &options)?.manifest)
    }

    /// The message with the temporary folder taken out.
    fn complaint(&self) -> String {
        let error = self.read().unwrap_err();
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        let message = format!("{error}{}", source.unwrap_or_default());
        message.replace(&format!("{}/", self.folder.path().display()), "")
    }

    /// What lies in the folder for what is unpacked, without locks.
    fn unpacked(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.home()) else { return Vec::new() };
        let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        entries.retain(|path| path.extension().is_none_or(|ending| ending != "lock"));
        entries.sort();
        entries
    }
}

fn samples(path: &Path) -> Vec<i16> {
    let mut reader = hound::WavReader::open(path).unwrap();
    let spec = reader.spec();
    assert_eq!((spec.sample_rate, spec.channels, spec.bits_per_sample), (8000, 1, 16));
    reader.samples::<i16>().collect::<Result<_, _>>().unwrap()
}

#[test]
fn each_row_gets_the_samples_that_oggdec_decodes_of_its_stretch() {
    let place = Place::new("manifest.jsonl", ROWS);
    let manifest = place.read().unwrap();
    assert_eq!((manifest.name.as_str(), &manifest.path), ("words", &place.set().join("manifest.jsonl")));
    let ids: Vec<&str> = manifest.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["high", "../low", "mid"]);
    assert_eq!(manifest.rows[2].fields["audio"], "a/tones.ogg");

    let bytes = fs::read(format!("{TONES}.s16")).unwrap();
    let expected: Vec<i16> =
        bytes.chunks_exact(2).map(|pair| i16::from_le_bytes(pair.try_into().unwrap())).collect();
    assert_eq!(expected.len(), 2400);
    for (row, stretch) in manifest.rows.iter().zip([1600..2400, 0..800, 790..810]) {
        assert!(row.audio.starts_with(place.home()), "{}", row.audio.display());
        assert_eq!(row.audio.parent(), manifest.rows[0].audio.parent());
        let found = samples(&row.audio);
        assert_eq!(found.len(), stretch.len());
        // Another decoder may round a sample the other way.
        let off = found.iter().zip(&expected[stretch]).map(|(ours, theirs)| ours.abs_diff(*theirs));
        assert!(off.max().unwrap() <= 1, "{}", row.id);
    }
}

#[test]
fn a_csv_has_packs_too_beside_recordings_of_one_utterance() {
    let place =
        Place::new("manifest.csv", "id,audio,start,samples\nlow,a/tones.ogg,0,800\nall,a/tones.ogg,,\n");
    let manifest = place.read().unwrap();
    assert_eq!(samples(&manifest.rows[0].audio).len(), 800);
    assert_eq!(manifest.rows[1].audio, place.set().join("a/tones.ogg"));
}

#[test]
fn a_pack_is_unpacked_once_and_again_where_files_are_gone() {
    let place = Place::new("manifest.jsonl", ROWS);
    let first = place.read().unwrap();
    let changed = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let before = changed(&first.rows[0].audio);
    assert_eq!(place.read().unwrap(), first);
    assert_eq!(changed(&first.rows[0].audio), before, "it was unpacked again");
    fs::remove_file(&first.rows[1].audio).unwrap();
    fs::write(&first.rows[2].audio, "half").unwrap();
    assert_eq!(place.read().unwrap(), first);
    assert_eq!(samples(&first.rows[1].audio).len(), 800);
    assert_eq!(samples(&first.rows[2].audio).len(), 20);
    assert_eq!(place.unpacked().len(), 1);
}

#[test]
fn an_edited_manifest_or_pack_is_never_served_stale() {
    let place = Place::new("manifest.jsonl", ROWS);
    let first = samples(&place.read().unwrap().rows[0].audio);
    fs::write(place.set().join("manifest.jsonl"), ROWS.replace("1600", "1500")).unwrap();
    let cut_elsewhere = samples(&place.read().unwrap().rows[0].audio);
    assert_ne!(cut_elsewhere, first);
    let silence = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(place.set().join("a/tones.ogg"), silence).unwrap();
    (0..2400).for_each(|_| writer.write_sample(0_i16).unwrap());
    writer.finalize().unwrap();
    assert_eq!(samples(&place.read().unwrap().rows[0].audio), [0; 800]);
    // Other labels are no other samples.
    let relabelled = ROWS.replace("1600", "1500").replace("\"keyword\": \"low\"", "\"keyword\": \"deep\"");
    fs::write(place.set().join("manifest.jsonl"), relabelled).unwrap();
    let count = place.unpacked().len();
    place.read().unwrap();
    assert_eq!(place.unpacked().len(), count);
}

#[test]
fn what_is_wrong_with_a_stretch_is_said_with_file_and_line() {
    let row = |keys: &str| format!("{{\"id\": \"a\", \"audio\": \"a/tones.ogg\"{keys}}}\n");
    for (keys, message) in [
        (", \"start\": 0", "words/manifest.jsonl, line 1: the key `samples` is missing"),
        (", \"samples\": 5", "words/manifest.jsonl, line 1: the key `start` is missing"),
        (
            ", \"start\": -1, \"samples\": 5",
            "words/manifest.jsonl, line 1: `start` must be a whole number of samples, not -1",
        ),
        (
            ", \"start\": 0.5, \"samples\": 5",
            "words/manifest.jsonl, line 1: `start` must be a whole number of samples, not 0.5",
        ),
        (
            ", \"start\": \"x\", \"samples\": 5",
            "words/manifest.jsonl, line 1: `start` must be a whole number of samples, not \"x\"",
        ),
        (
            ", \"start\": 0, \"samples\": 0",
            "words/manifest.jsonl, line 1: `samples` must be 1 or more, not 0",
        ),
        (
            ", \"start\": 2390, \"samples\": 11",
            "words/manifest.jsonl, line 1: 11 samples from 2390 on are not in words/a/tones.ogg, which has 2400",
        ),
        (
            ", \"start\": 18446744073709551615, \"samples\": 18446744073709551615",
            "words/manifest.jsonl, line 1: 18446744073709551615 samples from 18446744073709551615 on are not in \
             words/a/tones.ogg, which has 2400",
        ),
    ] {
        let place = Place::new("manifest.jsonl", &row(keys));
        assert_eq!(place.complaint(), message);
        assert_eq!(place.unpacked(), [] as [PathBuf; 0], "something half made is left");
    }
    let nowhere = Manifest::read(&Place::new("manifest.jsonl", ROWS).set()).unwrap_err();
    assert!(matches!(nowhere, DataError::NowhereToUnpack { .. }), "{nowhere}");
}

#[test]
fn a_pack_that_is_gone_or_damaged_is_named() {
    let place = Place::new("manifest.jsonl", ROWS);
    let pack = place.set().join("a/tones.ogg");
    let bytes = fs::read(&pack).unwrap();
    fs::write(&pack, &bytes[..bytes.len() - 9]).unwrap();
    let message = place.complaint();
    assert!(message.starts_with("decode utterance `high`: words/a/tones.ogg is corrupt"), "{message}");
    fs::remove_file(&pack).unwrap();
    assert_eq!(place.complaint(), "read words/a/tones.ogg: No such file or directory (os error 2)");
}

#[test]
fn two_readers_at_once_find_the_same_files() {
    let place = Place::new("manifest.jsonl", ROWS);
    let readings: Vec<Manifest> = thread::scope(|scope| {
        let readers: Vec<_> = (0..8).map(|_| scope.spawn(|| place.read().unwrap())).collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    assert!(readings.iter().all(|reading| *reading == readings[0]));
    assert_eq!(place.unpacked().len(), 1);
}

#[test]
fn the_facts_of_a_packed_set_do_not_depend_on_where_it_was_unpacked() {
    let card = TaskCard::from_toml("ks.toml", KEYWORDS).unwrap();
    let rows = ROWS.replace("\"split\": \"test\"", "\"split\": \"valid\"")
        + "{\"id\": \"test\", \"audio\": \"a/tones.ogg\", \"start\": 800, \"samples\": 800, \"split\": \"test\", \
           \"keyword\": \"low\"}\n";
    let found = || {
        let place = Place::new("manifest.jsonl", &rows);
        let set = card.select(&place.read().unwrap(), None).unwrap();
        facts(set.examples(), 16_000, None, 1, None).unwrap()
    };
    assert_eq!(found(), found());
}
