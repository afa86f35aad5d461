//! What of a repository makes a model: its settings, its tokens, and one set of weights.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::repository::inner;
use crate::{Check, Downloads, Entry, Hub, HubError, Repository, Sum, Watch};

/// The file without which a folder is no model.
pub const CONFIG: &str = "config.json";

/// Files beside the weights that are taken where they are there.
const SMALL: [&str; 10] = [
    CONFIG,
    "preprocessor_config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
];

/// Weights in the order in which they are preferred, with the index of their parts. Never more than one kind is taken.
const WEIGHTS: [(&str, &str); 2] = [
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
];

/// A model's files at a commit, before they are fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPlan {
    /// The repository.
    pub repository: Repository,
    /// The commit that its revision stands for.
    pub commit: String,
    /// The files, small ones first.
    pub files: Vec<Entry>,
}

/// A file of a model, or what keeps it from being there.
#[derive(Debug)]
pub struct ModelFile {
    /// Its path in the repository.
    pub file: String,
    /// Its place in the cache.
    pub path: PathBuf,
    /// What it is.
    pub sum: Sum,
    /// Whether it was there before.
    pub was_there: bool,
}

/// The files of `files` that make a model.
///
/// # Errors
///
/// [`HubError::NoModel`] says what is missing.
pub fn model_files(repository: &Repository, files: &[Entry]) -> Result<Vec<Entry>, HubError> {
    let find = |name: &str| files.iter().find(|entry| entry.path == name).cloned();
    let none =
        |reason: &str| HubError::NoModel { repository: repository.to_string(), reason: reason.to_owned() };
    if find(CONFIG).is_none() {
        return Err(none("it has no config.json"));
    }
    let mut chosen: Vec<Entry> = SMALL.iter().filter_map(|name| find(name)).collect();
    for (whole, index) in WEIGHTS {
        if let Some(entry) = find(whole) {
            chosen.push(entry);
            return Ok(chosen);
        }
        if let Some(entry) = find(index) {
            chosen.push(entry);
            chosen.extend(files.iter().filter(|entry| is_part(whole, &entry.path)).cloned());
            return Ok(chosen);
        }
    }
    Err(none("it has neither model.safetensors nor pytorch_model.bin, whole or in parts"))
}

