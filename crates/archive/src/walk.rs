//! The entries of an archive of any format, one after the other.

use std::{
    fs::File,
    io::{BufReader, Read},
    ops::ControlFlow,
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

use crate::{
    ArchiveError, Format, Limits, Progress, format,
    meter::{Counted, Meter},
    tar, zip,
};

/// Bytes that are read and checked at a time.
const CHUNK: usize = 64 << 10;

/// What an entry is.
#[derive(Debug)]
pub(crate) enum Kind {
    File,
    Folder,
    /// A symbolic or hard link to somewhere.
    Link(Vec<u8>),
    /// Neither of these, in a word.
    Special(&'static str),
}

/// An entry, and what it holds.
pub(crate) struct Entry<'a, 'm> {
    /// As it stands in the archive.
    pub(crate) name: &'a [u8],
    pub(crate) kind: Kind,
    pub(crate) meter: &'a mut Meter<'m>,
    size: u64,
    data: &'a mut dyn Read,
    taken: bool,
}

impl<'a, 'm> Entry<'a, 'm> {
    pub(crate) fn new(
        name: &'a [u8],
        kind: Kind,
        size: u64,
        data: &'a mut dyn Read,
        meter: &'a mut Meter<'m>,
    ) -> Self {
        Self { name, kind, meter, size, data, taken: false }
    }

    /// Hands all bytes to `write`, exactly as many as the entry says it has.
    pub(crate) fn copy(
        &mut self,
        write: &mut dyn FnMut(&[u8]) -> Result<(), ArchiveError>,
    ) -> Result<u64, ArchiveError> {
        self.taken = true;
        self.meter.claim(self.name, self.size)?;
        let mut buffer = vec![0; CHUNK];
        let mut count = 0u64;
        loop {
            let read = match self.data.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.meter.damaged(self.name, &error)),
            };
            count += read as u64;
            if count > self.size {
                return Err(self
                    .meter
                    .damaged(self.name, &format!("it holds more than its {} bytes", self.size)));
            }
            self.meter.bytes(self.name, read as u64)?;
            write(&buffer[..read])?;
        }
        if count < self.size {
            let reason = format!("it ends after {count} of {} bytes", self.size);
            return Err(self.meter.damaged(self.name, &reason));
        }
        Ok(count)
    }

    /// Whether [`Entry::copy`] has been called.
    pub(crate) fn taken(&self) -> bool {
        self.taken
    }
}

/// What is done with each entry.
pub(crate) type Visit<'a> = dyn FnMut(&mut Entry<'_, '_>) -> Result<(), ArchiveError> + 'a;

/// Shows every entry of the archive to `visit`.
pub(crate) fn walk(
    archive: &Path,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    visit: &mut Visit<'_>,
) -> Result<(), ArchiveError> {
    let failed = |source| ArchiveError::Read { archive: archive.to_owned(), source };
    let mut file = File::open(archive).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let format = format::detect(&mut file, archive)?;
    let mut meter = Meter::new(archive, size, limits, progress);
    if format == Format::Zip {
        return zip::walk(file, &mut meter, visit);
    }
    let position = meter.position();
    let mut file = BufReader::with_capacity(CHUNK, Counted::new(file, position));
    match format {
        Format::TarGz => tar::walk(&mut MultiGzDecoder::new(file), &mut meter, visit),
        Format::Tar | Format::Zip => tar::walk(&mut file, &mut meter, visit),
    }
}
