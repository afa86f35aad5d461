//! Parquet files of the hub, by pyarrow and by the crate `parquet`.

use std::fs;
use std::time::{Duration, SystemTime};

use sure_data::{Protocol, ReadOptions, read_dataset};

use crate::folder::{Folder, notes, rows, sizes, wav};
use crate::shards::{
    Line, SCHEMA, assert_decodable, count, fleurs, golden, librispeech, line, speech_commands, tree, unpacked,
};

#[test]
fn librispeech_by_pyarrow_is_read_and_unpacked() {
    let folder = Folder::new();
    folder.bytes("all/train.clean.100/0000.parquet", &golden("librispeech.parquet"));
    folder.bytes("all/train.clean.360/0000.parquet", &golden("librispeech.parquet"));
    let reading = folder.read();
    assert_eq!(reading.manifest.name, "librispeech");
    assert_decodable(&reading);
    assert_eq!(
        rows(&reading, "split", "text"),
        [
            "374-180298-0000 train CHAPTER SIXTEEN",
            "374-180298-0001 train MARGUERITE TO BE UNABLE",
            "1034-121119-0005 train ÉLAN'S VITAL",
        ]
    );
    assert_eq!(rows(&reading, "split", "speaker")[2], "1034-121119-0005 train 1034");
    assert_eq!(
        notes(&reading),
        [
            "1 parts are not read: all/train.clean.360/0000.parquet",
            "valid has no recordings: looked for parquet files of validation or validation.clean",
            "test has no recordings: looked for parquet files of test or test.clean",
        ]
    );
    assert_eq!(
        tree(&unpacked(&folder)),
        [
            "rows.jsonl",
            "stamp.json",
            "train.clean.100/000000-374-180298-0000.wav",
            "train.clean.100/000001-374-180298-0001.wav",
            "train.clean.100/000002-1034-121119-0005.wav",
        ]
    );
    assert_eq!(tree(&folder.path()).len(), 2, "nothing is written into the set's own folder");
}

#[test]
fn fleurs_by_pyarrow_is_read_with_pages_of_version_2() {
    let folder = Folder::new();
    folder.bytes("en_us/fleurs-train-00000-of-00004.parquet", &golden("fleurs.parquet"));
    folder.bytes("fr_fr/fleurs-train.parquet", &golden("fleurs.parquet"));
    folder.bytes("all/train/0000.parquet", &golden("fleurs.parquet"));
    let reading = folder.read();
    assert_decodable(&reading);
    assert_eq!(
        rows(&reading, "text", "raw_text"),
        [
            "train/10004088536354799741 a tornado is a spinning column A tornado is a spinning column.",
            "train/10007850454120026416 - Déjà “vu”.",
        ]
    );
    assert_eq!(
        notes(&reading)[0],
        "2 parts are not read: all/train/0000.parquet, fr_fr/fleurs-train.parquet"
    );
    assert_eq!(
        notes(&reading)[1],
        "1 of 2 recordings have no transcript; tasks with text leave them out: train/10007850454120026416"
    );
}

#[test]
fn speech_commands_by_pyarrow_has_classes_by_name_under_each_protocol() {
    let folder = Folder::new();
    folder.bytes("v0.01/train/0000.parquet", &golden("speech-commands.parquet"));
    folder.bytes("v0.01/test/0000.parquet", &golden("speech-commands.parquet"));
    let reading = folder.read();
    assert_decodable(&reading);
    assert_eq!(
        rows(&reading, "split", "keyword"),
        [
            "test/yes/0a7c2a8d_nohash_0 test yes",
            "test/no/0b09edd3_nohash_1 test no",
            "yes/0a7c2a8d_nohash_0 train yes",
            "no/0b09edd3_nohash_1 train no",
        ]
    );
    assert_eq!(rows(&reading, "split", "speaker")[2], "yes/0a7c2a8d_nohash_0 train 0a7c2a8d");
    assert_eq!(
        notes(&reading),
        [
            "this is version 0.01",
            "test is the hub's: the owner's archive of 12 classes, which is smaller than testing_list.txt",
            "4 left out: recordings of 2 words that are no classes of `sure`: _silence_, cat, ...",
            "valid has no recordings: looked for parquet files of validation",
        ]
    );
    let superb = folder.read_as(Protocol::Superb);
    assert_eq!(
        rows(&superb, "split", "keyword")[4..],
        [
            "yes/0a7c2a8d_nohash_0 train yes",
            "no/0b09edd3_nohash_1 train no",
            "cat/0a7c2a8d_nohash_0 train _unknown_",
            "train/_silence_/pink_noise train _silence_",
        ]
    );
    assert_eq!(rows(&superb, "split", "speaker")[7], "train/_silence_/pink_noise train -");
    // With both versions, each protocol has its own.
    folder.bytes("v0.02/train/0000.parquet", &golden("speech-commands.parquet"));
    assert_eq!(sizes(&folder.read(), "split"), [2, 0, 0]);
    assert_eq!(sizes(&folder.read_as(Protocol::Superb), "split"), [4, 0, 4]);
}

