//! A data set's folder, which appears whole: made under another name from what was fetched or brought, read once, renamed.

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sure_archive::{Format, Limits, unpack};
use sure_data::{DatasetCard, Protocol, ReadOptions, read_dataset};
use sure_hub::{HubError, Lock, Watch};

use crate::{celldata::read_options, environment};

/// In the folder of a data set: where it came from, and what came.
pub(super) const ORIGIN: &str = ".sure-source.json";

/// How deep folders are followed.
const DEPTH: usize = 32;

/// Where a data set came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// Its name.
    pub(super) name: String,
    /// What was fetched, or brought by the user.
    pub(super) sources: Vec<Came>,
    /// What is in the folder.
    pub(super) tree: Tree,
}

/// A file that came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Came {
    /// Where it came from, with the commit where it has one.
    pub(super) source: String,
    /// The file, as its source calls it.
    pub(super) file: String,
    /// Its length.
    pub(super) bytes: Option<u64>,
    /// Its sha256.
    pub(super) sha256: Option<String>,
}

/// All files of a folder as one hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tree {
    /// How many files.
    pub(super) files: u64,
    /// Their lengths.
    pub(super) bytes: u64,
    /// The sha256 of a line for each file, sorted: its own sha256 and its path.
    pub(super) sha256: String,
}

/// The folder of a data set.
pub(super) fn folder(name: &str) -> PathBuf {
    environment::datasets().join(name)
}

/// Where what belongs to a data set comes together before it is whole.
pub(super) fn workshop(name: &str) -> PathBuf {
    environment::sure_home().join("fetch").join(name)
}

/// Keeps two processes from making the same data set.
pub(super) fn lock(card: &DatasetCard, watch: &dyn Watch) -> Result<Lock, HubError> {
    Lock::take(&workshop(&card.name).with_extension("lock"), &card.name, watch)
}

/// What is written down of the data set that is there.
pub(super) fn origin(name: &str) -> Option<Origin> {
    serde_json::from_slice(&fs::read(folder(name).join(ORIGIN)).ok()?).ok()
}

/// A data set's folder in the making.
pub(super) struct Making<'a> {
    card: &'a DatasetCard,
    folder: PathBuf,
    came: Vec<Came>,
    /// Archives that were unpacked, by number: each in a folder of its own first.
    unpacked: usize,
    watch: &'a dyn Watch,
}

