//! From the word after `--backbone` to a network.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sure_nn::{Backbone, Seed, tch::Device};
use sure_zoo::{Compat, LoadOptions, Weights, from_dir};

use crate::{cell::absolute, embedded, environment};

/// Seed of `random:` backbones: the same for every run, so that runs can be compared.
const RANDOM_SEED: u64 = 0;

/// A backbone that the user named: a folder, a hub id in the local cache, or the word for the embedded one; with
/// `random:` in front, its graph with weights that are drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackboneRef {
    /// The folder.
    pub folder: PathBuf,
    /// Whether its weights are to be drawn at random.
    pub random: bool,
    /// How tables and records call it.
    pub name: String,
    /// Whether it is the embedded one.
    embedded: bool,
}

/// Something that is needed is not there: exit code 3.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Missing(pub String);

impl BackboneRef {
    /// Finds the backbone that `text` names.
    ///
    /// # Errors
    /// When the folder or the cached download is not there.
    pub fn find(text: &str) -> Result<Self> {
        let (random, rest) = match text.strip_prefix("random:") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let is_word = rest == embedded::BACKBONE;
        let folder = if is_word { embedded::backbone()? } else { locate(rest)? };
        // By its path it is the same backbone, and bears the same name.
        let same = || Some(folder.canonicalize().ok()? == embedded::backbone().ok()?.canonicalize().ok()?);
        let embedded = is_word || same().unwrap_or(false);
        let name = if embedded { embedded::BACKBONE.to_owned() } else { canonical_name(&folder, rest) };
        let name = if random { format!("random:{name}") } else { name };
        Ok(Self { folder, random, name, embedded })
    }

    /// Opens it.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn open(&self, device: Device, compat: Compat) -> Result<Box<dyn Backbone>> {
        let weights = if self.random { Weights::Random(Seed::new(RANDOM_SEED)) } else { Weights::Pretrained };
        self.open_with(weights, device, compat)
    }

    /// The word that finds it from anywhere on this machine.
    ///
    /// # Errors
    /// When the folder is gone.
    pub fn absolute(&self) -> Result<String> {
        if self.embedded {
            // A checkout may be moved.
            return Ok(self.name.clone());
        }
        let random = if self.random { "random:" } else { "" };
        Ok(format!("{random}{}", absolute(&self.folder)?.display()))
    }

    /// Its graph alone, for counting parameters.
    ///
    /// # Errors
    /// When its configuration is missing or damaged.
    pub fn open_blank(&self) -> Result<Box<dyn Backbone>> {
        self.open_with(Weights::Blank, Device::Cpu, Compat::Sure)
    }

    fn open_with(&self, weights: Weights, device: Device, compat: Compat) -> Result<Box<dyn Backbone>> {
        let options = LoadOptions { weights, device, compat };
        from_dir(&self.folder, &options).with_context(|| format!("opening the backbone {}", self.name))
    }
}

/// Whether `text` looks like `owner/name` or `owner/name@revision`, and not like a path.
pub(crate) fn is_hub_id(text: &str) -> bool {
    let id = text.split('@').next().unwrap_or_default();
    !text.starts_with(['.', '/', '~']) && id.matches('/').count() == 1
}

fn locate(text: &str) -> Result<PathBuf> {
    let folder = PathBuf::from(text);
    if folder.is_dir() {
        return Ok(folder);
    }
    if !is_hub_id(text) {
        return Err(Missing(format!(
            "no backbone folder {text:?}: it should hold config.json and its weights"
        ))
        .into());
    }
    let (id, revision) = text.split_once('@').unwrap_or((text, "main"));
    if let Some(snapshot) = cached(id, revision)? {
        return Ok(snapshot);
    }
    let elsewhere = environment::models().join(id);
    if revision == "main" && elsewhere.join("config.json").is_file() {
        return Ok(elsewhere);
    }
    let error = Missing(format!(
        "the backbone {text} is neither a folder nor in the hub cache {}; get it with `cargo xtask download --model \
         {text}` and try again, or name a folder",
        environment::hub_cache().display()
    ));
    Err(error.into())
}

/// The snapshot folder of `id` in the hub's cache, which Python shares.
fn cached(id: &str, revision: &str) -> Result<Option<PathBuf>> {
    if id.contains("..") || revision.contains("..") {
        bail!("{id}@{revision} is no hub id");
    }
    let folder = environment::hub_cache().join(format!("models--{}", id.replace('/', "--")));
    let commit = std::fs::read_to_string(folder.join("refs").join(revision));
    let commit = commit.map_or_else(|_| revision.to_owned(), |text| text.trim().to_owned());
    let snapshot = folder.join("snapshots").join(commit);
    Ok(snapshot.join("config.json").is_file().then_some(snapshot))
}

/// The last two parts of the folder's path: `openai/whisper-tiny.en`; hub ids stay as they are.
fn canonical_name(folder: &Path, text: &str) -> String {
    if !Path::new(text).is_dir() {
        return text.to_owned();
    }
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mut parts: Vec<String> =
        full.iter().rev().take(2).map(|part| part.to_string_lossy().into_owned()).collect();
    parts.reverse();
    parts.retain(|part| part != "/");
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_says_what_it_should_hold() {
        let error = BackboneRef::find("./nowhere").unwrap_err();
        assert!(error.downcast_ref::<Missing>().is_some());
        assert!(error.to_string().contains("config.json"), "{error}");
    }

    #[test]
    fn a_hub_id_that_is_not_cached_says_how_to_get_it() {
        let error = BackboneRef::find("nobody/nothing").unwrap_err();
        // As the exit code is found: among the causes.
        assert!(error.chain().any(|cause| cause.downcast_ref::<Missing>().is_some()));
        assert!(format!("{error:#}").contains("cargo xtask download --model nobody/nothing"), "{error:#}");
    }
}
