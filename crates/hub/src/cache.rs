//! The cache on disk, in the layout that Python shares: `blobs`, `snapshots`, `refs`, and the locks beside them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use hf_hub::{Cache, CacheRepo};

use crate::lock::Lock;
use crate::repository::{inner, is_commit};
use crate::{HubError, Repository, Watch};

/// One repository's folder in the cache.
pub(crate) struct Place {
    /// The cache's own folder.
    root: PathBuf,
    /// The name of the repository's folder.
    name: String,
    repository: Repository,
    /// Where the library of the hub looks for the same.
    library: CacheRepo,
}

impl Place {
    pub(crate) fn new(root: &Path, repository: &Repository) -> Self {
        let repo = repository.repo();
        let name = repo.folder_name();
        let library = Cache::new(root.to_owned()).repo(repo);
        Self { root: root.to_owned(), name, repository: repository.clone(), library }
    }

    fn folder(&self) -> PathBuf {
        self.root.join(&self.name)
    }

    /// The content of that name.
    pub(crate) fn blob(&self, etag: &str) -> PathBuf {
        self.folder().join("blobs").join(etag)
    }

    /// The folder of a commit.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.library.pointer_path(commit)
    }

    /// The lock of a content, where Python looks for it too.
    pub(crate) fn lock(&self, etag: &str, what: &str, watch: &dyn Watch) -> Result<Lock, HubError> {
        let path = self.root.join(".locks").join(&self.name).join(format!("{etag}.lock"));
        Lock::take(&path, what, watch)
    }

    /// Makes the folder for contents.
    pub(crate) fn prepare(&self) -> Result<(), HubError> {
        let folder = self.folder().join("blobs");
        fs::create_dir_all(&folder).map_err(HubError::io("create", &folder))
    }

    /// The commit that the revision stood for when it was last fetched whole.
    pub(crate) fn commit(&self) -> Option<String> {
        let revision = self.repository.revision();
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let text = fs::read_to_string(self.reference(revision)).ok()?;
        Some(text.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.folder().join("refs").join(revision)
    }

    /// A file of a commit, where it is there.
    pub(crate) fn find(&self, commit: &str, file: &str) -> Option<PathBuf> {
        let path = self.snapshot(commit).join(file);
        path.is_file().then_some(path)
    }

    /// Makes the content `etag` the file `file` of `commit`.
    ///
    /// # Errors
    ///
    /// [`HubError::Io`], [`HubError::Path`].
    pub(crate) fn link(&self, commit: &str, file: &str, etag: &str) -> Result<PathBuf, HubError> {
        let file = inner(&self.repository.to_string(), file)?;
        let (path, blob) = (self.snapshot(commit).join(file), self.blob(etag));
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(HubError::io("create", folder))?;
        // From snapshots/<commit>/<folders of the file> up to the repository's folder.
        let up = "../".repeat(2 + file.matches('/').count());
        let target = PathBuf::from(format!("{up}blobs/{etag}"));
        if fs::read_link(&path).is_ok_and(|there| there == target) && path.is_file() {
            return Ok(path);
        }
        link_or_copy(&target, &blob, &path, symlink)?;
        Ok(path)
    }

    /// Writes down what the revision stands for. Whoever follows it finds a whole snapshot, so this comes last.
    ///
    /// # Errors
    ///
    /// [`HubError::Io`].
    pub(crate) fn point(&self, commit: &str) -> Result<(), HubError> {
        let revision = self.repository.revision();
        if revision == commit || self.commit().as_deref() == Some(commit) {
            return Ok(());
        }
        write_whole(&self.reference(revision), commit.as_bytes())
    }
}

/// Makes `path` a link to `target`, or where links are not to be had a copy of `blob`, which is the same file. Under another
/// name first: whoever has the old file open keeps it, and nobody sees half of one.
fn link_or_copy(
    target: &Path,
    blob: &Path,
    path: &Path,
    link: impl Fn(&Path, &Path) -> std::io::Result<()>,
) -> Result<(), HubError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let fresh = tempfile::Builder::new().prefix(".sure-").make_in(folder, |name| link(target, name));
    if let Ok(fresh) = fresh
        && fs::metadata(fresh.path()).is_ok()
    {
        return fs::rename(fresh.into_temp_path(), path).map_err(HubError::io("link", path));
    }
    let copy = tempfile::Builder::new().prefix(".sure-").tempfile_in(folder);
    let copy = copy.map_err(HubError::io("write in", folder))?;
    fs::copy(blob, copy.path()).map_err(HubError::io("copy", blob))?;
    keep(copy, path)
}

