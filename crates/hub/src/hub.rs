//! The hub: lists of files, and files from it into the cache.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::address::Address;
use crate::cache::{Place, appear, check_space};
use crate::client::{Client, Follow, Method};
use crate::metadata::{Metadata, metadata};
use crate::repository::{inner, is_commit};
use crate::transfer::{Wanted, fetch, partial_of};
use crate::{Check, HubConfig, HubError, Repository, Sum, Watch, git_id, sum};

/// Bytes that a list of files may have.
const MOST_LISTING: u64 = 64 << 20;

/// The hub, and the cache on this machine.
#[derive(Debug)]
pub struct Hub {
    pub(crate) client: Client,
}

/// The files of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The commit that the revision stands for.
    pub commit: String,
    /// The files.
    pub files: Vec<Entry>,
}

/// A file in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the repository.
    pub path: String,
    /// What is known of it.
    pub check: Check,
}

/// A file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its place in the snapshot of its commit.
    pub path: PathBuf,
    /// What it is.
    pub sum: Sum,
    /// Whether it was there before.
    pub was_there: bool,
}

impl Hub {
    /// A hub. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`HubError::Name`] where the endpoint is no address.
    pub fn new(config: HubConfig) -> Result<Self, HubError> {
        Ok(Self { client: Client::new(config)? })
    }

    /// Its settings.
    pub const fn config(&self) -> &HubConfig {
        self.client.config()
    }

    /// The files of a repository.
    ///
    /// # Errors
    ///
    /// [`HubError::Offline`]; all that the hub can say against it; [`HubError::Path`] where a file's path leads out of
    /// the repository.
    pub fn list(&self, repository: &Repository, watch: &dyn Watch) -> Result<Listing, HubError> {
        self.ask_network(&format!("the list of files of {repository}"))?;
        let address = Address::parse(&repository.info(&self.client.endpoint()))?;
        let (at, mut answer) =
            self.client.ask_patiently(Method::Get, &address, &[], Follow::Everywhere, watch)?;
        if !answer.status().is_success() {
            return Err(self.client.refusal(repository, None, &at, answer));
        }
        let bad = |reason: String| HubError::Answer { address: at.shown(), reason };
        let body = answer.body_mut().with_config().limit(MOST_LISTING).read_to_string();
        let body = body.map_err(|error| self.client.network(&at, &error))?;
        let info: Info = serde_json::from_str(&body).map_err(|error| bad(error.to_string()))?;
        if !is_commit(&info.sha) {
            return Err(bad("its commit is none".to_owned()));
        }
        let owner = repository.to_string();
        let entry = |sibling: Sibling| {
            let path = inner(&owner, &sibling.rfilename)?.to_owned();
            let lfs = sibling.lfs.unwrap_or_default();
            let is_hash =
                |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            Ok(Entry {
                path,
                check: Check { bytes: sibling.size.or(lfs.size), sha256: lfs.sha256.filter(is_hash) },
            })
        };
        let files = info.siblings.into_iter().map(entry).collect::<Result<_, HubError>>()?;
        Ok(Listing { commit: info.sha, files })
    }

    /// Brings a file of `commit` into the cache, unless it is there. The repository's own revision is not looked at.
    ///
    /// # Errors
    ///
    /// All that can go wrong; whatever it is, no file that is not whole and right has a final name.
    pub fn file(
        &self,
        repository: &Repository,
        commit: &str,
        file: &str,
        check: &Check,
        watch: &dyn Watch,
    ) -> Result<Fetched, HubError> {
        let owner = repository.to_string();
        inner(&owner, file)?;
        let name = format!("{}/{file}", repository.id());
        let place = Place::new(&self.config().cache, repository);
        if let Some(path) = place.find(commit, file) {
            let sum = sum(&path)?;
            match check.hold(&sum, &name).and_then(|()| hold_name(&path, &sum, &name)) {
                Ok(()) => return Ok(Fetched { path, sum, was_there: true }),
                Err(error) if self.config().offline => return Err(error),
                Err(error) => watch.says(&format!("in the cache {error}; fetching it again")),
            }
        }
        self.ask_network(&name)?;
        let pinned = repository.at(commit)?;
        let mut told = self.metadata(&pinned, file, watch)?;
        for _ in 0..self.config().retries.wrong.max(1) {
            match self.blob(&place, &pinned, file, &told, check, watch)? {
                Some((sum, was_there)) => {
                    let path = place.link(commit, file, &told.etag)?;
                    return Ok(Fetched { path, sum, was_there });
                }
                None => told = self.metadata(&pinned, file, watch)?,
            }
        }
        let reason = format!("{file} changes with every question");
        Err(HubError::Answer { address: told.location.shown(), reason })
    }

    /// Says in the cache what the repository's revision stands for now: after its files, so that whoever follows it
    /// finds them all.
    ///
    /// # Errors
    ///
    /// [`HubError::Io`].
    pub fn point(&self, repository: &Repository, commit: &str) -> Result<(), HubError> {
        Place::new(&self.config().cache, repository).point(commit)
    }

