//! What can go wrong between a name and its file.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// What can go wrong between a name and its file. No message holds a token or the query of an address.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HubError {
    /// The file system refused.
    #[error("{action} {}", path.display())]
    Io {
        /// What was being done, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A setting or a name that cannot be one.
    #[error("{text:?} is no {what}: {reason}")]
    Name {
        /// What was given.
        text: String,
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A path from a server that leads out of its folder.
    #[error("{owner} names the file {path:?}, which is no path below its folder; it is refused")]
    Path {
        /// Who named it.
        owner: String,
        /// The path.
        path: String,
    },
    /// Nothing may be asked, and it is not there.
    #[error(
        "{what} is not in the hub cache {}, and HF_HUB_OFFLINE forbids to fetch it; unset it, or fill the cache on a \
         machine with a network and copy it",
        cache.display()
    )]
    Offline {
        /// What is wanted.
        what: String,
        /// Where it was looked for.
        cache: PathBuf,
    },
    /// No such repository, or none that may be seen.
    #[error(
        "the hub at {endpoint} has no {repository}, or it is private{}",
        if *signed { ": the token in HF_TOKEN does not open it" } else { ": then a token is needed, in HF_TOKEN" }
    )]
    NoRepository {
        /// The repository.
        repository: String,
        /// The hub.
        endpoint: String,
        /// Whether a token was sent.
        signed: bool,
    },
    /// No such branch, tag or commit.
    #[error("{repository} has no revision {revision:?}; its branches and tags: {page}")]
    NoRevision {
        /// The repository.
        repository: String,
        /// The revision.
        revision: String,
        /// Where to look.
        page: String,
    },
    /// No such file.
    #[error("{repository} has no file {file} at revision {revision}")]
    NoFile {
        /// The repository.
        repository: String,
        /// The revision.
        revision: String,
        /// The file.
        file: String,
    },
    /// Files that are had only by somebody who has agreed to a licence.
    #[error(
        "{repository} is gated: agree to its licence at {page}{}",
        if *signed {
            ", with the account whose token HF_TOKEN is; this one has no access yet"
        } else {
            " and set HF_TOKEN to a token of that account (https://huggingface.co/settings/tokens)"
        }
    )]
    Gated {
        /// The repository.
        repository: String,
        /// Its page.
        page: String,
        /// Whether a token was sent.
        signed: bool,
    },
    /// The token is refused, or there is none.
    #[error(
        "{address} answers {status}: {}",
        if *signed { "the token in HF_TOKEN is refused" } else { "it wants a token, in HF_TOKEN" }
    )]
    Refused {
        /// What was asked.
        address: String,
        /// The status.
        status: u16,
        /// Whether a token was sent.
        signed: bool,
    },
    /// Another status than was hoped for.
    #[error("{address} answers {status}{}", if message.is_empty() { String::new() } else { format!(": {message}") })]
    Status {
        /// What was asked.
        address: String,
        /// The status.
        status: u16,
        /// What the server says of it.
        message: String,
        /// For how long it asks to be left alone, in seconds.
        wait: Option<u64>,
    },
    /// No answer, or half of one.
    #[error("{address}: {reason}")]
    Network {
        /// What was asked.
        address: String,
        /// What happened.
        reason: String,
    },
    /// An answer that is none of this protocol.
    #[error("{address} gives an answer that cannot be used: {reason}")]
    Answer {
        /// What was asked.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Too many attempts brought nothing.
    #[error(
        "{file}: {attempts} attempts in a row brought nothing new; what has come so far is kept for the next call"
    )]
    Exhausted {
        /// The file.
        file: String,
        /// How many.
        attempts: u32,
        /// The last reason.
        #[source]
        last: Box<HubError>,
    },
    /// A file that is not what it should be. Of one that was fetched nothing was kept.
    #[error("{file} is wrong: its {what} should be {expected} and is {found}")]
    Wrong {
        /// The file.
        file: String,
        /// What of it.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A file or revision that is another than the first time.
    #[error(
        "{what} has changed since it was first downloaded: {locked} stands in {}, the source now has {found}; --update \
         accepts what is there now",
        path.display()
    )]
    Changed {
        /// The file or revision.
        what: String,
        /// What is written down.
        locked: String,
        /// What is there now.
        found: String,
        /// Where it is written down.
        path: PathBuf,
    },
    /// The disk is too small.
    #[error("{} has {free} bytes free, {file} needs {needed} more", path.display())]
    Space {
        /// The file.
        file: String,
        /// The folder.
        path: PathBuf,
        /// How many bytes are free.
        free: u64,
        /// How many are needed.
        needed: u64,
    },
    /// Nobody has the file.
    #[error("no source has {file}:\n  {}", failures.join("\n  "))]
    Sources {
        /// The file.
        file: String,
        /// Each source, with what went wrong there.
        failures: Vec<String>,
    },
    /// A repository without what a model needs.
    #[error("{repository} holds no model that can be used: {reason}")]
    NoModel {
        /// The repository.
        repository: String,
        /// What is missing.
        reason: String,
    },
    /// A card that cannot be read.
    #[error("the card {name}: {reason}")]
    Card {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The list of what was downloaded cannot be read.
    #[error("{} is damaged: {reason}; remove it, and it is written anew", path.display())]
    Lockfile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Somebody asked to stop.
    #[error("stopped; the same command goes on where it was")]
    Stopped,
}

impl HubError {
    /// The file system refused to do `action` with `path`.
    pub(crate) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn wrong(file: &str, what: &'static str, expected: &str, found: &str) -> Self {
        Self::Wrong { file: file.to_owned(), what, expected: expected.to_owned(), found: found.to_owned() }
    }

    pub(crate) fn name(text: &str, what: &'static str, reason: &str) -> Self {
        Self::Name { text: text.to_owned(), what, reason: reason.to_owned() }
    }

    /// Whether another attempt may help: no answer, half of one, a server in trouble.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Network { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }

    /// Whether something is missing that the user can get: a licence, a token, a network. All else is a fault.
    pub fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::Offline { .. }
                | Self::NoRepository { .. }
                | Self::NoRevision { .. }
                | Self::NoFile { .. }
                | Self::NoModel { .. }
                | Self::Gated { .. }
                | Self::Refused { .. }
                | Self::Status { .. }
                | Self::Network { .. }
                | Self::Exhausted { .. }
                | Self::Sources { .. }
        )
    }

    /// The error with all its causes, in one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            text = format!("{text}: {cause}");
            next = cause.source();
        }
        text
    }
}
