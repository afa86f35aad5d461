//! Archives that are made to do harm: each is refused with the reason, and nothing leaves the folder.

use std::fs;

use crate::make::{Desk, Zipped, entry, file, gzip, header, refused, refused_under, seal, tar, zip};
use sure_archive::{ArchiveError, Limit, Limits, NameFault};

/// The same name, as a file of a tar, of a gzipped tar and of a zip.
fn every(name: &str) -> [Vec<u8>; 3] {
    let plain = tar(&[file("before", b"1"), file(name, b"evil")]);
    [gzip(&plain), plain, zip(&[Zipped::stored("before", b"1"), Zipped::deflated(name, b"evil")])]
}

#[test]
fn names_that_lead_out_are_refused() {
    for (name, expected) in [
        ("/tmp/evil", NameFault::Absolute),
        ("C:/evil", NameFault::Absolute),
        ("../evil", NameFault::Parent),
        ("a/b/../../../evil", NameFault::Parent),
        ("a\\..\\..\\evil", NameFault::Character('\\')),
        ("evil\u{1b}[2J", NameFault::Character('\u{1b}')),
    ] {
        for bytes in every(name) {
            let ArchiveError::Name { fault, .. } = refused(&bytes) else {
                panic!("{name} has another error")
            };
            assert_eq!(fault, expected);
        }
    }
}

#[test]
fn a_file_in_the_place_of_the_folder_itself_is_refused() {
    for bytes in every(".") {
        assert!(matches!(refused(&bytes), ArchiveError::Name { fault: NameFault::Empty, .. }));
    }
}

#[test]
fn huge_names_are_refused_by_what_they_claim_and_by_what_they_are() {
    let claimed = tar(&[header("././@LongLink", b'L', 1 << 32, "")]);
    let long = tar(&[entry("././@LongLink", b'L', &[b'a'; 2000], ""), file("a", b"")]);
    let record = format!("2000 path={}\n", "a".repeat(1989));
    let extended = tar(&[entry("pax", b'x', record.as_bytes(), ""), file("a", b"")]);
    let zipped = zip(&[Zipped::stored(&"a/".repeat(20_000), b"")]);
    for bytes in [&gzip(&claimed), &claimed, &long, &extended, &zipped] {
        assert!(matches!(refused(bytes), ArchiveError::Name { fault: NameFault::TooLong(1024), .. }));
    }
    let header = tar(&[header("pax", b'x', 1 << 32, "")]);
    assert!(matches!(refused(&header), ArchiveError::Damaged { .. } | ArchiveError::Limit { .. }));
}

#[test]
fn links_are_refused_and_nothing_goes_through_them() {
    let through = |kind| tar(&[entry("out", kind, b"", "/tmp"), file("out/evil", b"evil")]);
    let mut link = Zipped::stored("out", b"/tmp");
    link.mode = 0o120_777;
    for bytes in [through(b'2'), through(b'1'), zip(&[link, Zipped::stored("out/evil", b"evil")])] {
        let error = refused(&bytes);
        assert!(matches!(&error, ArchiveError::Link { target, .. } if target == "`/tmp`"), "{error}");
    }
}

#[test]
fn devices_and_pipes_are_refused() {
    for kind in [b'3', b'4', b'6'] {
        assert!(matches!(refused(&tar(&[entry("node", kind, b"", "")])), ArchiveError::Special { .. }));
    }
    for mode in [0o020_666, 0o060_666, 0o010_666, 0o140_666] {
        let mut node = Zipped::stored("node", b"");
        node.mode = mode;
        assert!(matches!(refused(&zip(&[node])), ArchiveError::Special { .. }));
    }
}

#[test]
fn nothing_is_written_twice() {
    for (first, second) in [("a", "a"), ("set/A.wav", "set/a.WAV"), ("Ä", "ä"), ("x", "./x"), ("F/a", "f/b")]
    {
        let archives = [
            tar(&[file(first, b"1"), file(second, b"2")]),
            zip(&[Zipped::stored(first, b"1"), Zipped::stored(second, b"2")]),
        ];
        for bytes in archives {
            let desk = Desk::new(&bytes);
            let error = desk.unpack(&Limits::default()).unwrap_err();
            assert!(matches!(error, ArchiveError::Collision { .. }), "{error}");
            assert_eq!(fs::read(desk.target().join(first)).unwrap(), b"1");
        }
    }
    let file_then_folder = tar(&[file("a", b"1"), file("a/b", b"2")]);
    assert!(matches!(refused(&file_then_folder), ArchiveError::Collision { .. }));
    let folder_then_file = tar(&[file("a/b", b"1"), file("a", b"2")]);
    assert!(matches!(refused(&folder_then_file), ArchiveError::Collision { .. }));
}

#[test]
fn a_folder_that_holds_something_is_not_unpacked_into() {
    let desk = Desk::new(&tar(&[file("a", b"1")]));
    fs::write(desk.target().join("mine"), b"mine").unwrap();
    assert!(matches!(desk.unpack(&Limits::default()), Err(ArchiveError::NotEmpty { .. })));
    assert_eq!(desk.paths(), ["into", "into/mine"]);
}

