//! Manifests, whole and damaged, and folders of them.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as it does")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::json;
use sure_data::{DataError, Manifest, Protocol, ReadOptions, Reading, discover};

/// A data set called `set` with one file in it.
fn set(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("set");
    fs::create_dir(&set).unwrap();
    fs::write(set.join(name), content).unwrap();
    (folder, set)
}

fn read(name: &str, content: &[u8]) -> Result<Manifest, DataError> {
    let (_folder, set) = set(name, content);
    Manifest::read(&set)
}

/// The message with the temporary folder taken out.
fn complaint(name: &str, content: &[u8]) -> String {
    let (folder, set) = set(name, content);
    let message = Manifest::read(&set).unwrap_err().to_string();
    message.replace(&format!("{}/", folder.path().display()), "")
}

fn found(dir: &Path) -> Result<Vec<Reading>, DataError> {
    discover(dir, &ReadOptions::new(Protocol::Sure))
}

#[test]
fn json_lines_are_read_with_all_their_keys() {
    let content = b"{\"audio\": \"clips/a.flac\", \"keyword\": \"yes\", \"own\": [1]}\n\n{\"id\": 7, \"audio\": \"/b.wav\"}\r\n";
    let (_folder, set) = set("manifest.jsonl", content);
    let manifest = Manifest::read(&set).unwrap();
    assert_eq!(manifest.name, "set");
    assert_eq!(manifest.path, set.join("manifest.jsonl"));
    let [first, second] = &manifest.rows[..] else { panic!("{manifest:?}") };
    assert_eq!((first.id.as_str(), first.audio.clone(), first.line), ("a", set.join("clips/a.flac"), 1));
    assert_eq!(first.fields["own"], json!([1]));
    assert_eq!((second.id.as_str(), second.audio.as_path(), second.line), ("7", Path::new("/b.wav"), 3));
    assert_eq!(Manifest::read(&set.join("manifest.jsonl")).unwrap(), manifest);
}

