//! Archives around a good pickle that lie: each is refused with the reason.

use std::path::Path;

use sure_weights::{TensorFile, WeightsError};

use crate::make::{Zipped, dict, files, open, pickle, refused, tensor, zip};

fn good() -> Vec<Zipped> {
    files(&pickle(&[dict(&[("a", tensor(6, 0, &[6], &[1]))])]), 24)
}

/// The archive with one of its files changed.
fn changed(index: usize, change: impl Fn(&mut Zipped)) -> Vec<u8> {
    let mut files = good();
    change(&mut files[index]);
    zip(&files)
}

#[test]
fn files_that_lie_are_refused() {
    assert!(open(&zip(&good())).unwrap().get("a").unwrap().is_some());
    for index in [0, 2] {
        let archives = [
            changed(index, |file| file.method = 8),
            changed(index, |file| file.flags = 1),
            changed(index, |file| file.size += 1),
            changed(index, |file| file.packed += 1),
            changed(index, |file| file.packed = u32::MAX - 1),
            changed(index, |file| (file.size, file.packed) = (file.size + 4000, file.packed + 4000)),
            changed(index, |file| file.offset = Some(3)),
            changed(index, |file| file.offset = Some(u32::MAX - 1)),
            changed(index, |file| file.name = "archive/else".to_owned()),
            changed(index, |file| file.name = "archive/version".to_owned()),
        ];
        for bytes in archives {
            let error = refused(&bytes);
            assert!(matches!(error, WeightsError::Container { .. }), "{error}");
        }
    }
}

#[test]
fn wrong_checksums_are_found() {
    let error = refused(&changed(0, |file| file.crc ^= 1));
    assert!(matches!(error, WeightsError::Container { .. }), "{error}");
    let file = open(&changed(2, |file| file.crc ^= 1)).unwrap();
    for _ in 0..2 {
        let error = file.get("a").unwrap_err();
        assert!(error.to_string().contains("checksum"), "{error}");
    }
}

#[test]
fn files_that_share_bytes_are_refused() {
    let mut files = good();
    let second = Zipped { name: "archive/data/1".to_owned(), ..files[2].clone() };
    let start = 30 * 2 + ["archive/data.pkl", "archive/byteorder"].concat().len() + files[0].data.len() + 6;
    files.insert(3, Zipped { offset: Some(start as u32), ..second });
    let error = refused(&zip(&files));
    assert!(error.to_string().contains("share"), "{error}");
}

#[test]
fn an_archive_without_the_pickle_or_with_two_is_refused() {
    for files in [
        good()[1..].to_vec(),
        [good(), vec![Zipped::new("other/data.pkl", b"\x80\x02}.")]].concat(),
        vec![Zipped::new("data.pkl", b"\x80\x02}.")],
        Vec::new(),
    ] {
        let mut bytes = zip(&files);
        // An archive without files has no file's mark at its start.
        if files.is_empty() {
            bytes.splice(0..0, *b"PK\x03\x04");
        }
        let error = refused(&bytes);
        assert!(matches!(error, WeightsError::Container { .. }), "{error}");
    }
}

#[test]
fn what_is_no_file_of_weights_is_told_apart() {
    for (bytes, word) in [
        (&b""[..], "empty"),
        (b"<!DOCTYPE html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs"),
        (b"\x80\x04\x95", "pickle"),
        (b"\x89HDF\r\n", "HDF5"),
        (b"RIFF\0\0\0\0WAVE", "something else"),
    ] {
        let error = refused(bytes);
        assert!(matches!(error, WeightsError::Form { .. }) && error.to_string().contains(word), "{error}");
    }
}

#[test]
fn a_file_on_disk_is_read_like_bytes_and_an_empty_or_missing_one_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.bin");
    assert!(matches!(TensorFile::open(&path), Err(WeightsError::Read { .. })));
    assert!(matches!(TensorFile::open(Path::new("/")), Err(WeightsError::Read { .. })));
    std::fs::write(&path, b"").unwrap();
    assert!(matches!(TensorFile::open(&path), Err(WeightsError::Form { .. })));
    std::fs::write(&path, zip(&good())).unwrap();
    let file = TensorFile::open(&path).unwrap();
    assert_eq!((file.path(), file.names().collect::<Vec<_>>()), (path.as_path(), vec!["a"]));
}