/// Writes a file so that a reader sees all of it or nothing.
///
/// # Errors
///
/// [`HubError::Io`].
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), HubError> {
    use std::io::Write as _;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(HubError::io("create", folder))?;
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".sure-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        open_to_others(file.path())?;
        file.persist(path).map_err(|error| error.error)?;
        sync_folder(folder)
    };
    write().map_err(HubError::io("write", path))
}

/// Gives a temporary file its final name.
///
/// # Errors
///
/// [`HubError::Io`].
pub(crate) fn keep(file: tempfile::NamedTempFile, path: &Path) -> Result<(), HubError> {
    open_to_others(file.path()).map_err(HubError::io("write", path))?;
    file.persist(path).map(drop).map_err(|error| HubError::io("write", path)(error.error))
}

/// Gives a whole partial file its final name.
///
/// # Errors
///
/// [`HubError::Io`].
pub(crate) fn appear(partial: &Path, path: &Path) -> Result<(), HubError> {
    fs::rename(partial, path).map_err(HubError::io("rename", partial))?;
    path.parent().map_or(Ok(()), |folder| sync_folder(folder).map_err(HubError::io("flush", folder)))
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Temporary files are their maker's alone; what takes their place should be as readable as any other.
#[cfg(unix)]
fn open_to_others(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_others(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn symlink(target: &Path, path: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn symlink(_target: &Path, _path: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Says so where the disk of `folder` has less than `needed` bytes left.
///
/// # Errors
///
/// [`HubError::Space`].
pub fn check_space(folder: &Path, file: &str, needed: u64) -> Result<(), HubError> {
    // A file system that does not tell is no reason to stop.
    let Ok(free) = fs4::available_space(folder) else { return Ok(()) };
    if free >= needed {
        return Ok(());
    }
    Err(HubError::Space { file: file.to_owned(), path: folder.to_owned(), free, needed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn a_disk_that_is_too_small_is_said_before() {
        let folder = tempfile::tempdir().unwrap();
        check_space(folder.path(), "small", 1).unwrap();
        let error = check_space(folder.path(), "large", u64::MAX).unwrap_err();
        assert!(matches!(&error, HubError::Space { file, .. } if file == "large"), "{error}");
    }

    #[test]
    fn where_links_are_not_to_be_had_a_file_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (blob, path) = (folder.path().join("blob"), folder.path().join("file"));
        fs::write(&blob, "content").unwrap();
        let refused = |_: &Path, _: &Path| Err(std::io::ErrorKind::Unsupported.into());
        // A link that leads nowhere is none either.
        let broken = |_: &Path, name: &Path| symlink(Path::new("nowhere"), name);
        for round in 0..2 {
            let done = if round == 0 {
                link_or_copy(Path::new("blob"), &blob, &path, refused)
            } else {
                link_or_copy(Path::new("blob"), &blob, &path, broken)
            };
            done.unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "content");
            assert!(!path.is_symlink());
        }
        link_or_copy(Path::new("blob"), &blob, &path, symlink).unwrap();
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("blob"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn a_revision_points_to_a_commit_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let model = Repository::new(Kind::Model, "o/n", "refs/pr/1").unwrap();
        let place = Place::new(folder.path(), &model);
        assert_eq!(place.commit(), None);
        let commit = "a".repeat(40);
        place.point(&commit).unwrap();
        assert_eq!(place.commit(), Some(commit.clone()));
        let reference = folder.path().join("models--o--n/refs/refs/pr/1");
        assert_eq!(fs::read_to_string(&reference).unwrap(), commit);
        fs::write(&reference, "../../../elsewhere").unwrap();
        assert_eq!(place.commit(), None);
    }
}
