//! Archives as others write them come out whole.

use std::{fs, ops::ControlFlow, path::Path};

use crate::make::{Desk, Zipped, entry, file, gzip, tar, zip};
use sure_archive::{ArchiveError, Format, Limits, Unpacked, member, unpack};

/// What `fixtures/generate.py` put into its archives.
fn expected(long: bool) -> Vec<(String, Vec<u8>)> {
    let nested = vec!["folder-".to_owned() + &"n".repeat(60); 3].join("/");
    let mut files = vec![
        ("set/a.txt".to_owned(), b"a".to_vec()),
        ("set/empty".to_owned(), Vec::new()),
        ("set/ünï/語.bin".to_owned(), (0..=255).collect::<Vec<u8>>().repeat(5)),
        ("set/block".to_owned(), vec![b'b'; 512]),
    ];
    if long {
        files.push((format!("{nested}/{}.txt", "f".repeat(120)), b"long".to_vec()));
    }
    files
}

#[test]
fn archives_of_python_come_out_whole_with_plain_permissions() {
    for (name, format) in [
        ("pax.tar.gz", Format::TarGz),
        ("gnu.tar.gz", Format::TarGz),
        ("ustar.tar", Format::Tar),
        ("deflated.zip", Format::Zip),
        ("stored.zip", Format::Zip),
    ] {
        let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        assert_eq!(Format::of(&archive).unwrap(), format);
        let into = tempfile::tempdir().unwrap();
        let (mut calls, mut last) = (0, None);
        let unpacked = unpack(&archive, into.path(), &Limits::default(), &mut |progress| {
            assert!(progress.read <= progress.size);
            (calls, last) = (calls + 1, Some(progress));
            ControlFlow::Continue(())
        });
        let files = expected(format != Format::Tar);
        let bytes = files.iter().map(|(_, data)| data.len() as u64).sum();
        assert_eq!(unpacked.unwrap(), Unpacked { files: files.len() as u64, bytes });
        assert!(calls > files.len() && last.unwrap().bytes >= bytes);
        for (path, data) in files {
            let target = into.path().join(&path);
            assert_eq!(fs::read(&target).unwrap(), data, "{path} of {name}");
            plain(&target);
            let inside = if path == "set/a.txt" && format != Format::Zip { "./set/a.txt" } else { &path };
            assert_eq!(member(&archive, inside, &Limits::default()).unwrap(), data, "{inside} of {name}");
        }
    }
}

#[cfg(unix)]
fn plain(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7111, 0, "{mode:o}");
}

#[cfg(not(unix))]
fn plain(_: &Path) {}

#[test]
fn an_archive_of_no_files_is_one() {
    assert_eq!(Desk::new(&zip(&[])).unpack(&Limits::default()).unwrap(), Unpacked::default());
    let desk = Desk::new(&tar(&[entry("./", b'5', b"", "")]));
    assert_eq!(desk.unpack(&Limits::default()).unwrap(), Unpacked::default());
}

#[test]
fn a_folder_may_be_named_twice_and_after_its_files() {
    let desk =
        Desk::new(&tar(&[file("a/b/c", b"1"), entry("a", b'5', b"", ""), entry("a/b/", b'5', b"", "")]));
    assert_eq!(desk.unpack(&Limits::default()).unwrap().files, 1);
    assert_eq!(desk.paths(), ["into", "into/a", "into/a/b", "into/a/b/c"]);
}

#[test]
fn two_gzip_streams_behind_each_other_are_one_archive() {
    let bytes = tar(&[file("a", b"first"), file("b", b"second")]);
    let (front, back) = bytes.split_at(700);
    let desk = Desk::new(&[gzip(front), gzip(back)].concat());
    assert_eq!(desk.unpack(&Limits::default()).unwrap().files, 2);
}

#[test]
fn the_caller_can_stop_it_at_any_byte() {
    let big = vec![7; 300_000];
    for bytes in [tar(&[file("a", &big)]), gzip(&tar(&[file("a", &big)])), zip(&[Zipped::stored("a", &big)])]
    {
        let desk = Desk::new(&bytes);
        let stopped = unpack(&desk.archive(), &desk.target(), &Limits::default(), &mut |progress| {
            if progress.bytes > 100_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(stopped, Err(ArchiveError::Stopped { .. })));
        assert!(fs::metadata(desk.target().join("a")).unwrap().len() < 200_000);
    }
}

#[test]
fn a_member_is_read_beside_entries_that_could_not_be_unpacked() {
    let entries =
        [entry("link", b'2', b"", "/etc/passwd"), file("../x", b"no"), file("w/model.bin", b"weights")];
    let desk = Desk::new(&gzip(&tar(&entries)));
    assert_eq!(member(&desk.archive(), "w/model.bin", &Limits::default()).unwrap(), b"weights");
    let missing = member(&desk.archive(), "model.bin", &Limits::default());
    assert!(matches!(missing, Err(ArchiveError::NoMember { .. })));
    let link = member(&desk.archive(), "link", &Limits::default());
    assert!(matches!(link, Err(ArchiveError::Link { .. })));
    let twice = Desk::new(&zip(&[Zipped::stored("a", b"1"), Zipped::stored("a", b"2")]));
    let twice = member(&twice.archive(), "a", &Limits::default());
    assert!(matches!(twice, Err(ArchiveError::Collision { .. })));
}