    /// The commit that the cache has for the repository's revision, and the folder of its files.
    pub fn cached(&self, repository: &Repository) -> Option<(String, PathBuf)> {
        let place = Place::new(&self.config().cache, repository);
        let commit = place.commit()?;
        let folder = place.snapshot(&commit);
        folder.is_dir().then_some((commit, folder))
    }

    /// Where a file of a commit is in the cache, or will be.
    pub fn snapshot_file(&self, repository: &Repository, commit: &str, file: &str) -> PathBuf {
        Place::new(&self.config().cache, repository).snapshot(commit).join(file)
    }

    /// A file of the repository's revision in the cache.
    ///
    /// # Errors
    ///
    /// [`HubError::Path`].
    pub fn cached_file(&self, repository: &Repository, file: &str) -> Result<Option<PathBuf>, HubError> {
        inner(&repository.to_string(), file)?;
        let place = Place::new(&self.config().cache, repository);
        Ok(place.commit().and_then(|commit| place.find(&commit, file)))
    }

    /// # Errors
    ///
    /// [`HubError::Offline`] where nothing may be asked.
    pub(crate) fn ask_network(&self, what: &str) -> Result<(), HubError> {
        if self.config().offline {
            return Err(HubError::Offline { what: what.to_owned(), cache: self.config().cache.clone() });
        }
        Ok(())
    }

    fn metadata(&self, pinned: &Repository, file: &str, watch: &dyn Watch) -> Result<Metadata, HubError> {
        let told = metadata(&self.client, pinned, file, watch)?;
        if told.commit != pinned.revision() {
            let reason = format!("it is of commit {}, and {} was asked for", told.commit, pinned.revision());
            return Err(HubError::Answer { address: told.location.shown(), reason });
        }
        Ok(told)
    }

    /// Brings a content into the cache; `None` where the hub names another content in the meantime.
    fn blob(
        &self,
        place: &Place,
        pinned: &Repository,
        file: &str,
        told: &Metadata,
        check: &Check,
        watch: &dyn Watch,
    ) -> Result<Option<(Sum, bool)>, HubError> {
        let name = format!("{}/{file}", pinned.id());
        let check = check.and(&told.check, &name)?;
        place.prepare()?;
        let lock = place.lock(&told.etag, &name, watch)?;
        let path = place.blob(&told.etag);
        // Somebody may have brought it while the lock was theirs.
        if let Some(sum) = standing(&path, &check, &name, watch)? {
            return Ok(Some((sum, true)));
        }
        let partial = partial_of(&path);
        if let Some(bytes) = check.bytes {
            let have = partial.metadata().map_or(0, |data| data.len());
            check_space(path.parent().unwrap_or(&path), &name, bytes.saturating_sub(have))?;
        }
        let mut first = Some(told.location.clone());
        let mut changed = false;
        let mut locate = || {
            if let Some(address) = first.take() {
                return Ok(address);
            }
            let now = self.metadata(pinned, file, watch)?;
            changed |= now.etag != told.etag;
            Ok(now.location)
        };
        let wanted =
            Wanted { name: &name, check, git_id: told.git_id.as_deref(), partial: &partial, expires: true };
        let sum = match fetch(&self.client, &wanted, &mut locate, watch) {
            // It was another file that came.
            Err(HubError::Wrong { .. }) if changed => return Ok(None),
            sum => sum?,
        };
        appear(&partial, &path)?;
        drop(lock);
        Ok(Some((sum, false)))
    }
}

/// What stands at `path`, where it is as long as it should be; what is not is removed.
fn standing(path: &Path, check: &Check, name: &str, watch: &dyn Watch) -> Result<Option<Sum>, HubError> {
    if !path.is_file() {
        return Ok(None);
    }
    let sum = sum(path)?;
    match check.hold(&sum, name).and_then(|()| hold_name(path, &sum, name)) {
        Ok(()) => return Ok(Some(sum)),
        Err(error) => watch.says(&format!("in the cache {error}; fetching it again")),
    }
    std::fs::remove_file(path).map_err(HubError::io("remove", path))?;
    Ok(None)
}

/// Holds a file of the cache, whose sum is known, against the name of its content where that is a hash.
///
/// # Errors
///
/// [`HubError::Wrong`], [`HubError::Io`].
pub fn hold_name(path: &Path, sum: &Sum, file: &str) -> Result<(), HubError> {
    let target = path.canonicalize().map_err(HubError::io("find", path))?;
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    let (what, found) = match name.len() {
        64 => ("sha256", sum.sha256.clone()),
        40 => ("git blob sha1", git_id(path)?),
        _ => return Ok(()),
    };
    if found == name { Ok(()) } else { Err(HubError::wrong(file, what, &name, &found)) }
}

#[derive(Deserialize)]
struct Info {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<Lfs>,
}

#[derive(Default, Deserialize)]
struct Lfs {
    sha256: Option<String>,
    size: Option<u64>,
}