#[test]
fn of_a_whole_download_of_librispeech_each_recording_is_read_once() {
    let folder = Folder::new();
    for name in ["clean/train.100", "all/train.clean.100", "all/train.clean.360", "all/test.clean"] {
        let ids =
            if name.contains("train") { ["84-1-0000", "84-1-0001"] } else { ["61-1-0000", "61-1-0001"] };
        let bytes = librispeech(&ids.map(|id| line(id, 1)), SCHEMA);
        folder.bytes(&format!("{name}/0000.parquet"), &bytes);
    }
    let reading = folder.read();
    assert_eq!(sizes(&reading, "split"), [2, 0, 2], "training as `clean`, test as `all`");
    assert_eq!(
        notes(&reading)[0],
        "2 parts are not read: all/train.clean.100/0000.parquet, all/train.clean.360/0000.parquet"
    );
}

#[test]
fn rows_without_a_name_are_counted() {
    let folder = Folder::new();
    folder.bytes("clean/train.100/0000.parquet", &librispeech(&[line("84-1-0000", 1), line("", 2)], SCHEMA));
    assert_eq!(
        notes(&folder.read_anyway())[0],
        "1 of 2 in the parquet files are skipped: `id` is empty, which names the recording: row 2 of \
         clean/train.100/0000.parquet"
    );
    let folder = Folder::new();
    folder.bytes("en_us/train/0000.parquet", &fleurs(&[Some("a/1.wav"), None, None]));
    let reading = folder.read_anyway();
    assert_eq!(rows(&reading, "split", "text"), ["train/1 train text 0"]);
    assert_eq!(
        notes(&reading)[0],
        "2 of 3 in the parquet files are skipped: `path` is empty, which names the recording: row 2 of \
         en_us/train/0000.parquet, row 3 of en_us/train/0000.parquet"
    );
}

#[test]
fn a_class_that_is_trained_and_not_tested_is_named() {
    let folder = Folder::new();
    folder.bytes("v0.02/train/0000.parquet", &speech_commands(&["four/a_nohash_0.wav", "no/a_nohash_0.wav"]));
    folder.bytes(
        "v0.02/test/0000.parquet",
        &speech_commands(&["_unknown_/b_nohash_0.wav", "no/b_nohash_0.wav"]),
    );
    let said = notes(&folder.read());
    assert!(
        said.contains(&"1 classes of `keyword` are trained and occur in no test row: four".to_owned()),
        "{said:?}"
    );
}

#[test]
fn several_files_of_a_split_are_one_and_rows_without_a_recording_are_counted() {
    let folder = Folder::new();
    let shard = |from: u32| {
        let ids: Vec<String> = (from..from + 10).map(|number| format!("84-1-{number:04}")).collect();
        let mut lines: Vec<Line<'_>> = ids.iter().map(|id| line(id, from)).collect();
        if from == 0 {
            lines[3].audio = None;
            lines[3].path = Some("84-1-0003.flac");
        }
        librispeech(&lines, SCHEMA)
    };
    folder.bytes("clean/partial-train.100/0000.parquet", &shard(0));
    folder.bytes("clean/partial-train.100/0001.parquet", &shard(10));
    folder.bytes("clean/validation-00000-of-00001.parquet", &shard(20));
    folder.bytes("other/validation/0000.parquet", &shard(30));
    let reading = folder.read();
    assert_eq!(sizes(&reading, "split"), [19, 10, 0]);
    assert_eq!(
        notes(&reading)[..2],
        [
            "1 parts are not read: other/validation/0000.parquet",
            "1 of 30 rows of the parquet files have no recording and are skipped: row 4 of \
             clean/partial-train.100/0000.parquet",
        ]
    );
    folder.bytes("clean/test/0000.parquet", &shard(20));
    assert_eq!(
        folder.complaint(),
        "two recordings are called `84-1-0020`: row 1 of data/clean/test/0000.parquet and row 1 of \
         data/clean/validation-00000-of-00001.parquet; fetch only one of these files, or fetch them again"
    );
}

