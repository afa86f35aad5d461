//! What an archive may hold at most.

/// What an archive may hold at most. All of them always apply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of all that is unpacked or read through.
    pub bytes: u64,
    /// Entries. Folders count that are not named and yet have to be made.
    pub entries: u64,
    /// Unpacked bytes for each byte of the archive. It counts from 1 MiB on: a small archive of text may well shrink more.
    pub ratio: u64,
    /// Bytes of a name with its folders.
    pub name: usize,
}

impl Default for Limits {
    /// Room for every published set of recordings: 1 TiB, two million entries, 200 bytes for each byte, names of 1024
    /// bytes.
    fn default() -> Self {
        Self { bytes: 1 << 40, entries: 2_000_000, ratio: 200, name: 1024 }
    }
}