impl<'a> Making<'a> {
    /// Begins anew; what an earlier process left of it is removed.
    pub(super) fn begin(card: &'a DatasetCard, watch: &'a dyn Watch) -> Result<Self> {
        let folder = workshop(&card.name).join("whole").join(&card.name);
        remove(&folder)?;
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self { card, folder, came: Vec::new(), unpacked: 0, watch })
    }

    /// Takes a file up under its path in the set; an archive is unpacked in its place.
    pub(super) fn add(&mut self, file: &Path, path: &str, came: Came) -> Result<()> {
        let into = self.folder.join(path);
        if is_archive(path) {
            let into = into.parent().unwrap_or(&self.folder).to_owned();
            self.unpack(file, &into)?;
        } else {
            sure_hub::place(file, &into)?;
        }
        self.came.push(came);
        Ok(())
    }

    /// Takes up all that is in an archive.
    pub(super) fn take_archive(&mut self, archive: &Path, came: Came) -> Result<()> {
        let into = self.folder.clone();
        self.unpack(archive, &into)?;
        self.came.push(came);
        Ok(())
    }

    /// Unpacks an archive into a folder that may have other things in it.
    fn unpack(&mut self, archive: &Path, into: &Path) -> Result<()> {
        let shown = archive.file_name().unwrap_or_default().to_string_lossy();
        self.watch.says(&format!("unpacking {shown}"));
        let fresh = workshop(&self.card.name).join(format!("unpacked-{}", self.unpacked));
        self.unpacked += 1;
        remove(&fresh)?;
        fs::create_dir_all(&fresh).with_context(|| format!("creating {}", fresh.display()))?;
        let mut go_on =
            |_| if self.watch.stops() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let done = unpack(archive, &fresh, &Limits::default(), &mut go_on);
        if self.watch.stops() {
            bail!(HubError::Stopped);
        }
        done?;
        merge(&fresh, into)?;
        remove(&fresh)
    }

    /// Takes up all files of a folder: as other names of the same content where that can be, else as copies.
    pub(super) fn copy(&mut self, from: &Path, came: Came) -> Result<()> {
        for path in walk(from, DEPTH)? {
            if self.watch.stops() {
                bail!(HubError::Stopped);
            }
            let name = path.strip_prefix(from).unwrap_or(&path);
            if name == Path::new(ORIGIN) {
                // The note of a set that was taken up before is that set's own.
                continue;
            }
            sure_hub::place(&path, &self.folder.join(name))?;
        }
        self.came.push(came);
        Ok(())
    }

    /// Reads the set, writes down where it came from, and gives it its place.
    pub(super) fn finish(self) -> Result<Origin> {
        let Self { card, folder: made, came, .. } = self;
        // What has to be unpacked for reading goes with the workshop: the set is read anew where it will stand.
        let unpack_into = Some(workshop(&card.name).join("read"));
        let reading = read_dataset(&made, &ReadOptions { unpack_into, ..read_options(Protocol::Sure) })?;
        let found = &reading.manifest.name;
        if *found != card.name {
            bail!("it is no {}: the reader of {found} reads it", card.name);
        }
        let origin = Origin { name: card.name.clone(), sources: came, tree: tree(&made)? };
        let text = serde_json::to_string_pretty(&origin)? + "\n";
        fs::write(made.join(ORIGIN), text).with_context(|| format!("writing in {}", made.display()))?;
        let into = folder(&card.name);
        fs::create_dir_all(environment::datasets())?;
        fs::rename(&made, &into).with_context(|| format!("making {} appear", into.display()))?;
        remove(&workshop(&card.name))?;
        Ok(origin)
    }
}

/// Whether a name is that of an archive which is unpacked.
pub(super) fn is_archive(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".tar.gz", ".tgz", ".tar", ".zip"].iter().any(|ending| name.ends_with(ending))
}

/// Whether a file is an archive, by its content.
pub(super) fn holds_archive(file: &Path) -> bool {
    Format::of(file).is_ok()
}

/// Moves all of `from` into `into`; folders of the same name become one.
fn merge(from: &Path, into: &Path) -> Result<()> {
    fs::create_dir_all(into).with_context(|| format!("creating {}", into.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let path = entry?.path();
        let place = into.join(path.file_name().unwrap_or_default());
        if path.is_dir() && place.is_dir() {
            merge(&path, &place)?;
        } else if place.is_file() && path.is_file() && sure_hub::sum(&path)? == sure_hub::sum(&place)? {
            // Parts of a set carry the same licence and lists.
        } else if place.exists() {
            bail!("two archives have a file {}, and not the same one", place.display());
        } else {
            fs::rename(&path, &place).with_context(|| format!("moving {}", path.display()))?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// All files below a folder, sorted.
fn walk(folder: &Path, depth: usize) -> Result<Vec<PathBuf>> {
    if depth == 0 {
        bail!("{} lies too deep: do its links lead in a circle?", folder.display());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(walk(&path, depth - 1)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The hash of all files of a folder but the note of where they came from.
pub(super) fn tree(folder: &Path) -> Result<Tree> {
    let mut lines = Sha256::new();
    let (mut count, mut bytes) = (0, 0);
    for path in walk(folder, DEPTH)? {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        if name == Path::new(ORIGIN) {
            continue;
        }
        let sum = sure_hub::sum(&path)?;
        bytes += sum.bytes;
        count += 1;
        lines.update(format!("{}  {}\n", sum.sha256, name.display()));
    }
    Ok(Tree { files: count, bytes, sha256: sure_hub::hex(&lines.finalize()) })
}
