//! The folder that is filled: every file and folder in it is made here, once.

use std::{
    collections::{
        HashMap,
        hash_map::{Entry, RandomState},
    },
    fs::{self, File},
    hash::BuildHasher,
    path::{Path, PathBuf},
};

use crate::{ArchiveError, meter::Meter, name::shown};

/// A folder that was empty, and what has been put there.
pub(crate) struct Place<'a> {
    root: &'a Path,
    /// What is there, by its path in lower case, as some systems see it. Hashes, with keys that no archive knows: names
    /// may be long, and there may be millions.
    taken: HashMap<(u64, u64), Taken>,
    keys: [RandomState; 2],
}

/// A file, or a folder with the hash of its path as it is.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Taken {
    File,
    Folder(u64),
}

impl<'a> Place<'a> {
    /// # Errors
    /// When the folder cannot be read, or holds something: what lies there could be a link.
    pub(crate) fn new(root: &'a Path) -> Result<Self, ArchiveError> {
        let failed = |source| ArchiveError::Write { path: root.to_owned(), source };
        if fs::read_dir(root).map_err(failed)?.next().is_some() {
            return Err(ArchiveError::NotEmpty { folder: root.to_owned() });
        }
        Ok(Self { root, taken: HashMap::new(), keys: [RandomState::new(), RandomState::new()] })
    }

    /// Makes a folder, and those above it; each counts as an entry. `path` has been through [`crate::name::inside`].
    pub(crate) fn folder(&mut self, path: &str, meter: &mut Meter<'_>) -> Result<(), ArchiveError> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for part in ends.map(|end| &path[..end]).filter(|part| !part.is_empty()) {
            if self.claim(part, Taken::Folder(self.keys[0].hash_one(part)), meter)? {
                meter.entry(part.as_bytes())?;
                let folder = self.join(part);
                fs::create_dir(&folder).map_err(|source| ArchiveError::Write { path: folder, source })?;
            }
        }
        Ok(())
    }

    /// Makes a file, and the folders above it.
    pub(crate) fn file(
        &mut self,
        path: &str,
        meter: &mut Meter<'_>,
    ) -> Result<(PathBuf, File), ArchiveError> {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folder(folder, meter)?;
        }
        self.claim(path, Taken::File, meter)?;
        let target = self.join(path);
        match File::create_new(&target) {
            Ok(file) => Ok((target, file)),
            Err(source) => Err(ArchiveError::Write { path: target, source }),
        }
    }

    /// Whether the path is new. A folder may be named often, a file once.
    fn claim(&mut self, path: &str, taken: Taken, meter: &Meter<'_>) -> Result<bool, ArchiveError> {
        let lower = path.to_lowercase();
        let key = (self.keys[0].hash_one(&lower), self.keys[1].hash_one(&lower));
        match self.taken.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(taken);
                Ok(true)
            }
            Entry::Occupied(other) if taken != Taken::File && *other.get() == taken => Ok(false),
            Entry::Occupied(_) => {
                let archive = meter.archive.to_owned();
                Err(ArchiveError::Collision { archive, entry: shown(path.as_bytes()) })
            }
        }
    }

    fn join(&self, path: &str) -> PathBuf {
        let mut target = self.root.to_owned();
        target.extend(path.split('/'));
        target
    }
}
