//! Chosen files of a zip archive; a Python wheel is one too.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Unpacks the files for which `place` names a path below `dir`; how many they were.
pub(crate) fn unpack(archive: &Path, dir: &Path, place: impl Fn(&Path) -> Option<PathBuf>) -> Result<usize> {
    let context = || format!("unpacking {}", archive.display());
    let file = File::open(archive).with_context(context)?;
    let mut zip = zip::ZipArchive::new(BufReader::new(file)).with_context(context)?;
    let mut count = 0;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).with_context(context)?;
        // `enclosed_name` is `None` for a name that would leave the folder.
        let Some(target) = entry.enclosed_name().filter(|_| entry.is_file()).and_then(&place) else {
            continue;
        };
        let target = dir.join(target);
        let parent = target.parent().context("an entry without a folder")?;
        fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
        let file = File::create(&target).with_context(|| format!("creating {}", target.display()))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        io::copy(&mut entry, &mut out).with_context(|| format!("writing {}", target.display()))?;
        out.into_inner().with_context(|| format!("writing {}", target.display()))?;
        count += 1;
    }
    ensure!(count > 0, "{} holds nothing of what is looked for", archive.display());
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn only_chosen_files_are_unpacked_and_none_leaves_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("a.zip");
        let mut zip = zip::ZipWriter::new(File::create(&archive).unwrap());
        for name in ["torch/lib/libc10.so", "torch/bin/x", "torch/lib/../../../evil"] {
            zip.start_file(name, zip::write::FileOptions::default()).unwrap();
            zip.write_all(name.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        let dir = folder.path().join("out");
        let place = |path: &Path| path.strip_prefix("torch/lib").ok().map(Path::to_path_buf);
        assert_eq!(unpack(&archive, &dir, place).unwrap(), 1);
        assert_eq!(fs::read_to_string(dir.join("libc10.so")).unwrap(), "torch/lib/libc10.so");
        assert!(unpack(&archive, &dir, |_| None).is_err());
    }
}
