//! What the first download found, so that a later one can be held against it: `downloads.lock.json`.
//!
//! Nobody can know the hash of a checkpoint before it is there. The first download writes commit, lengths and hashes down;
//! from then on a file that is another is an error and not a surprise. The list holds no time, and is sorted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cache::write_whole;
use crate::lock::Lock;
use crate::{HubError, Repository, Silent, Sum};

/// The generation of the file's format.
const VERSION: u32 = 1;

/// The list of what was downloaded.
#[derive(Clone, Debug)]
pub struct Downloads {
    path: PathBuf,
    update: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    /// By [`Repository::key`].
    #[serde(default)]
    repositories: BTreeMap<String, Locked>,
    /// Files that are in no repository of the hub, by their address.
    #[serde(default)]
    files: BTreeMap<String, Sum>,
}

impl Default for Content {
    fn default() -> Self {
        Self { version: VERSION, repositories: BTreeMap::new(), files: BTreeMap::new() }
    }
}

/// A repository's revision as it was found.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// The commit that the revision stood for.
    pub commit: String,
    /// Its files that were downloaded.
    pub files: BTreeMap<String, Sum>,
}

impl Downloads {
    /// The list in the file `path`, which need not be there yet. With `update` what is found takes the place of what is
    /// written down.
    pub fn new(path: PathBuf, update: bool) -> Self {
        Self { path, update }
    }

    /// What is written down of a repository's revision.
    ///
    /// # Errors
    ///
    /// [`HubError::Lockfile`], [`HubError::Io`].
    pub fn locked(&self, repository: &Repository) -> Result<Option<Locked>, HubError> {
        Ok(self.read()?.repositories.remove(&repository.key()))
    }

    /// What is written down of the file at an address.
    ///
    /// # Errors
    ///
    /// [`HubError::Lockfile`], [`HubError::Io`].
    pub fn locked_file(&self, address: &str) -> Result<Option<Sum>, HubError> {
        Ok(self.read()?.files.remove(address))
    }

    /// Says so where the revision stands for another commit than the one that is written down.
    ///
    /// # Errors
    ///
    /// [`HubError::Changed`] names both.
    pub fn hold_commit(&self, repository: &Repository, commit: &str) -> Result<(), HubError> {
        match self.locked(repository)? {
            Some(locked) if locked.commit != commit && !self.update => Err(self.changed(
                &format!("{repository}"),
                &format!("commit {}", locked.commit),
                &format!("commit {commit}"),
            )),
            _ => Ok(()),
        }
    }

    /// Writes a repository's file down, or says so where another one is.
    ///
    /// # Errors
    ///
    /// [`HubError::Changed`] names both.
    pub fn hold(&self, repository: &Repository, commit: &str, file: &str, sum: &Sum) -> Result<(), HubError> {
        let what = format!("{}/{file}", repository.id());
        self.change(|content, update| {
            let locked = content.repositories.entry(repository.key()).or_default();
            if locked.commit != commit {
                // A moved revision has been looked at before; its other files are not those of this commit.
                *locked = Locked { commit: commit.to_owned(), files: BTreeMap::new() };
            }
            self.put(&mut locked.files, file, &what, sum, update)
        })
    }

    /// Writes a file of an address down, or says so where another one is.
    ///
    /// # Errors
    ///
    /// [`HubError::Changed`] names both.
    pub fn hold_file(&self, address: &str, sum: &Sum) -> Result<(), HubError> {
        self.change(|content, update| self.put(&mut content.files, address, address, sum, update))
    }

    fn put(
        &self,
        files: &mut BTreeMap<String, Sum>,
        key: &str,
        what: &str,
        sum: &Sum,
        update: bool,
    ) -> Result<bool, HubError> {
        match files.get(key) {
            Some(locked) if locked == sum => Ok(false),
            Some(locked) if !update => Err(self.changed(what, &said(locked), &said(sum))),
            _ => {
                files.insert(key.to_owned(), sum.clone());
                Ok(true)
            }
        }
    }

