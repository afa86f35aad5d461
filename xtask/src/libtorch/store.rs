//! The user's folder of staged libtorchs, shared by all clones, and the link from a checkout into it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::VERSION;
use super::folder::{self, Libtorch, VERSION_FILE};
use crate::exit::Stop;

/// `$SURE_HOME`, as far as libtorch is concerned.
#[derive(Debug)]
pub(crate) struct Store {
    home: PathBuf,
}

impl Store {
    /// The store of this user.
    pub(crate) fn here() -> Result<Self> {
        let variable =
            |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
        let home = variable("SURE_HOME")
            .or_else(|| variable("XDG_DATA_HOME").map(|path| path.join("sure")))
            .or_else(|| variable("HOME").map(|path| path.join(data).join("sure")))
            .ok_or_else(|| Stop::Missing("no home folder to keep libtorch in: set SURE_HOME".into()))?;
        let home = std::path::absolute(&home).with_context(|| format!("resolving {}", home.display()))?;
        Ok(Self { home })
    }

    #[cfg(test)]
    pub(crate) fn at(home: &Path) -> Self {
        Self { home: home.to_path_buf() }
    }

    /// Where downloads wait until they are unpacked.
    pub(crate) fn downloads(&self) -> Result<PathBuf> {
        let path = self.home.join("downloads");
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(path)
    }

    fn folder(&self) -> PathBuf {
        self.home.join("libtorch")
    }

    /// The folder of one flavour, there or not.
    pub(crate) fn staged(&self, flavour: &str) -> PathBuf {
        self.folder().join(format!("{VERSION}-{flavour}"))
    }

    /// Waits until no other process stages; the lock ends with the process, however it ends.
    pub(crate) fn lock(&self) -> Result<File> {
        let folder = self.folder();
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let path = folder.join(".lock");
        let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        if file.try_lock().is_err() {
            eprintln!("waiting for another setup, which holds {}", path.display());
            file.lock().with_context(|| format!("locking {}", path.display()))?;
        }
        Ok(file)
    }

    /// Fills a new folder beside its final place, checks it, and moves it there in one step, so that a folder under
    /// its final name is whole. The caller holds the lock.
    pub(crate) fn stage(&self, flavour: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<Libtorch> {
        self.clear_leftovers()?;
        let last = self.staged(flavour);
        let next = self.folder().join(format!(".staging-{flavour}"));
        fs::create_dir_all(&next).with_context(|| format!("creating {}", next.display()))?;
        fill(&next)?;
        // Armed last: torch-sys compares this file with the version it wants.
        fs::write(next.join(VERSION_FILE), format!("{VERSION}\n"))?;
        folder::inspect(&next)
            .map_err(|fault| Stop::Failed(format!("what was staged is not whole: {fault}")))?;
        if last.symlink_metadata().is_ok() {
            fs::rename(&last, self.folder().join(".staging-replaced"))
                .with_context(|| format!("moving the broken {} away", last.display()))?;
        }
        fs::rename(&next, &last).with_context(|| format!("moving {} into place", last.display()))?;
        self.clear_leftovers()?;
        folder::inspect(&last).map_err(|fault| Stop::Failed(fault.to_string()).into())
    }

    fn clear_leftovers(&self) -> Result<()> {
        for entry in fs::read_dir(self.folder())? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".staging-")) {
                fs::remove_dir_all(&path).with_context(|| format!("removing {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// A small folder that stands for one elsewhere that has no `build-version`.
    pub(crate) fn stand_for(&self, dir: &Path) -> Result<Libtorch> {
        let digest = super::download::hex_digest(dir.as_os_str().as_encoded_bytes());
        self.stage(&format!("linked-{}", &digest[..8]), |next| {
            for name in ["lib", "include"] {
                symlink(&dir.join(name), &next.join(name))?;
            }
            Ok(())
        })
    }
}

/// Points the checkout's link to a folder, replacing an older link in one step.
pub(crate) fn link(checkout: &Path, target: &Path) -> Result<()> {
    let link = checkout.join("libtorch");
    match link.symlink_metadata() {
        Ok(meta) if !meta.is_symlink() => {
            return Err(Stop::Failed(format!(
                "{} is a folder, not the link that setup makes: move it away, or name it with --libtorch",
                link.display()
            ))
            .into());
        }
        Ok(_) if fs::read_link(&link).is_ok_and(|old| old == target) => return Ok(()),
        _ => {}
    }
    let next = checkout.join(format!(".libtorch-{}", std::process::id()));
    symlink(target, &next)?;
    fs::rename(&next, &link).with_context(|| format!("linking {}", link.display()))
}

/// A link to a folder.
#[cfg(unix)]
pub(crate) fn symlink(target: &Path, link: &Path) -> Result<()> {
    std::os::unix::fs::symlink(target, link)
        .with_context(|| format!("linking {} to {}", link.display(), target.display()))
}

/// A link to a folder.
#[cfg(windows)]
pub(crate) fn symlink(target: &Path, link: &Path) -> Result<()> {
    std::os::windows::fs::symlink_dir(target, link)
        .with_context(|| format!("linking {} to {}", link.display(), target.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_fails_leaves_nothing_under_the_final_name() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::at(home.path());
        let _lock = store.lock().unwrap();
        let error = store.stage("cpu", |_| anyhow::bail!("the disk is full")).unwrap_err();
        assert!(error.to_string().contains("disk"));
        assert!(store.stage("cpu", |_| Ok(())).unwrap_err().to_string().contains("not whole"));
        assert!(!store.staged("cpu").exists());
    }

    #[test]
    fn a_stage_replaces_a_broken_folder_and_clears_leftovers() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::at(home.path());
        let _lock = store.lock().unwrap();
        fs::create_dir_all(store.staged("cpu").join("lib")).unwrap();
        fs::create_dir_all(home.path().join("libtorch/.staging-cpu/half")).unwrap();
        let fill = |next: &Path| {
            folder::write_fake(next, VERSION, true);
            Ok(())
        };
        assert_eq!(store.stage("cpu", fill).unwrap().dir, store.staged("cpu").canonicalize().unwrap());
        let left: Vec<_> = fs::read_dir(home.path().join("libtorch")).unwrap().collect();
        assert_eq!(left.len(), 2, "the lock and the folder: {left:?}");
    }

    #[test]
    fn the_link_follows_the_last_setup_and_spares_a_real_folder() {
        let checkout = tempfile::tempdir().unwrap();
        for target in ["/one", "/two", "/two"] {
            link(checkout.path(), Path::new(target)).unwrap();
            assert_eq!(fs::read_link(checkout.path().join("libtorch")).unwrap(), Path::new(target));
        }
        fs::remove_file(checkout.path().join("libtorch")).unwrap();
        fs::create_dir(checkout.path().join("libtorch")).unwrap();
        assert!(link(checkout.path(), Path::new("/one")).is_err());
    }

    #[test]
    fn a_folder_elsewhere_is_stood_for_by_links() {
        let home = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        folder::write_fake(elsewhere.path(), VERSION, true);
        fs::remove_file(elsewhere.path().join(VERSION_FILE)).unwrap();
        let store = Store::at(home.path());
        let _lock = store.lock().unwrap();
        let found = store.stand_for(elsewhere.path()).unwrap();
        assert!(found.dir.join("lib").is_symlink());
        folder::inspect(&found.dir).unwrap();
    }
}
