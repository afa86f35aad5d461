//! From a folder to the data sets in it.

use sure_data::{ReadOptions, Reading, discover};

use crate::folder::{Folder, notes};
use crate::shards::golden;

const MANIFEST: &str = "{\"audio\": \"a.wav\"}\n";

fn found(folder: &Folder) -> Vec<Reading> {
    discover(&folder.path(), &ReadOptions::new(sure_data::Protocol::Sure)).unwrap()
}

fn names(readings: &[Reading]) -> Vec<&str> {
    readings.iter().map(|reading| reading.manifest.name.as_str()).collect()
}

#[test]
fn parquet_files_of_one_set_do_not_hide_the_sets_beside_it() {
    let folder = Folder::new();
    folder.text("digits/manifest.jsonl", MANIFEST);
    folder.text("wake/manifest.jsonl", MANIFEST);
    folder.bytes("librispeech/clean/train.100/0000.parquet", &golden("librispeech.parquet"));
    // What an earlier call unpacked.
    folder.wav("librispeech.unpacked/librispeech-0123/train.100/000000-a.wav");
    let readings = found(&folder);
    assert_eq!(names(&readings), ["digits", "librispeech", "wake"]);
    assert_eq!(readings[1].manifest.path, folder.path().join("librispeech"));
    assert_eq!(notes(&readings[0]), Vec::<String>::new());
    let complaint = folder.complaint();
    assert_eq!(
        complaint,
        "data is no data set itself; its folders hold some: data/digits, data/librispeech, data/wake. Name one of them"
    );
}

#[test]
fn parquet_files_of_two_sets_are_two_sets_and_those_of_one_are_one() {
    let folder = Folder::new();
    folder.bytes("fleurs/en_us/train/0000.parquet", &golden("fleurs.parquet"));
    folder.bytes("librispeech/clean/train.100/0000.parquet", &golden("librispeech.parquet"));
    assert_eq!(names(&found(&folder)), ["fleurs", "librispeech"]);
    folder.remove("fleurs");
    folder.bytes("librispeech/other/test/0000.parquet", &golden("librispeech.parquet"));
    folder.text("texts/a.txt", "no set");
    let readings = found(&folder);
    assert_eq!(names(&readings), ["librispeech"]);
    assert_eq!(readings[0].manifest.rows.len(), 3, "the configurations of one set belong together");
    let said = notes(&readings[0]);
    assert_eq!(said[0], "1 parts are not read: librispeech/other/test/0000.parquet");
    assert_eq!(said.last().unwrap(), "1 folders hold no data set that is known and are passed over: texts");
}

#[test]
fn a_damaged_file_does_not_hide_whose_the_others_are() {
    let folder = Folder::new();
    folder.bytes("clean/test/0000.parquet", b"PAR1");
    folder.bytes("clean/train.100/0000.parquet", &golden("librispeech.parquet"));
    assert_eq!(folder.complaint(), "data/clean/test/0000.parquet is no whole parquet file; fetch it again");
}

#[test]
fn sets_in_folders_of_folders_are_found_and_what_holds_none_is_named() {
    let folder = Folder::new();
    folder.text("digits/manifest.jsonl", MANIFEST);
    folder.wav("vctk/VCTK-Corpus/wav48/p225/p225_001.wav");
    folder.text("vctk/VCTK-Corpus.zip", "the archive");
    for name in ["corpora/a", "corpora/b", "texts"] {
        folder.folder(name);
    }
    let readings = found(&folder);
    assert_eq!(names(&readings), ["digits", "vctk"]);
    assert_eq!(readings[1].manifest.path, folder.path().join("vctk/VCTK-Corpus"));
    assert_eq!(
        notes(&readings[0]),
        ["2 folders hold no data set that is known and are passed over: corpora, texts"]
    );
    folder.remove("digits");
    folder.remove("corpora");
    folder.remove("texts");
    assert_eq!(folder.read().manifest.name, "vctk");
}

#[test]
fn sets_beside_the_parts_of_another_are_found() {
    let folder = Folder::new();
    folder.text("digits/manifest.jsonl", MANIFEST);
    folder.wav("wav48/p225/p225_001.wav");
    folder.folder("txt/p225");
    let readings = found(&folder);
    assert_eq!(names(&readings), ["vctk", "digits"]);
    assert_eq!(folder.read().manifest.name, "vctk");
}

#[test]
fn a_folder_of_sets_may_lie_in_a_folder() {
    let folder = Folder::new();
    folder.text("all/digits/manifest.jsonl", MANIFEST);
    folder.text("all/wake/manifest.jsonl", MANIFEST);
    assert_eq!(names(&found(&folder)), ["digits", "wake"]);
}
