//! What has been unpacked so far, held against the limits and told to the caller.

use std::{cell::Cell, io, io::Read, ops::ControlFlow, path::Path, rc::Rc};

use crate::{ArchiveError, Limit, Limits, name::shown};

/// Below this the ratio is not looked at.
const FREE: u64 = 1 << 20;

/// How far an archive is unpacked.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Entries so far.
    pub entries: u64,
    /// Unpacked bytes so far.
    pub bytes: u64,
    /// Bytes of the archive that are done.
    pub read: u64,
    /// The size of the archive, in bytes.
    pub size: u64,
}

/// Counts, checks, tells.
pub(crate) struct Meter<'a> {
    pub(crate) archive: &'a Path,
    pub(crate) limits: &'a Limits,
    size: u64,
    entries: u64,
    bytes: u64,
    read: Rc<Cell<u64>>,
    progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(
        archive: &'a Path,
        size: u64,
        limits: &'a Limits,
        progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Self {
        Self { archive, limits, size, entries: 0, bytes: 0, read: Rc::default(), progress }
    }

    /// Where the readers write down how far they are in the archive.
    pub(crate) fn position(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.read)
    }

    /// One more entry.
    pub(crate) fn entry(&mut self, name: &[u8]) -> Result<(), ArchiveError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(self.limit(name, Limit::Entries(self.limits.entries)));
        }
        self.tell()
    }

    /// Whether there is room for an entry that is about to be read, by the size that it claims.
    pub(crate) fn claim(&self, name: &[u8], size: u64) -> Result<(), ArchiveError> {
        self.check(name, self.bytes.saturating_add(size))
    }

    /// So many more bytes, which stand in memory and nowhere else yet.
    pub(crate) fn bytes(&mut self, name: &[u8], count: u64) -> Result<(), ArchiveError> {
        self.bytes = self.bytes.saturating_add(count);
        self.check(name, self.bytes)?;
        self.tell()
    }

    fn check(&self, name: &[u8], bytes: u64) -> Result<(), ArchiveError> {
        if bytes > self.limits.bytes {
            return Err(self.limit(name, Limit::Bytes(self.limits.bytes)));
        }
        if bytes > FREE && bytes > self.limits.ratio.saturating_mul(self.size) {
            return Err(self.limit(name, Limit::Ratio(self.limits.ratio)));
        }
        Ok(())
    }

    fn tell(&mut self) -> Result<(), ArchiveError> {
        let Self { entries, bytes, size, .. } = *self;
        match (self.progress)(Progress { entries, bytes, read: self.read.get().min(size), size }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ArchiveError::Stopped { archive: self.archive.to_owned() }),
        }
    }

    fn limit(&self, name: &[u8], limit: Limit) -> ArchiveError {
        ArchiveError::Limit { archive: self.archive.to_owned(), entry: shown(name), limit }
    }

    pub(crate) fn damaged(&self, name: &[u8], reason: &(impl ToString + ?Sized)) -> ArchiveError {
        let reason = reason.to_string();
        ArchiveError::Damaged { archive: self.archive.to_owned(), entry: shown(name), reason }
    }

    pub(crate) fn unsupported(&self, name: &[u8], what: impl Into<String>) -> ArchiveError {
        ArchiveError::Unsupported { archive: self.archive.to_owned(), entry: shown(name), what: what.into() }
    }
}

/// A reader that writes down how much went through it.
pub(crate) struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    pub(crate) fn new(inner: R, count: Rc<Cell<u64>>) -> Self {
        Self { inner, count }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}
