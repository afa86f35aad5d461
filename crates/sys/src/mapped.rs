//! Read-only memory maps.

use std::{fs::File, io, ops::Deref, path::Path};

/// A file mapped read-only into memory. Dereferences to its bytes.
#[derive(Debug)]
pub struct Mapped {
    map: memmap2::Mmap,
}

impl Mapped {
    /// Maps the whole file at `path`.
    ///
    /// # Errors
    /// When the file cannot be opened or mapped (an empty file cannot).
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // SAFETY: the map is read-only and private to this process. Files that we map (checkpoints, cache shards) are
        // replaced by rename, never written in place, so the mapped pages do not change under a live reference.
        #[expect(unsafe_code, reason = "memory maps are unsafe by nature; see the invariant above")]
        let map = unsafe { memmap2::Mmap::map(&file)? };
        Ok(Self { map })
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_file_reads_as_its_bytes() {
        let path = std::env::temp_dir().join(format!("sure-sys-mapped-{}", std::process::id()));
        std::fs::write(&path, b"seven bytes").unwrap();
        assert_eq!(&*Mapped::open(&path).unwrap(), b"seven bytes");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert!(Mapped::open(Path::new("/nowhere/at/all")).is_err());
    }
}