#[test]
fn a_path_in_a_file_is_never_followed() {
    let folder = Folder::new();
    let evil = [
        Line { id: "../../../evil", audio: Some(wav(16_000, 1)), path: Some("../../../../evil.wav") },
        Line { id: "/etc/evil", audio: Some(wav(16_000, 2)), path: Some("/etc/evil.wav") },
        Line { id: "..", audio: Some(b"no audio".to_vec()), path: Some("..") },
    ];
    folder.bytes("clean/train.100/0000.parquet", &librispeech(&evil, SCHEMA));
    let before = tree(folder.path().parent().unwrap()).len();
    let reading = folder.read();
    assert_eq!(reading.manifest.rows.len(), 3);
    let inside = unpacked(&folder);
    for row in &reading.manifest.rows {
        let path = fs::canonicalize(&row.audio).unwrap();
        assert!(path.starts_with(fs::canonicalize(&inside).unwrap()), "{}", path.display());
    }
    assert_eq!(
        tree(&inside)[2..],
        ["train.100/000000-evil.wav", "train.100/000001-evil.wav", "train.100/000002-_.bin"]
    );
    // The three recordings, the two files about them, and the lock.
    assert_eq!(tree(folder.path().parent().unwrap()).len(), before + 6);
}

#[test]
fn a_second_read_takes_what_is_there_until_the_files_change() {
    let folder = Folder::new();
    let name = "clean/train.100/0000.parquet";
    folder.bytes(name, &librispeech(&[line("84-1-0000", 1), line("84-1-0001", 2)], SCHEMA));
    let first = folder.read();
    let inside = unpacked(&folder);
    let mark = inside.join("mark");
    fs::write(&mark, "").unwrap();
    assert_eq!(folder.read(), first);
    assert!(mark.is_file(), "nothing was unpacked again");
    // Another time of change.
    let later = SystemTime::now() + Duration::from_secs(100);
    fs::File::options().write(true).open(folder.path().join(name)).unwrap().set_modified(later).unwrap();
    assert_eq!(folder.read(), first);
    assert!(!mark.is_file(), "it was unpacked again");
    // A list that leads out of the folder is not followed.
    let list = inside.join("rows.jsonl");
    let text = fs::read_to_string(&list).unwrap();
    assert!(text.contains("\"train.100/0000"), "{text}");
    fs::write(&list, text.replace("\"train.100/0000", "\"../../other/0000")).unwrap();
    assert_eq!(folder.read(), first);
    // A damaged list, and the rest of a process that was stopped.
    for damage in [inside.join("rows.jsonl"), inside.join("stamp.json")] {
        fs::write(damage, "{").unwrap();
        fs::create_dir_all(inside.with_extension("partial")).unwrap();
        fs::write(inside.with_extension("partial").join("half.wav"), "RIFF").unwrap();
        assert_eq!(folder.read(), first);
        assert!(!inside.with_extension("partial").exists());
        assert_eq!(tree(&inside).len(), 4);
    }
    // Another file.
    folder.bytes("clean/test/0000.parquet", &librispeech(&[line("84-1-0009", 3)], SCHEMA));
    assert_eq!(sizes(&folder.read(), "split"), [2, 0, 1]);
    assert_decodable(&folder.read());
}

#[test]
fn sets_are_unpacked_where_the_options_say() {
    let (one, two, cache) = (Folder::new(), Folder::new(), Folder::new());
    for (folder, id) in [(&one, "84-1-0000"), (&two, "84-1-0001")] {
        folder.bytes("clean/train.100/0000.parquet", &librispeech(&[line(id, 1)], SCHEMA));
    }
    let into = cache.path().join("deep/cache");
    let options = ReadOptions { unpack_into: Some(into.clone()), ..ReadOptions::new(Protocol::Sure) };
    for folder in [&one, &two, &one] {
        let reading = read_dataset(&folder.path(), &options).unwrap();
        assert!(reading.manifest.rows[0].audio.starts_with(&into));
        assert!(!folder.path().with_file_name("data.unpacked").exists());
    }
    assert_eq!(count(&into, "wav"), 2, "two sets of one name");
}