#[test]
fn bombs_end_at_a_limit() {
    let zeros = vec![0; 4 << 20];
    let bombs = [gzip(&tar(&[file("zeros", &zeros)])), zip(&[Zipped::deflated("zeros", &zeros)])];
    for bytes in &bombs {
        assert!(bytes.len() < 40_000);
        let error = refused_under(bytes, &Limits { ratio: 20, ..Limits::default() });
        assert!(matches!(error, ArchiveError::Limit { limit: Limit::Ratio(20), .. }), "{error}");
        let error = refused_under(bytes, &Limits { bytes: 1000, ..Limits::default() });
        assert!(matches!(error, ArchiveError::Limit { limit: Limit::Bytes(1000), .. }), "{error}");
    }
    // Zeros behind the end mark are read for the checksum alone; they count too.
    let mut tail = tar(&[file("a", b"1")]);
    tail.extend_from_slice(&zeros);
    let error = refused_under(&gzip(&tail), &Limits { ratio: 20, ..Limits::default() });
    assert!(matches!(error, ArchiveError::Limit { limit: Limit::Ratio(20), .. }), "{error}");
    // Few entries that need many folders.
    let deep = [file(&"a/".repeat(40), b""), file(&format!("{}f", "b/".repeat(40)), b"")];
    let error = refused_under(&tar(&deep), &Limits { entries: 60, ..Limits::default() });
    assert!(matches!(error, ArchiveError::Limit { limit: Limit::Entries(60), .. }), "{error}");
    let many: Vec<_> = (0..50).map(|number| file(&format!("f{number}"), b"")).collect();
    let error = refused_under(&tar(&many), &Limits { entries: 49, ..Limits::default() });
    assert!(
        matches!(&error, ArchiveError::Limit { entry, limit: Limit::Entries(49), .. } if entry == "`f49`")
    );
}

#[test]
fn zip_entries_that_lie_about_their_size_are_refused() {
    let honest = Zipped::deflated("a", &vec![0; 100_000]);
    let lies = [
        Zipped { size: 10, ..honest.clone() },
        Zipped { size: 100_001, ..honest.clone() },
        Zipped { size: 1 << 20, ..honest.clone() },
        Zipped { packed: honest.packed - 4, ..honest.clone() },
        Zipped { packed: honest.packed + 100_000, ..honest.clone() },
        Zipped { size: 3, ..Zipped::stored("a", b"1234") },
        Zipped { crc: 1, ..Zipped::stored("a", b"1234") },
        Zipped { crc: 1, ..honest.clone() },
        Zipped { offset: Some(7), ..honest.clone() },
        Zipped { offset: Some(u32::MAX - 1), ..honest },
    ];
    for lie in lies {
        let error = refused(&zip(std::slice::from_ref(&lie)));
        assert!(matches!(error, ArchiveError::Damaged { .. }), "{error} for {lie:?}");
    }
}

#[test]
fn zip_entries_that_share_their_bytes_are_refused() {
    let first = Zipped::deflated("a", &[1; 5000]);
    let second = Zipped { name: b"b".to_vec(), offset: Some(0), ..first.clone() };
    assert!(matches!(refused(&zip(&[first, second])), ArchiveError::Damaged { .. }));
}

#[test]
fn what_only_others_can_read_is_named() {
    let encrypted = Zipped { flags: 1, ..Zipped::stored("a", b"1234") };
    let strange = Zipped { method: 12, ..Zipped::stored("a", b"1234") };
    let sparse = tar(&[entry("pax", b'x', b"22 GNU.sparse.major=1\n", ""), file("a", b"1")]);
    let old_sparse = tar(&[entry("a", b'S', b"", "")]);
    let global = tar(&[entry("pax", b'g', b"12 path=abc\n", ""), file("a", b"1")]);
    for bytes in
        [zip(&[encrypted]), zip(&[strange]), sparse, old_sparse, global, tar(&[entry("a", b'V', b"", "")])]
    {
        assert!(matches!(refused(&bytes), ArchiveError::Unsupported { .. }));
    }
}

#[test]
fn archives_cut_off_anywhere_are_refused() {
    let plain = tar(&[file("a", &[5; 700]), file("b", b"2")]);
    let zipped = zip(&[Zipped::deflated("a", &[5; 700]), Zipped::stored("b", b"2")]);
    let packed = gzip(&plain);
    for length in (1..plain.len() - 1024).step_by(37).chain([2560]) {
        refused(&plain[..length]);
    }
    for length in 1..packed.len() {
        refused(&packed[..length]);
    }
    for length in 1..zipped.len() {
        refused(&zipped[..length]);
    }
}

#[test]
fn a_changed_byte_of_a_gzip_is_found() {
    let packed = gzip(&tar(&[file("a", &(0..2000).map(|n| (n * n % 251) as u8).collect::<Vec<_>>())]));
    let mut changed = packed.clone();
    let last = changed.len() - 5;
    changed[last] ^= 1;
    assert!(matches!(refused(&changed), ArchiveError::Damaged { .. }));
}

#[test]
fn tar_sizes_that_wrap_around_are_refused() {
    let mut block = header("a", b'0', 0, "");
    block[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    seal(&mut block);
    let error = refused(&tar(&[block]));
    assert!(matches!(error, ArchiveError::Limit { limit: Limit::Bytes(_), .. }), "{error}");
    let mut block = header("a", b'0', 0, "");
    block[124..136].copy_from_slice(b"99999999999\0");
    seal(&mut block);
    assert!(matches!(refused(&tar(&[block])), ArchiveError::Damaged { .. }));
}

#[test]
fn what_is_no_archive_is_told_apart() {
    for (bytes, word) in [
        (&b""[..], "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\xfd7zXZ\0\0", "xz"),
        (b"RIFF\0\0\0\0WAVE", "something else"),
        (&gzip(b"only text"), "gzip"),
    ] {
        let error = refused(bytes);
        assert!(matches!(error, ArchiveError::Format { .. }) && error.to_string().contains(word), "{error}");
    }
}
