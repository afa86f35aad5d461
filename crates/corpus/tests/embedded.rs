//! The corpus in the repository is the one that the recipe describes. No engine is needed for that.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use sure_corpus::{FilesChecked, SETS, check_files};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/mini")
}

fn rows(set: &str) -> Vec<Value> {
    let text = fs::read_to_string(corpus().join(set).join("manifest.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn manifests_and_packs_are_those_of_the_recipe() {
    assert_eq!(check_files(&corpus()).unwrap(), FilesChecked::default());
}

#[test]
fn every_pack_is_as_long_as_its_recordings_and_they_lie_end_to_end() {
    for set in SETS {
        let mut ends: BTreeMap<String, u64> = BTreeMap::new();
        for row in rows(set.name) {
            let pack = row["audio"].as_str().unwrap().to_owned();
            let end = ends.entry(pack).or_default();
            assert_eq!(row["start"].as_u64().unwrap(), *end, "{}", row["id"]);
            *end += row["samples"].as_u64().unwrap();
        }
        for (pack, end) in ends {
            let wave = sure_audio::decode(&corpus().join(set.name).join(&pack)).unwrap();
            assert_eq!((wave.samples.len() as u64, wave.rate_hz), (end, set.rate_hz), "{}/{pack}", set.name);
        }
    }
}

#[test]
fn phones_lie_within_their_recordings_in_order() {
    for set in SETS {
        let seconds: BTreeMap<String, f64> = rows(set.name)
            .iter()
            .map(|row| {
                let samples = row["samples"].as_u64().unwrap();
                (row["id"].as_str().unwrap().to_owned(), samples as f64 / f64::from(set.rate_hz))
            })
            .collect();
        let text = fs::read_to_string(corpus().join(set.name).join("phones.jsonl")).unwrap();
        let mut spoken = BTreeSet::new();
        for line in text.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let id = row["id"].as_str().unwrap().to_owned();
            let mut last = 0.0;
            for phone in row["phones"].as_array().unwrap() {
                let (start, end) = (phone[1].as_f64().unwrap(), phone[2].as_f64().unwrap());
                assert!(last <= start && start <= end, "{id}: {phone}");
                last = start;
            }
            assert!(last <= seconds[&id], "{id}");
            spoken.insert(id);
        }
        let silent = seconds.keys().filter(|id| !spoken.contains(*id));
        assert!(silent.clone().all(|id| id.contains("silence")), "{:?}", silent.collect::<Vec<_>>());
    }
}

#[test]
fn trials_pair_test_recordings_of_voices_that_training_lacks() {
    let rows = rows("sentences");
    let speakers = |split: &str| -> BTreeMap<&str, &str> {
        let rows = rows.iter().filter(|row| row["split"] == split);
        rows.map(|row| (row["id"].as_str().unwrap(), row["speaker"].as_str().unwrap())).collect()
    };
    let (test, train) = (speakers("test"), speakers("train"));
    let heard: BTreeSet<_> = train.values().collect();
    let text = fs::read_to_string(corpus().join("sentences/trials.txt")).unwrap();
    let mut counts = [0, 0];
    for line in text.lines() {
        let [label, one, two] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(label == "1", test[one] == test[two], "{line}");
        assert!(!heard.contains(&test[one]) && !heard.contains(&test[two]), "{line}");
        counts[usize::from(label == "1")] += 1;
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0] > 300, "{counts:?}");
}

#[test]
fn it_has_the_size_that_the_repository_bears() {
    fn bytes(folder: &Path) -> u64 {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| if path.is_dir() { bytes(&path) } else { fs::metadata(&path).unwrap().len() })
            .sum()
    }
    let audio: u64 = SETS.iter().map(|set| bytes(&corpus().join(set.name))).sum();
    assert!(audio < 16_000_000, "{audio} bytes");
    assert!(bytes(&corpus().join("nano-hubert")) < 8_000_000);
}
