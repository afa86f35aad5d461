//! What the hub says of a file before it is fetched.

use crate::address::Address;
use crate::client::{Answer, Client, Method, REDIRECTS, header, redirect};
use crate::repository::is_commit;
use crate::{Check, HubError, Repository, Watch};

/// A file as the hub has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// The commit that the revision stands for.
    pub(crate) commit: String,
    /// The name of its content in the cache.
    pub(crate) etag: String,
    /// Its length and sha256, as far as they are told.
    pub(crate) check: Check,
    /// The id that git gives to its content, where it is told.
    pub(crate) git_id: Option<String>,
    /// Where its content is, for a while.
    pub(crate) location: Address,
}

/// Asks for a file's metadata. Redirects within the hub are followed; one that leads elsewhere is where the content is.
///
/// # Errors
///
/// All that the hub can say against it, and [`HubError::Exhausted`].
pub(crate) fn metadata(
    client: &Client,
    repository: &Repository,
    file: &str,
    watch: &dyn Watch,
) -> Result<Metadata, HubError> {
    let mut at = Address::parse(&repository.resolve(&client.endpoint(), file))?;
    // A later answer need not repeat what an earlier one said.
    let mut told = Told::default();
    for _ in 0..REDIRECTS {
        // One step at a time, as each may tell something.
        let (from, answer) = step(client, &at, watch)?;
        told.hear(&answer);
        match redirect(&from, &answer)? {
            Some(next) if next.origin() == from.origin() && !told.is_linked => at = next,
            Some(next) => return told.metadata(next, false, &from),
            None if answer.status().is_success() => return told.metadata(from.clone(), true, &from),
            None => return Err(client.refusal(repository, Some(file), &from, answer)),
        }
    }
    Err(HubError::Answer { address: at.shown(), reason: "redirects in a circle".to_owned() })
}

/// One question, repeated while the server is in trouble, without following where it sends.
fn step(client: &Client, at: &Address, watch: &dyn Watch) -> Result<(Address, Answer), HubError> {
    client.ask_patiently(Method::Head, at, &[], crate::client::Follow::Nowhere, watch)
}

/// What was heard so far.
#[derive(Default)]
struct Told {
    commit: Option<String>,
    etag: Option<String>,
    linked_etag: Option<String>,
    length: Option<u64>,
    linked_length: Option<u64>,
    is_linked: bool,
}

impl Told {
    fn hear(&mut self, answer: &Answer) {
        let text = |name: &str| header(answer, name).map(|value| plain(value).to_owned());
        let number = |name: &str| header(answer, name).and_then(|value| value.trim().parse().ok());
        self.commit = text("x-repo-commit").or_else(|| self.commit.take());
        self.linked_etag = text("x-linked-etag").or_else(|| self.linked_etag.take());
        self.linked_length = number("x-linked-size").or(self.linked_length);
        self.is_linked = self.linked_etag.is_some();
        // Those of this answer alone: a redirect has a body of its own.
        self.etag = text("etag");
        self.length = number("content-length");
    }

    /// `is_final`: whether the last answer is the file's own, and no redirect.
    fn metadata(self, location: Address, is_final: bool, from: &Address) -> Result<Metadata, HubError> {
        let bad = |reason: &str| HubError::Answer { address: from.shown(), reason: reason.to_owned() };
        let etag = self.linked_etag.or(self.etag).ok_or_else(|| bad("it names no etag"))?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if etag.is_empty() || etag.len() > 128 || !etag.bytes().all(is_name) {
            return Err(bad("its etag cannot be the name of a file"));
        }
        let commit = self.commit.ok_or_else(|| bad("it names no commit; is HF_ENDPOINT a hub?"))?;
        if !is_commit(&commit) {
            return Err(bad("its commit is none"));
        }
        let is_hash =
            |length: usize| etag.len() == length && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
        Ok(Metadata {
            check: Check {
                bytes: self.linked_length.or(self.length.filter(|_| is_final)),
                sha256: is_hash(64).then(|| etag.clone()),
            },
            git_id: is_hash(40).then(|| etag.clone()),
            commit,
            etag,
            location,
        })
    }
}

/// An etag without its quotes and its sign of weakness.
fn plain(value: &str) -> &str {
    value.trim().trim_start_matches("W/").trim_matches('"')
}