#[test]
fn csv_has_the_same_columns_and_leaves_empty_ones_out() {
    let content = b"audio, keyword,note\na.wav,yes,\n\"b,1.wav\",no,\"two\nlines\"\nc.wav,yes,\n";
    let manifest = read("manifest.csv", content).unwrap();
    let ids: Vec<(&str, usize)> = manifest.rows.iter().map(|row| (row.id.as_str(), row.line)).collect();
    assert_eq!(ids, [("a", 2), ("b,1", 3), ("c", 5)]);
    assert_eq!(manifest.rows[0].fields["keyword"], "yes");
    assert!(!manifest.rows[0].fields.contains_key("note"));
    assert_eq!(manifest.rows[1].fields["note"], "two\nlines");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_key() {
    for (name, content) in
        [("manifest.csv", "\u{feff}audio\na.wav\n"), ("manifest.jsonl", "\u{feff}{\"audio\": \"a.wav\"}")]
    {
        assert_eq!(read(name, content.as_bytes()).unwrap().rows[0].id, "a");
    }
}

#[test]
fn jsonl_goes_before_csv() {
    let (_folder, set) = set("manifest.csv", b"audio\ncsv.wav\n");
    assert_eq!(Manifest::read(&set).unwrap().rows[0].id, "csv");
    fs::write(set.join("manifest.jsonl"), "{\"audio\": \"jsonl.wav\"}\n").unwrap();
    assert_eq!(Manifest::read(&set).unwrap().rows[0].id, "jsonl");
}

#[test]
fn damaged_json_lines_name_file_line_and_key() {
    let cases: [(&[u8], &str); 9] = [
        (b"", "set/manifest.jsonl has no rows"),
        (b"\n  \n", "set/manifest.jsonl has no rows"),
        (b"{\"audio\": \"a\"}\n{\"id\": \"b\"}", "set/manifest.jsonl, line 2: the key `audio` is missing"),
        (b"{\"audio\": null}", "set/manifest.jsonl, line 1: the key `audio` is missing"),
        (
            b"{\"audio\": [\"a\"]}",
            "set/manifest.jsonl, line 1: `audio` must be text or a number, not [\"a\"]",
        ),
        (
            b"{\"audio\": \"a\", \"id\": true}",
            "set/manifest.jsonl, line 1: `id` must be text or a number, not true",
        ),
        (
            b"{\"audio\": \"x/a.wav\"}\n{\"audio\": \"y/a.wav\"}",
            "set/manifest.jsonl, line 2: the id `a` is taken by line 1 already; give one of them an `id` of its own",
        ),
        (b"{\"audio\": \"a\"}\n\xff\xfe", "set/manifest.jsonl, line 2: it is not UTF-8 text"),
        (
            b"{\"audio\": \"a\"}\n{\"audio\": \"b\"",
            "set/manifest.jsonl, line 2: it is not one JSON object (EOF while parsing an object at column 13)",
        ),
    ];
    for (content, message) in cases {
        assert_eq!(complaint("manifest.jsonl", content), message);
    }
    for content in ["[1]", "7", "\"text\"", "{\"audio\": \"a\"} {\"audio\": \"b\"}", "nonsense"] {
        let message = complaint("manifest.jsonl", content.as_bytes());
        assert!(message.starts_with("set/manifest.jsonl, line 1: it is not one JSON object ("), "{message}");
    }
}

#[test]
fn damaged_csv_names_file_line_and_key() {
    let cases: [(&[u8], &str); 5] = [
        (b"", "set/manifest.csv has no rows"),
        (b"audio,id\n", "set/manifest.csv has no rows"),
        (b"id,keyword\na,yes\n", "set/manifest.csv, line 2: the key `audio` is missing"),
        (b"audio,id\na.wav,1\n,2\n", "set/manifest.csv, line 3: the key `audio` is missing"),
        (
            b"audio\na.wav\nx/a.wav\n",
            "set/manifest.csv, line 3: the id `a` is taken by line 2 already; give one of them an `id` of its own",
        ),
    ];
    for (content, message) in cases {
        assert_eq!(complaint("manifest.csv", content), message);
    }
    let message = complaint("manifest.csv", b"audio,id\na.wav,1\nb.wav\n");
    assert!(message.starts_with("set/manifest.csv, line 3: "), "{message}");
}

#[test]
fn a_file_of_another_kind_or_none_is_refused() {
    assert!(matches!(read("manifest.json", b"{}"), Err(DataError::NoManifest { .. })));
    let (_folder, set) = set("list.txt", b"a.wav");
    assert!(matches!(Manifest::read(&set.join("list.txt")), Err(DataError::NotAManifest { .. })));
    assert!(matches!(Manifest::read(&set.join("none")), Err(DataError::Io { action: "read", .. })));
}

#[test]
fn discovery_takes_a_set_or_a_folder_of_sets_sorted_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let line = "{\"audio\": \"a.wav\"}\n";
    for name in ["wake", "digits"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("manifest.jsonl"), line).unwrap();
    }
    fs::create_dir(folder.path().join("texts")).unwrap();
    fs::write(folder.path().join("README.md"), "no set").unwrap();
    let names = |dir: &Path| -> Vec<String> {
        found(dir).unwrap().into_iter().map(|reading| reading.manifest.name).collect()
    };
    assert_eq!(names(folder.path()), ["digits", "wake"]);
    assert_eq!(names(&folder.path().join("wake")), ["wake"]);
    assert_eq!(names(&folder.path().join("wake/manifest.jsonl")), ["wake"]);
}

#[test]
fn discovery_of_nothing_says_what_was_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let message = found(folder.path()).unwrap_err().to_string();
    for part in ["holds no data set that is known", "manifest.jsonl and manifest.csv", "\n  librispeech: "] {
        assert!(message.contains(part), "{message}");
    }
    assert!(matches!(found(&folder.path().join("none")), Err(DataError::Io { action: "list", .. })));
}

proptest! {
    #[test]
    fn no_bytes_make_a_manifest_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), is_csv in any::<bool>()) {
        let _ = read(if is_csv { "manifest.csv" } else { "manifest.jsonl" }, &bytes);
    }

    #[test]
    fn jsonl_and_csv_of_the_same_texts_are_the_same_rows(
        texts in prop::collection::vec("[a-zäß ,\"'\n]{1,8}", 1..10)
    ) {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(["audio", "id", "text"]).unwrap();
        let mut jsonl = String::new();
        for (index, text) in texts.iter().enumerate() {
            let (audio, id) = (format!("{index}.wav"), index.to_string());
            csv.write_record([&audio, &id, text]).unwrap();
            jsonl += &json!({"audio": audio, "id": id, "text": text}).to_string();
            jsonl.push('\n');
        }
        let csv = read("manifest.csv", &csv.into_inner().unwrap()).unwrap();
        let jsonl = read("manifest.jsonl", jsonl.as_bytes()).unwrap();
        for (left, right) in csv.rows.iter().zip(&jsonl.rows) {
            prop_assert_eq!((&left.id, &left.fields), (&right.id, &right.fields));
        }
        prop_assert_eq!(csv.rows.len(), jsonl.rows.len());
    }
}
