//! Archives written byte by byte, so that they can lie.

use std::{
    fs,
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use sure_archive::{ArchiveError, Limits, Unpacked, unpack};
use tempfile::TempDir;

/// A header of the form of POSIX, with its checksum.
pub(crate) fn header(name: &str, kind: u8, size: u64, link: &str) -> Vec<u8> {
    let mut block = vec![0; 512];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0004777\0");
    put(124, &format!("{size:011o}\0"));
    put(157, link);
    put(257, "ustar\x0000");
    block[156] = kind;
    seal(&mut block);
    block
}

/// Writes the checksum of a header.
pub(crate) fn seal(block: &mut [u8]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// An entry of a tar archive.
pub(crate) fn entry(name: &str, kind: u8, data: &[u8], link: &str) -> Vec<u8> {
    let mut bytes = header(name, kind, data.len() as u64, link);
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// A regular file.
pub(crate) fn file(name: &str, data: &[u8]) -> Vec<u8> {
    entry(name, b'0', data, "")
}

/// The entries with their end mark.
pub(crate) fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory")
}

/// An entry of a zip archive; what the directory says of it is the caller's.
#[derive(Clone, Debug)]
pub(crate) struct Zipped {
    pub(crate) name: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) crc: u32,
    pub(crate) size: u32,
    pub(crate) packed: u32,
    pub(crate) mode: u32,
    pub(crate) data: Vec<u8>,
    /// Where its local header lies, if that is a lie.
    pub(crate) offset: Option<u32>,
}

impl Zipped {
    pub(crate) fn stored(name: &str, data: &[u8]) -> Self {
        let mut crc = flate2::Crc::new();
        crc.update(data);
        Self {
            name: name.as_bytes().to_vec(),
            method: 0,
            flags: 0,
            crc: crc.sum(),
            size: data.len() as u32,
            packed: data.len() as u32,
            mode: 0o100_644,
            data: data.to_vec(),
            offset: None,
        }
    }

    pub(crate) fn deflated(name: &str, data: &[u8]) -> Self {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
        let packed = encoder.write_all(data).and_then(|()| encoder.finish()).expect("writing to memory");
        Self { method: 8, packed: packed.len() as u32, data: packed, ..Self::stored(name, data) }
    }
}

pub(crate) fn zip(entries: &[Zipped]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = entry.offset.unwrap_or(bytes.len() as u32);
        let mut common = Vec::new();
        for field in [20, entry.flags, entry.method, 0, 0] {
            common.extend_from_slice(&field.to_le_bytes());
        }
        for field in [entry.crc, entry.packed, entry.size] {
            common.extend_from_slice(&field.to_le_bytes());
        }
        common.extend_from_slice(&(entry.name.len() as u16).to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(b"PK\x03\x04");
        bytes.extend_from_slice(&common);
        bytes.extend_from_slice(&entry.name);
        bytes.extend_from_slice(&entry.data);
        directory.extend_from_slice(b"PK\x01\x02\x14\x03");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 6]);
        directory.extend_from_slice(&(entry.mode << 16).to_le_bytes());
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(&entry.name);
    }
    let (start, count) = (bytes.len() as u32, entries.len() as u16);
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&start.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

/// A folder of the test's own, with an archive and an empty folder to unpack into.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let desk = Self { folder };
        fs::write(desk.archive(), bytes).and_then(|()| fs::create_dir(desk.target())).expect("a small file");
        desk
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.folder.path().join("into")
    }

    pub(crate) fn unpack(&self, limits: &Limits) -> Result<Unpacked, ArchiveError> {
        unpack(&self.archive(), &self.target(), limits, &mut |_| ControlFlow::Continue(()))
    }

    /// Every path below the test's folder, sorted, without the archive.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        gather(self.folder.path(), self.folder.path(), &mut paths);
        paths.retain(|path| path != "archive");
        paths.sort();
        paths
    }
}

fn gather(root: &Path, folder: &Path, paths: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder of the test") {
        let path = entry.expect("a folder of the test").path();
        let name = path.strip_prefix(root).expect("below it").to_string_lossy().into_owned();
        assert!(!path.is_symlink(), "{name} is a link");
        if path.is_dir() {
            gather(root, &path, paths);
        }
        paths.push(name);
    }
}

/// What unpacking the bytes gives, where it must be an error, and nothing may be outside the folder after it.
pub(crate) fn refused(bytes: &[u8]) -> ArchiveError {
    refused_under(bytes, &Limits::default())
}

pub(crate) fn refused_under(bytes: &[u8], limits: &Limits) -> ArchiveError {
    let desk = Desk::new(bytes);
    let error = desk.unpack(limits).expect_err("it must be refused");
    for path in desk.paths() {
        assert!(path == "into" || path.starts_with("into/"), "{path} was written");
    }
    assert!(!error.to_string().contains(char::is_control), "{error}");
    error
}
