//! From a folder to the reader that knows it.

use std::error::Error;
use std::fs;

use sure_data::{Applies, READERS, ReadOptions, TaskCard, facts, read_dataset, reader};

use crate::folder::{Folder, notes};

#[test]
fn a_manifest_goes_before_all_readers() {
    let folder = Folder::new();
    folder.wav("0011/Angry/train/0011_000401.wav");
    assert_eq!(folder.read().manifest.name, "esd");
    folder.text("manifest.csv", "audio\nany.wav\n");
    let reading = folder.read();
    assert_eq!((reading.manifest.name.as_str(), reading.manifest.rows.len()), ("data", 1));
    assert_eq!(notes(&reading), Vec::<String>::new());
}

#[test]
fn an_unknown_folder_is_told_what_was_looked_for() {
    let folder = Folder::new();
    folder.wavs(&["a/b.wav", "c/d.wav"]);
    let complaint = folder.complaint();
    assert!(
        complaint.starts_with(
            "data holds no data set that is known. Looked for manifest.jsonl and manifest.csv, then for\n  esd: folders \
             0011 to 0020 with Angry, Happy, Neutral, Sad, Surprise in them\n  meld: "
        ),
        "{complaint}"
    );
    assert_eq!(complaint.lines().count(), 1 + READERS.len());
    folder.remove("c");
    assert!(folder.complaint().starts_with("data holds no data set"), "also where it has one folder only");
    let missing = read_dataset(&folder.path().join("gone"), &ReadOptions::new(sure_data::Protocol::Sure));
    assert!(missing.unwrap_err().to_string().starts_with("list "));
}

#[test]
fn readers_are_found_by_name_and_no_two_share_one() {
    for one in READERS {
        assert_eq!(READERS.iter().filter(|other| other.name() == one.name()).count(), 1);
        assert_eq!(reader(one.name()).map(sure_data::Reader::layout), Some(one.layout()));
    }
    assert!(reader("nonsense").is_none());
}

#[test]
fn a_recording_that_cannot_be_decoded_is_named_and_other_rates_are_brought_to_one() {
    let folder = Folder::new();
    for (split, number) in [("train", 401), ("train", 402), ("evaluation", 351), ("test", 371)] {
        folder.wav(&format!("0011/Angry/{split}/0011_{number:06}.wav"));
        folder.wav(&format!("0012/Angry/{split}/0012_{number:06}.wav"));
    }
    folder.bytes("0011/Angry/train/0011_000402.wav", &folder.samples(44_100));
    let card = "name = \"sr\"\ntitle = \"x\"\nkind = \"sequence-classification\"\nlabel = \"speaker\"\n\
                split = \"sid_split\"\nmetric = \"accuracy\"";
    let task = TaskCard::from_toml("sr", card).unwrap();
    let reading = folder.read();
    assert_eq!(task.applies(&reading.manifest).unwrap(), Applies::Yes);
    let set = task.select(&reading.manifest, None).unwrap();
    let lengths = facts(set.examples(), 16_000, None, 1, None).unwrap();
    assert!(lengths.iter().all(|facts| facts.samples == 1600), "{lengths:?}");
    let path = folder.path().join("0012/Angry/test/0012_000371.wav");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = facts(set.examples(), 16_000, None, 1, None).unwrap_err();
    assert_eq!(error.to_string(), "decode utterance `0012_000371`");
    assert!(error.source().unwrap().to_string().contains("0012_000371.wav"));
}
