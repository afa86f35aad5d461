//! What an archive is, by its content: a name proves nothing.

use std::{
    fs::File,
    io::{Read, Seek},
    path::Path,
};

use flate2::read::MultiGzDecoder;

use crate::{ArchiveError, tar};

/// What is unpacked here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// A tar archive: that of POSIX, GNU's, or the old one.
    Tar,
    /// A tar archive inside gzip.
    TarGz,
    /// A zip archive; a Python wheel is one too.
    Zip,
}

impl Format {
    /// The format of an archive.
    ///
    /// # Errors
    /// [`ArchiveError::Read`] and [`ArchiveError::Format`].
    pub fn of(archive: &Path) -> Result<Self, ArchiveError> {
        let failed = |source| ArchiveError::Read { archive: archive.to_owned(), source };
        detect(&mut File::open(archive).map_err(failed)?, archive)
    }
}

/// The format of a file, which is at its start again afterwards.
pub(crate) fn detect(file: &mut File, archive: &Path) -> Result<Format, ArchiveError> {
    let failed = |source| ArchiveError::Read { archive: archive.to_owned(), source };
    let wrong = |found| ArchiveError::Format { archive: archive.to_owned(), found };
    let head = start(file).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let format = match head.as_slice() {
        [] => Err("is empty"),
        [0x1f, 0x8b, ..] => {
            let head = start(&mut MultiGzDecoder::new(&mut *file)).unwrap_or_default();
            if tar::is_header(&head) { Ok(Format::TarGz) } else { Err("is gzip with something else inside") }
        }
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Ok(Format::Zip),
        [b'B', b'Z', b'h', ..] => Err("is bzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Err("is xz"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Err("is zstd"),
        [b'7', b'z', 0xbc, 0xaf, ..] => Err("is 7z"),
        [b'R', b'a', b'r', b'!', ..] => Err("is rar"),
        [b'<', ..] => Err("looks like a web page"),
        head if tar::is_header(head) => Ok(Format::Tar),
        _ => Err("is something else"),
    };
    file.rewind().map_err(failed)?;
    format.map_err(wrong)
}

/// The first block, or as much of it as there is.
fn start(reader: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(tar::BLOCK as u64).read_to_end(&mut head)?;
    Ok(head)
}
