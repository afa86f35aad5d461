//! Repositories of the hub by their names.

use std::fmt;

use hf_hub::{Repo, RepoType};

use crate::HubError;
use crate::address::escape;

/// What a repository holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A model.
    Model,
    /// A data set.
    Dataset,
}

/// A repository of the hub at a revision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    kind: Kind,
    id: String,
    revision: String,
}

/// The revision where none is named.
const MAIN: &str = "main";

impl Repository {
    /// The repository `id` at `revision`: a branch, a tag, a commit, or a ref as `refs/convert/parquet`.
    ///
    /// # Errors
    ///
    /// [`HubError::Name`] where the hub could have no such name.
    pub fn new(kind: Kind, id: &str, revision: &str) -> Result<Self, HubError> {
        check_id(id)?;
        check_revision(revision)?;
        Ok(Self { kind, id: id.to_owned(), revision: revision.to_owned() })
    }

    /// The repository that `text` names: `owner/name`, or `owner/name@revision`.
    ///
    /// # Errors
    ///
    /// [`HubError::Name`].
    pub fn parse(kind: Kind, text: &str) -> Result<Self, HubError> {
        let (id, revision) = text.split_once('@').unwrap_or((text, MAIN));
        Self::new(kind, id, revision)
    }

    /// What it holds.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// `owner/name`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The revision.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The same repository at another revision.
    ///
    /// # Errors
    ///
    /// [`HubError::Name`].
    pub fn at(&self, revision: &str) -> Result<Self, HubError> {
        Self::new(self.kind, &self.id, revision)
    }

    /// `models/owner/name@revision`: its name in lists.
    pub fn key(&self) -> String {
        let folder = match self.kind {
            Kind::Model => "models",
            Kind::Dataset => "datasets",
        };
        format!("{folder}/{}@{}", self.id, self.revision)
    }

    /// Whether the revision is a whole commit id, whose files never change.
    pub fn is_pinned(&self) -> bool {
        is_commit(&self.revision)
    }

    pub(crate) fn repo(&self) -> Repo {
        let kind = match self.kind {
            Kind::Model => RepoType::Model,
            Kind::Dataset => RepoType::Dataset,
        };
        Repo::with_revision(self.id.clone(), kind, self.revision.clone())
    }

    /// Its page below the endpoint.
    pub(crate) fn page(&self, endpoint: &str) -> String {
        format!("{endpoint}/{}{}", self.prefix(), self.id)
    }

    /// The address of a file.
    pub(crate) fn resolve(&self, endpoint: &str, file: &str) -> String {
        format!("{}/resolve/{}/{}", self.page(endpoint), escape(&self.revision, false), escape(file, true))
    }

    /// The address of its list of files.
    pub(crate) fn info(&self, endpoint: &str) -> String {
        let kind = match self.kind {
            Kind::Model => "models",
            Kind::Dataset => "datasets",
        };
        format!("{endpoint}/api/{kind}/{}/revision/{}?blobs=true", self.id, escape(&self.revision, false))
    }

    const fn prefix(&self) -> &'static str {
        match self.kind {
            Kind::Model => "",
            Kind::Dataset => "datasets/",
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Model => "model",
            Kind::Dataset => "data set",
        };
        write!(out, "{kind} {}", self.id)?;
        if self.revision == MAIN { Ok(()) } else { write!(out, "@{}", self.revision) }
    }
}

/// Whether `text` is a whole commit id.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn check_id(id: &str) -> Result<(), HubError> {
    let bad = |reason: &str| Err(HubError::name(id, "id on the hub", reason));
    if id.matches('/').count() > 1 {
        return bad("it should be owner/name");
    }
    for part in id.split('/') {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if part.is_empty()
            || part.starts_with(['.', '-'])
            || part.contains("..")
            || !part.chars().all(is_plain)
        {
            return bad("it should be owner/name, of letters, digits, `-`, `_` and `.`");
        }
    }
    Ok(())
}

fn check_revision(revision: &str) -> Result<(), HubError> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.+/".contains(letter);
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains("..");
    if revision.chars().all(is_plain) && revision.split('/').all(is_part) {
        return Ok(());
    }
    Err(HubError::name(revision, "revision", "it should be a branch, a tag or a commit"))
}

/// `path` where it leads to a place below its folder and nowhere else; `owner` is who named it.
///
/// # Errors
///
/// [`HubError::Path`].
pub(crate) fn inner<'a>(owner: &str, path: &'a str) -> Result<&'a str, HubError> {
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    let has_odd = path.contains(['\\', ':', '\0']) || path.chars().any(char::is_control);
    if !has_odd && path.split('/').all(is_plain) {
        return Ok(path);
    }
    Err(HubError::Path { owner: owner.to_owned(), path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_the_hubs() {
        let model = Repository::parse(Kind::Model, "facebook/wav2vec2-base").unwrap();
        assert_eq!(
            model.resolve("http://h", "config.json"),
            "http://h/facebook/wav2vec2-base/resolve/main/config.json"
        );
        assert_eq!(model.key(), "models/facebook/wav2vec2-base@main");
        assert_eq!(model.to_string(), "model facebook/wav2vec2-base");
        let set = Repository::new(Kind::Dataset, "google/fleurs", "refs/convert/parquet").unwrap();
        assert_eq!(
            set.resolve("http://h", "en us/0.parquet"),
            "http://h/datasets/google/fleurs/resolve/refs%2Fconvert%2Fparquet/en%20us/0.parquet"
        );
        assert_eq!(
            set.info("http://h"),
            "http://h/api/datasets/google/fleurs/revision/refs%2Fconvert%2Fparquet?blobs=true"
        );
        assert_eq!(set.repo().folder_name(), "datasets--google--fleurs");
        assert_eq!(Repository::parse(Kind::Model, "gpt2@v1.0").unwrap().revision(), "v1.0");
    }

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        for id in ["", "a/b/c", "../x", "a/..", "a/.b", "a b", "/a", "a/", "-a/b", "a/b?c", "a/b#c", "ü/x"] {
            assert!(Repository::new(Kind::Model, id, "main").is_err(), "{id}");
        }
        for revision in ["", "../..", "a..b", "/a", "a/", "a b", "a?b", ".a", "a\nb"] {
            assert!(Repository::new(Kind::Model, "a/b", revision).is_err(), "{revision}");
        }
        for path in ["", "/etc/passwd", "../a", "a/../b", "a//b", "./a", "a\\b", "C:x", "a\0", "a\n"] {
            assert!(inner("x", path).is_err(), "{path:?}");
        }
        assert_eq!(inner("x", "a/b.c/..d").unwrap(), "a/b.c/..d");
    }
}
