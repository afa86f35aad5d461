//! Parquet files of the hub: by pyarrow, by the crate `parquet`, and damaged.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use sure_data::{DataError, Protocol, ReadOptions, Reading, read_dataset};

use crate::folder::{Folder, notes, rows, sizes, wav};

/// What pyarrow wrote.
fn golden(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parquet").join(name)).unwrap()
}

/// A row of LibriSpeech; `audio` and `path` may be missing.
struct Line<'a> {
    id: &'a str,
    audio: Option<Vec<u8>>,
    path: Option<&'a str>,
}

fn line(id: &str, pitch: u32) -> Line<'_> {
    Line { id, audio: Some(wav(16_000, pitch)), path: None }
}

const SCHEMA: &str = "message schema {
    optional group audio { optional binary bytes; optional binary path (UTF8); }
    optional binary text (UTF8);
    optional int64 speaker_id;
    optional int64 chapter_id;
    required binary id (UTF8);
}";

/// A file in the layout of LibriSpeech, by the crate `parquet`.
fn librispeech(lines: &[Line<'_>], schema: &str) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema.clone(), Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let audio: Vec<Option<&[u8]>> = lines.iter().map(|line| line.audio.as_deref()).collect();
    text_column(&mut group, &audio, 2);
    let paths: Vec<Option<&[u8]>> = lines.iter().map(|line| line.path.map(str::as_bytes)).collect();
    text_column(&mut group, &paths, 2);
    let texts: Vec<String> = lines.iter().map(|line| format!("TEXT OF {}", line.id)).collect();
    text_column(&mut group, &texts.iter().map(|text| Some(text.as_bytes())).collect::<Vec<_>>(), 1);
    for field in &schema.get_fields()[2..schema.get_fields().len() - 1] {
        assert!(["speaker_id", "chapter_id"].contains(&field.name()));
        let mut column = group.next_column().unwrap().unwrap();
        let values: Vec<i64> = vec![84; lines.len()];
        column.typed::<Int64Type>().write_batch(&values, Some(&vec![1; lines.len()]), None).unwrap();
        column.close().unwrap();
    }
    text_column(&mut group, &lines.iter().map(|line| Some(line.id.as_bytes())).collect::<Vec<_>>(), 0);
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

/// A column of bytes; `depth` is the level at which a value is there.
fn text_column<W: std::io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[Option<&[u8]>],
    depth: i16,
) {
    let mut column = group.next_column().unwrap().unwrap();
    let levels: Vec<i16> =
        values.iter().map(|value| if value.is_some() { depth } else { depth - 1 }).collect();
    let values: Vec<ByteArray> =
        values.iter().flatten().map(|value| ByteArray::from(value.to_vec())).collect();
    let levels = (depth > 0).then_some(&levels[..]);
    column.typed::<ByteArrayType>().write_batch(&values, levels, None).unwrap();
    column.close().unwrap();
}

/// Everything below a folder, by its path from there.
fn tree(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

/// How many files have an ending.
fn count(folder: &Path, ending: &str) -> usize {
    tree(folder)
        .iter()
        .filter(|name| Path::new(name).extension().is_some_and(|found| found == ending))
        .count()
}

/// The folder into which a set was unpacked beside its own.
fn unpacked(folder: &Folder) -> PathBuf {
    let base = folder.path().with_file_name("data.unpacked");
    let entries = fs::read_dir(base).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).min().unwrap()
}

fn assert_decodable(reading: &Reading) {
    for row in &reading.manifest.rows {
        assert_eq!(sure_audio::load(&row.audio, 16_000).unwrap().samples.len(), 1600, "{}", row.id);
    }
}

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
            "1 of 30 rows of the parquet files have no recording and are skipped: row 4 (train.100)",
        ]
    );
    folder.bytes("clean/test/0000.parquet", &shard(20));
    assert!(
        folder.complaint().starts_with("two recordings are called `84-1-0020`: "),
        "{}",
        folder.complaint()
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

#[test]
fn a_missing_column_is_named() {
    let folder = Folder::new();
    let schema = SCHEMA.replace("optional int64 speaker_id;", "");
    let whole = librispeech(&[line("84-1-0000", 1)], SCHEMA);
    folder.bytes("clean/train.100/0000.parquet", &whole);
    folder.bytes("clean/train.100/0001.parquet", &librispeech(&[line("84-1-0001", 1)], &schema));
    assert_eq!(
        folder.complaint(),
        "data/clean/train.100/0001.parquet has no column `speaker_id`; it has audio, text, chapter_id, id"
    );
    assert!(!folder.path().with_file_name("data.unpacked").join("librispeech").exists());
}

#[test]
fn a_truncated_file_is_named_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let whole = golden("librispeech.parquet");
    folder.bytes("clean/train.100/0000.parquet", &whole);
    for length in [0, 3, 11, whole.len() / 2, whole.len() - 1] {
        folder.bytes("clean/train.100/0001.parquet", &whole[..length]);
        assert_eq!(
            folder.complaint(),
            "data/clean/train.100/0001.parquet is no whole parquet file; fetch it again",
            "{length} bytes"
        );
        let base = folder.path().with_file_name("data.unpacked");
        assert_eq!(tree(&base).len(), count(&base, "lock"), "{:?}", tree(&base));
    }
}

#[test]
fn no_damage_to_a_file_ends_the_program() {
    let (mut state, mut errors) = (0x2545_f491_4f6c_dd1d_u64, 0);
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize % below
    };
    let whole = golden("speech-commands.parquet");
    let footer =
        whole.len() - 8 - u32::from_le_bytes(whole[whole.len() - 8..][..4].try_into().unwrap()) as usize;
    for round in 0..150 {
        let folder = Folder::new();
        let mut bytes = whole.clone();
        for _ in 0..=random(3) {
            let from = if round % 2 == 0 { footer } else { 0 };
            let place = from + random(bytes.len() - from);
            bytes[place] = random(256) as u8;
        }
        folder.bytes("v0.02/train/0000.parquet", &bytes);
        // A second, whole file makes sure that the reader is chosen.
        folder.bytes("v0.02/test/0000.parquet", &whole);
        match read_dataset(&folder.path(), &ReadOptions::new(Protocol::Sure)) {
            Ok(_) => {}
            Err(DataError::Parquet { .. }) => errors += 1,
            Err(error) => {
                let text = error.to_string();
                assert!(error.source().is_none() && !text.is_empty(), "{text}");
            }
        }
    }
    assert!(errors > 10, "{errors} of 150 files were refused");
}

#[test]
fn a_file_on_which_the_parquet_crate_panics_is_refused_like_another() {
    let whole = golden("speech-commands.parquet");
    // Counted from the end: the length of a page, and the sign of a column's offset.
    for (place, value) in [(1200, 69), (8149, 129)] {
        let folder = Folder::new();
        let mut bytes = whole.clone();
        bytes[whole.len() - place] = value;
        folder.bytes("v0.02/train/0000.parquet", &bytes);
        folder.bytes("v0.02/test/0000.parquet", &whole);
        let error = read_dataset(&folder.path(), &ReadOptions::new(Protocol::Sure)).unwrap_err();
        assert!(
            error.to_string().ends_with("0000.parquet is no whole parquet file; fetch it again"),
            "{error}"
        );
        assert!(!error.source().unwrap().to_string().is_empty());
    }
}
