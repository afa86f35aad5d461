//! Parquet files that are damaged or lack something.

use std::error::Error;

use sure_data::{DataError, Protocol, ReadOptions, read_dataset};

use crate::folder::Folder;
use crate::shards::{SCHEMA, count, golden, librispeech, line, tree};

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
