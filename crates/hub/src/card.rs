//! Cards of checkpoints: what is known of one before it is there.
//!
//! A card is `cards/<name>.toml`, compiled in. It says nothing that nobody has looked up: a hash that is not known is not
//! there, and what the first download finds goes to [`crate::Downloads`]. A checkpoint without a card can be fetched all
//! the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Check, HubError, Kind, Repository, Source};

/// A checkpoint: one line a card.
macro_rules! cards {
    ($($name:literal),* $(,)?) => {
        /// The names of all cards with their text.
        const CARDS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../cards/", $name, ".toml")))),*];
    };
}

cards! {
    "wav2vec2-base",
    "wav2vec2-base-960h",
    "wav2vec2-large",
    "wav2vec2-large-lv60",
    "wav2vec2-large-960h-lv60-self",
    "wav2vec2-large-xlsr-53",
    "wav2vec2-large-xlsr-53-english",
    "hubert-base-ls960",
    "hubert-large-ll60k",
    "hubert-large-ls960-ft",
    "hubert-xlarge-ll60k",
    "wavlm-base",
    "wavlm-base-plus",
    "wavlm-large",
    "data2vec-audio-base",
    "data2vec-audio-large",
    "whisper-tiny",
    "whisper-tiny.en",
    "whisper-base",
    "whisper-small",
    "whisper-large-v3",
    "bert-base-uncased",
    "distilbert-base-uncased",
    "all-minilm-l6-v2",
}

/// What is known of a checkpoint.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Its name on the hub, `owner/name`.
    pub id: String,
    /// The family it belongs to: `model_type` of its config.json.
    pub family: String,
    /// What it is, in a line.
    pub title: String,
    /// The licence: its SPDX name, with words where it has none.
    pub licence: String,
    /// The owner's page.
    pub homepage: String,
    /// The paper that describes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper: Option<String>,
    /// The width of its hidden states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<u32>,
    /// Its transformer blocks; those of the encoder, where there is a decoder too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<u32>,
    /// Hashes that somebody has looked up, at a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
    /// Where else it can be had, after the hub.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<ModelSource>,
}

/// The files of a commit.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The commit: at another one the files may be others.
    pub commit: String,
    /// What is known of them.
    pub files: BTreeMap<String, Check>,
}

/// Where else a checkpoint can be had.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum ModelSource {
    /// A package of the index of Python packages.
    Package {
        /// Its name.
        package: String,
        /// Its version.
        version: String,
        /// Each file of the checkpoint, and where in the package it is.
        files: BTreeMap<String, String>,
    },
    /// A place on the web.
    Url {
        /// Each file of the checkpoint, and its address.
        url: BTreeMap<String, String>,
    },
}

impl ModelSource {
    /// Each file of the checkpoint, and where it is.
    pub fn files(&self) -> Vec<(String, Source)> {
        match self {
            Self::Package { package, version, files } => {
                let source = |member: &String| Source::Package {
                    package: package.clone(),
                    version: version.clone(),
                    member: member.clone(),
                };
                files.iter().map(|(file, member)| (file.clone(), source(member))).collect()
            }
            Self::Url { url } => {
                url.iter().map(|(file, url)| (file.clone(), Source::Url { url: url.clone() })).collect()
            }
        }
    }
}

impl ModelCard {
    /// All cards.
    ///
    /// # Errors
    ///
    /// [`HubError::Card`] for one that cannot be read.
    pub fn all() -> Result<Vec<Self>, HubError> {
        CARDS.iter().map(|(name, text)| Self::from_toml(name, text)).collect()
    }

    /// The card of a checkpoint by its name on the hub, where it has one.
    ///
    /// # Errors
    ///
    /// [`HubError::Card`].
    pub fn of(id: &str) -> Result<Option<Self>, HubError> {
        Ok(Self::all()?.into_iter().find(|card| card.id == id))
    }

    /// Reads a card. `name` is what an error calls it.
    ///
    /// # Errors
    ///
    /// [`HubError::Card`], which names line and column; also where the id is none.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, HubError> {
        let bad = |reason: String| HubError::Card { name: name.to_owned(), reason };
        let card: Self = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
        Repository::new(Kind::Model, &card.id, "main").map_err(|error| bad(error.to_string()))?;
        Ok(card)
    }

    /// What the card knows of a file at `commit`.
    pub fn check(&self, commit: &str, file: &str) -> Check {
        let known = self.known.as_ref().filter(|known| known.commit == commit);
        known.and_then(|known| known.files.get(file)).cloned().unwrap_or_default()
    }

    /// What the card knows of a file that comes from elsewhere, where it must be the known one.
    pub fn check_elsewhere(&self, file: &str) -> Check {
        self.known.as_ref().and_then(|known| known.files.get(file)).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::repository::{inner, is_commit};

    #[test]
    fn every_card_can_be_read_and_names_a_checkpoint_of_its_own() {
        let cards = ModelCard::all().unwrap();
        let ids: BTreeSet<&str> = cards.iter().map(|card| card.id.as_str()).collect();
        assert_eq!(ids.len(), cards.len());
        for (card, (name, _)) in cards.iter().zip(CARDS) {
            let own = card.id.rsplit('/').next().unwrap_or_default().to_lowercase();
            assert_eq!(own, *name, "a card is called as its checkpoint");
            assert!(!card.licence.is_empty() && card.homepage.starts_with("https://"), "{name}");
            assert!(card.hidden.is_some() && card.blocks.is_some(), "{name}");
        }
    }

    #[test]
    fn every_file_of_the_folder_is_compiled_in() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("cards");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let listed: BTreeSet<String> = CARDS.iter().map(|(name, _)| format!("{name}.toml")).collect();
        assert_eq!(there, listed);
    }

    #[test]
    fn what_a_card_knows_has_the_form_of_a_hash() {
        for card in ModelCard::all().unwrap() {
            let Some(known) = &card.known else { continue };
            assert!(is_commit(&known.commit), "{}", card.id);
            for (file, check) in &known.files {
                inner(&card.id, file).unwrap();
                let is_hash =
                    |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                assert!(check.sha256.as_ref().is_none_or(is_hash), "{} {file}", card.id);
            }
            assert_eq!(card.check("another", "config.json"), Check::default());
            for (file, _) in card.sources.iter().flat_map(ModelSource::files) {
                inner(&card.id, &file).unwrap();
            }
        }
    }

    #[test]
    fn a_word_that_no_card_has_is_an_error() {
        let error = ModelCard::from_toml("x", "id = 'a/b'\nlicense = 'MIT'\n").unwrap_err().to_string();
        assert!(error.contains("card x") && error.contains("license"), "{error}");
        let text = "id = '../b'\nfamily = 'x'\ntitle = 'x'\nlicence = 'x'\nhomepage = 'x'\n";
        assert!(ModelCard::from_toml("x", text).is_err());
    }
}
