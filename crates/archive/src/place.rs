//! The folder that is filled: every file and folder in it is made here, once.

use std::{
    collections::{HashMap, hash_map::Entry},
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::{ArchiveError, name::shown};

/// A folder that was empty, and what has been put there.
pub(crate) struct Place<'a> {
    archive: &'a Path,
    root: &'a Path,
    /// From the path in lower case, as some systems see it, to the path as it is.
    taken: HashMap<String, (String, Is)>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Is {
    File,
    Folder,
}

impl<'a> Place<'a> {
    /// # Errors
    /// When the folder cannot be read, or holds something: what lies there could be a link.
    pub(crate) fn new(archive: &'a Path, root: &'a Path) -> Result<Self, ArchiveError> {
        let failed = |source| ArchiveError::Write { path: root.to_owned(), source };
        if fs::read_dir(root).map_err(failed)?.next().is_some() {
            return Err(ArchiveError::NotEmpty { folder: root.to_owned() });
        }
        Ok(Self { archive, root, taken: HashMap::new() })
    }

    /// Makes a folder, and those above it. `path` has been through [`crate::name::inside`].
    pub(crate) fn folder(&mut self, path: &str) -> Result<(), ArchiveError> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for part in ends.map(|end| &path[..end]).filter(|part| !part.is_empty()) {
            if self.claim(part, Is::Folder)? {
                let folder = self.join(part);
                fs::create_dir(&folder).map_err(|source| ArchiveError::Write { path: folder, source })?;
            }
        }
        Ok(())
    }

    /// Makes a file, and the folders above it.
    pub(crate) fn file(&mut self, path: &str) -> Result<(PathBuf, File), ArchiveError> {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folder(folder)?;
        }
        self.claim(path, Is::File)?;
        let target = self.join(path);
        match File::create_new(&target) {
            Ok(file) => Ok((target, file)),
            Err(source) => Err(ArchiveError::Write { path: target, source }),
        }
    }

    /// Whether the path is new. A folder may be named often, a file once.
    fn claim(&mut self, path: &str, is: Is) -> Result<bool, ArchiveError> {
        match self.taken.entry(path.to_lowercase()) {
            Entry::Vacant(vacant) => {
                vacant.insert((path.to_owned(), is));
                Ok(true)
            }
            Entry::Occupied(other) => match other.get() {
                (same, Is::Folder) if is == Is::Folder && same == path => Ok(false),
                (other, _) => Err(ArchiveError::Collision {
                    archive: self.archive.to_owned(),
                    entry: shown(path.as_bytes()),
                    other: shown(other.as_bytes()),
                }),
            },
        }
    }

    fn join(&self, path: &str) -> PathBuf {
        let mut target = self.root.to_owned();
        target.extend(path.split('/'));
        target
    }
}
