//! Which recordings, and what each is called: files, folders, manifests, and lists of them.

use std::{
    collections::HashMap,
    fs,
    io::Read as _,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use sure_data::Manifest;

/// Endings of files that are taken from a folder: what `sure_audio` decodes.
const ENDINGS: [&str; 9] = ["wav", "wave", "aif", "aiff", "aifc", "flac", "mp3", "ogg", "oga"];

/// A recording with the name that its states get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// A file's stem, a manifest's id, or in a folder the path from there without its ending.
    pub name: String,
    /// The recording.
    pub path: PathBuf,
}

/// The recordings, in the order in which they were named; folders are sorted.
#[derive(Debug, Default)]
pub struct Inputs {
    /// The recordings; no two have one name.
    pub clips: Vec<Clip>,
    /// What was left out, with numbers.
    pub notes: Vec<String>,
    names: HashMap<String, usize>,
}

impl Inputs {
    /// Gathers what `words` name: recordings, folders, manifests (`.jsonl`, `.csv`). `lists` are files with such a word a
    /// line, `-` is standard input. Recordings that a manifest has inside longer ones are unpacked below `unpack_into`.
    ///
    /// # Errors
    /// When a list, folder or manifest cannot be read or names nothing, or two recordings would have one name. A
    /// recording that is not there is found out later, with those that cannot be decoded.
    pub fn gather(words: &[PathBuf], lists: &[PathBuf], unpack_into: &Path) -> Result<Self> {
        let mut inputs = Self::default();
        for word in words {
            inputs.add(word, unpack_into)?;
        }
        for list in lists {
            for line in read_list(list)?.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
                inputs.add(Path::new(line), unpack_into)?;
            }
        }
        ensure!(!inputs.clips.is_empty(), "no recording is named");
        Ok(inputs)
    }

    fn add(&mut self, word: &Path, unpack_into: &Path) -> Result<()> {
        if word.is_dir() {
            return self.add_folder(word);
        }
        if ends_with(word, &["jsonl", "csv"]) {
            for row in Manifest::read_unpacked(word, unpack_into)?.rows {
                self.push(row.id, row.audio)?;
            }
            return Ok(());
        }
        let stem = word.file_stem().with_context(|| format!("{} has no name", word.display()))?;
        self.push(stem.to_string_lossy().into_owned(), word.to_owned())
    }

    fn add_folder(&mut self, root: &Path) -> Result<()> {
        let real = fs::canonicalize(root).with_context(|| format!("reading {}", root.display()))?;
        let mut found = Walk { root: &real, files: Vec::new(), links: 0 };
        found.walk(root)?;
        if found.links > 0 {
            let (links, root) = (found.links, root.display());
            self.notes
                .push(format!("{links} links in {root} lead to folders or out of it and were left out"));
        }
        ensure!(
            !found.files.is_empty(),
            "{} holds no recording (files ending in {})",
            root.display(),
            ENDINGS.join(", ")
        );
        for path in found.files {
            let inside = path.strip_prefix(root).unwrap_or(&path).with_extension("");
            let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            self.push(parts.join("/"), path)?;
        }
        Ok(())
    }

    fn push(&mut self, name: String, path: PathBuf) -> Result<()> {
        if let Some(&other) = self.names.get(&name) {
            let other = self.clips[other].path.display();
            bail!(
                "two recordings are called {name}: {other} and {}; name the folder above them, or give them ids in a \
                 manifest",
                path.display()
            );
        }
        self.names.insert(name.clone(), self.clips.len());
        self.clips.push(Clip { name, path });
        Ok(())
    }
}

/// Whether `name` can be a path inside a folder: no way up, no root, no empty part.
pub(super) fn is_inner_path(name: &str) -> bool {
    let plain = |part: &str| {
        let mut parts = Path::new(part).components();
        matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
    };
    name.split('/').all(plain)
}

struct Walk<'a> {
    root: &'a Path,
    files: Vec<PathBuf>,
    /// Links that were not followed.
    links: usize,
}