/// Whether `path` is called as a part of `whole`: `model-00001-of-00002.safetensors`.
fn is_part(whole: &str, path: &str) -> bool {
    let Some((stem, ending)) = whole.rsplit_once('.') else { return false };
    let middle = path.strip_prefix(stem).and_then(|rest| rest.strip_suffix(ending));
    let numbers = middle.and_then(|middle| middle.strip_prefix('-')?.strip_suffix('.')?.split_once("-of-"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(part, of)| is_number(part) && is_number(of))
}

/// The parts that an index lists.
fn parts(repository: &Repository, index: &Path) -> Result<BTreeSet<String>, HubError> {
    let text = std::fs::read_to_string(index).map_err(HubError::io("read", index))?;
    let bad = |reason: &str| HubError::NoModel {
        repository: repository.to_string(),
        reason: format!("{}: {reason}", index.file_name().unwrap_or_default().to_string_lossy()),
    };
    let value: Value = serde_json::from_str(&text).map_err(|error| bad(&error.to_string()))?;
    let map =
        value.get("weight_map").and_then(Value::as_object).ok_or_else(|| bad("it has no weight_map"))?;
    let owner = repository.to_string();
    let name = |value: &Value| {
        let name = value.as_str().ok_or_else(|| bad("a part is no text"))?;
        inner(&owner, name).map(str::to_owned)
    };
    map.values().map(name).collect()
}

impl Hub {
    /// Finds out which files a model needs: from the hub, or without a network from the cache.
    ///
    /// # Errors
    ///
    /// Those of [`Hub::list`], [`HubError::NoModel`], and [`HubError::Changed`] where the revision has moved.
    pub fn plan_model(
        &self,
        repository: &Repository,
        downloads: &Downloads,
        watch: &dyn Watch,
    ) -> Result<ModelPlan, HubError> {
        let listing = if self.config().offline {
            self.list_cached(repository, downloads)?
        } else {
            self.list(repository, watch)?
        };
        downloads.hold_commit(repository, &listing.commit)?;
        let files = model_files(repository, &listing.files)?;
        Ok(ModelPlan { repository: repository.clone(), commit: listing.commit, files })
    }

    /// Brings the files of a model into the cache, and then says there what its revision stands for. `known` is what is
    /// known of a file besides, and `done` hears of each file as it comes.
    ///
    /// # Errors
    ///
    /// Those of [`Hub::file`]; [`HubError::Changed`] where a file is another than the first time.
    pub fn fetch_model(
        &self,
        plan: &ModelPlan,
        known: &dyn Fn(&str) -> Check,
        downloads: &Downloads,
        watch: &dyn Watch,
        done: &mut dyn FnMut(ModelFile),
    ) -> Result<(), HubError> {
        let ModelPlan { repository, commit, files } = plan;
        let mut indexed = BTreeSet::new();
        let mut fetched = BTreeSet::new();
        let mut fetch = |entry: &Entry| -> Result<PathBuf, HubError> {
            let name = format!("{}/{}", repository.id(), entry.path);
            let check = known(&entry.path).and(&entry.check, &name)?;
            let there = self.file(repository, commit, &entry.path, &check, watch)?;
            downloads.hold(repository, commit, &entry.path, &there.sum)?;
            let path = there.path.clone();
            done(ModelFile {
                file: entry.path.clone(),
                path: there.path,
                sum: there.sum,
                was_there: there.was_there,
            });
            Ok(path)
        };
        for entry in files {
            let path = fetch(entry)?;
            fetched.insert(entry.path.clone());
            if WEIGHTS.iter().any(|(_, index)| *index == entry.path) {
                indexed = parts(repository, &path)?;
            }
        }
        for part in indexed.difference(&fetched) {
            fetch(&Entry { path: part.clone(), check: Check::default() })?;
        }
        self.point(repository, commit)
    }

    /// The files that the cache has of the revision.
    fn list_cached(
        &self,
        repository: &Repository,
        downloads: &Downloads,
    ) -> Result<crate::Listing, HubError> {
        let (commit, folder) = self.cached(repository).ok_or_else(|| HubError::Offline {
            what: repository.to_string(),
            cache: self.config().cache.clone(),
        })?;
        let locked = downloads.locked(repository)?.unwrap_or_default().files;
        let entries = std::fs::read_dir(&folder).map_err(HubError::io("read", &folder))?;
        let mut files: Vec<Entry> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .map(|path| Entry {
                check: locked.get(&path).cloned().map(Check::from).unwrap_or_default(),
                path,
            })
            .collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(crate::Listing { commit, files })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn chosen(names: &[&str]) -> Result<Vec<String>, String> {
        let repository = Repository::parse(Kind::Model, "o/n").unwrap();
        let files: Vec<Entry> =
            names.iter().map(|name| Entry { path: (*name).to_owned(), check: Check::default() }).collect();
        let chosen = model_files(&repository, &files).map_err(|error| error.to_string())?;
        Ok(chosen.into_iter().map(|entry| entry.path).collect())
    }

    #[test]
    fn one_kind_of_weights_is_taken() {
        let all = [
            "README.md",
            "config.json",
            "model.safetensors",
            "pytorch_model.bin",
            "tf_model.h5",
            "vocab.json",
        ];
        assert_eq!(chosen(&all).unwrap(), ["config.json", "vocab.json", "model.safetensors"]);
        assert_eq!(
            chosen(&["config.json", "pytorch_model.bin"]).unwrap(),
            ["config.json", "pytorch_model.bin"]
        );
        let parted = [
            "config.json",
            "model.safetensors.index.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model-x-of-y.safetensors",
            "pytorch_model.bin",
        ];
        assert_eq!(chosen(&parted).unwrap(), parted[..4]);
        let bins = ["config.json", "pytorch_model.bin.index.json", "pytorch_model-00001-of-00001.bin"];
        assert_eq!(chosen(&bins).unwrap(), bins);
    }

    #[test]
    fn what_is_no_model_says_what_it_lacks() {
        assert!(chosen(&["model.safetensors"]).unwrap_err().contains("config.json"));
        assert!(chosen(&["config.json", "a/model.safetensors"]).unwrap_err().contains("neither"));
    }
}