    fn changed(&self, what: &str, locked: &str, found: &str) -> HubError {
        HubError::Changed {
            what: what.to_owned(),
            locked: locked.to_owned(),
            found: found.to_owned(),
            path: self.path.clone(),
        }
    }

    /// Reads, changes and writes under a lock, as several processes may download at once.
    fn change(
        &self,
        change: impl FnOnce(&mut Content, bool) -> Result<bool, HubError>,
    ) -> Result<(), HubError> {
        let lock = self.path.with_extension("json.lock");
        let _lock = Lock::take(&lock, "the list of downloads", &Silent)?;
        let mut content = self.read()?;
        if change(&mut content, self.update)? {
            let text =
                serde_json::to_string_pretty(&content).map_err(|error| self.damaged(&error.to_string()))?;
            write_whole(&self.path, (text + "\n").as_bytes())?;
        }
        Ok(())
    }

    fn read(&self) -> Result<Content, HubError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Content::default()),
            Err(error) => return Err(HubError::io("read", &self.path)(error)),
        };
        let content: Content =
            serde_json::from_str(&text).map_err(|error| self.damaged(&error.to_string()))?;
        if content.version != VERSION {
            return Err(
                self.damaged(&format!("its version is {}, this program reads {VERSION}", content.version))
            );
        }
        Ok(content)
    }

    fn damaged(&self, reason: &str) -> HubError {
        HubError::Lockfile { path: self.path.clone(), reason: reason.to_owned() }
    }

    /// Where the list is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn said(sum: &Sum) -> String {
    format!("{} bytes with sha256 {}", sum.bytes, sum.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn sum(letter: char) -> Sum {
        Sum { bytes: 3, sha256: letter.to_string().repeat(64) }
    }

    #[test]
    fn what_was_found_first_is_held_until_an_update() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("downloads.lock.json");
        let (first, second) = ("a".repeat(40), "b".repeat(40));
        let model = Repository::parse(Kind::Model, "o/n").unwrap();
        let list = Downloads::new(path.clone(), false);
        list.hold_commit(&model, &first).unwrap();
        list.hold(&model, &first, "w", &sum('1')).unwrap();
        list.hold(&model, &first, "w", &sum('1')).unwrap();
        list.hold_file("https://x/y", &sum('2')).unwrap();
        let before = fs::read(&path).unwrap();

        let error = list.hold(&model, &first, "w", &sum('3')).unwrap_err().to_string();
        assert!(error.contains(&"1".repeat(64)) && error.contains(&"3".repeat(64)), "{error}");
        assert!(error.contains("--update") && error.contains("o/n/w"), "{error}");
        let error = list.hold_commit(&model, &second).unwrap_err().to_string();
        assert!(error.contains(&first) && error.contains(&second), "{error}");
        assert!(list.hold_file("https://x/y", &sum('4')).is_err());
        assert_eq!(fs::read(&path).unwrap(), before);

        let update = Downloads::new(path, true);
        update.hold_commit(&model, &second).unwrap();
        update.hold(&model, &second, "v", &sum('5')).unwrap();
        let locked = list.locked(&model).unwrap().unwrap();
        assert_eq!(
            (locked.commit, locked.files.into_iter().collect::<Vec<_>>()),
            (second, vec![("v".to_owned(), sum('5'))])
        );
        assert_eq!(list.locked_file("https://x/y").unwrap(), Some(sum('2')));
    }

    #[test]
    fn a_damaged_list_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("downloads.lock.json");
        for text in ["{", "{\"version\": 9}", "[]"] {
            fs::write(&path, text).unwrap();
            let error = Downloads::new(path.clone(), false).locked_file("x").unwrap_err();
            assert!(matches!(error, HubError::Lockfile { .. }), "{text}: {error}");
        }
    }

    #[test]
    fn several_writers_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let list = Downloads::new(folder.path().join("downloads.lock.json"), false);
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let list = &list;
                scope.spawn(move || {
                    for file in 0..10 {
                        list.hold_file(&format!("https://x/{writer}/{file}"), &sum('1')).unwrap();
                    }
                });
            }
        });
        assert_eq!(list.read().unwrap().files.len(), 40);
    }
}