impl Walk<'_> {
    /// Adds the recordings below `folder`, sorted by name; names that begin with a dot are passed over.
    fn walk(&mut self, folder: &Path) -> Result<()> {
        let reading = || format!("reading {}", folder.display());
        let mut entries = fs::read_dir(folder)
            .with_context(reading)?
            .collect::<Result<Vec<_>, _>>()
            .with_context(reading)?;
        entries.retain(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, kind) = (entry.path(), entry.file_type().with_context(reading)?);
            if kind.is_dir() {
                self.walk(&path)?;
            } else if kind.is_symlink() && !self.leads_to_a_file_within(&path) {
                self.links += 1;
            } else if ends_with(&path, &ENDINGS) {
                self.files.push(path);
            }
        }
        Ok(())
    }

    /// A link to a folder within would name its files twice.
    fn leads_to_a_file_within(&self, link: &Path) -> bool {
        fs::canonicalize(link).is_ok_and(|target| target.is_file() && target.starts_with(self.root))
    }
}

fn ends_with(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|ending| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn read_list(path: &Path) -> Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("reading the list on standard input")?;
        return Ok(text);
    }
    fs::read_to_string(path).with_context(|| format!("reading the list {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(words: &[PathBuf]) -> Result<Vec<(String, PathBuf)>> {
        let inputs = Inputs::gather(words, &[], Path::new("nowhere"))?;
        Ok(inputs.clips.into_iter().map(|clip| (clip.name, clip.path)).collect())
    }

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_is_walked_in_order_and_its_recordings_are_called_by_their_way_from_it() {
        let folder = tree(&["b/2.FLAC", "b/1.wav", "a.mp3", "note.txt", ".hidden/x.wav", "b/._1.wav"]);
        let names: Vec<String> =
            gather(&[folder.path().to_owned()]).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b/1", "b/2"]);
    }

    #[test]
    fn plain_files_keep_their_order_and_are_called_by_their_stems() {
        let words = ["z/one.wav", "a/two.v2.wav"].map(PathBuf::from);
        let names: Vec<String> = gather(&words).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["one", "two.v2"]);
    }

    #[test]
    fn one_name_for_two_is_an_error_that_names_both() {
        let error = gather(&["x/one.wav", "y/one.flac"].map(PathBuf::from)).unwrap_err().to_string();
        assert!(error.contains("x/one.wav") && error.contains("y/one.flac"), "{error}");
        let folder = tree(&["one.wav", "one.flac"]);
        let error = gather(&[folder.path().to_owned()]).unwrap_err().to_string();
        assert!(error.contains("one.wav") && error.contains("one.flac"), "{error}");
    }

    #[test]
    fn a_folder_without_recordings_says_what_it_looked_for() {
        let folder = tree(&["note.txt"]);
        let error = gather(&[folder.path().to_owned()]).unwrap_err().to_string();
        assert!(error.contains("flac"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_out_of_a_folder() {
        use std::os::unix::fs::symlink;
        let (folder, outside) = (tree(&["in/1.wav"]), tree(&["2.wav"]));
        let root = folder.path();
        symlink(outside.path(), root.join("away")).unwrap();
        symlink(outside.path().join("2.wav"), root.join("2.wav")).unwrap();
        symlink(root, root.join("round")).unwrap();
        symlink(root.join("in/1.wav"), root.join("same.wav")).unwrap();
        let inputs = Inputs::gather(&[root.to_owned()], &[], Path::new("nowhere")).unwrap();
        let names: Vec<&str> = inputs.clips.iter().map(|clip| clip.name.as_str()).collect();
        assert_eq!(names, ["in/1", "same"]);
        assert!(inputs.notes[0].starts_with("3 links"), "{:?}", inputs.notes);
    }

    #[test]
    fn a_name_that_leads_out_of_a_folder_is_no_inner_path() {
        for (name, fits) in [("a", true), ("a/b.c", true), ("../a", false), ("/a", false), ("a//b", false)] {
            assert_eq!(is_inner_path(name), fits, "{name}");
        }
        assert!(!is_inner_path("") && !is_inner_path("a/."));
    }
}
