//! The index of Python packages, in the form that pip reads: a list of files with their hashes.

use serde::Deserialize;

use crate::address::{Address, escape};
use crate::client::{Client, Follow, Method, header};
use crate::{HubError, Watch};

/// Bytes that a list of files may have.
const MOST_LISTING: u64 = 32 << 20;
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, text/html;q=0.2";

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Distribution {
    /// Its name.
    pub(crate) file: String,
    /// Its address.
    pub(crate) address: Address,
    /// Its sha256, where the index tells.
    pub(crate) sha256: Option<String>,
}

/// The file of a package's version: the wheel for every system, else the source archive.
///
/// # Errors
///
/// What the index says against it; [`HubError::NoFile`] where it has no such version.
pub(crate) fn distribution(
    client: &Client,
    package: &str,
    version: &str,
    watch: &dyn Watch,
) -> Result<Distribution, HubError> {
    let index = client.config().index.trim_end_matches('/');
    let address = Address::parse(&format!("{index}/{}/", escape(&normal(package), false)))?;
    let accept = [("Accept", ACCEPT)];
    let (at, mut answer) = client.ask_patiently(Method::Get, &address, &accept, Follow::Everywhere, watch)?;
    if !answer.status().is_success() {
        return Err(client.status(&at, answer));
    }
    let is_json = header(&answer, "content-type").is_some_and(|kind| kind.contains("json"));
    let body = answer.body_mut().with_config().limit(MOST_LISTING).read_to_string();
    let body = body.map_err(|error| client.network(&at, &error))?;
    let files = if is_json || body.trim_start().starts_with('{') {
        let list: List = serde_json::from_str(&body)
            .map_err(|error| HubError::Answer { address: at.shown(), reason: error.to_string() })?;
        list.files
    } else {
        links(&body)
    };
    let chosen = choose(&files, package, version).ok_or_else(|| HubError::NoFile {
        repository: format!("the package {package} at {}", address.shown()),
        revision: version.to_owned(),
        file: "that fits every system".to_owned(),
    })?;
    let address = at.join(&chosen.url)?;
    // A name from a server becomes a part of a file's name here.
    let file = crate::repository::inner(&at.shown(), &chosen.filename)?.to_owned();
    Ok(Distribution { file, address, sha256: chosen.hashes.sha256.clone() })
}

#[derive(Deserialize)]
struct List {
    files: Vec<Link>,
}

#[derive(Debug, Deserialize)]
struct Link {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: Hashes,
}

#[derive(Debug, Default, Deserialize)]
struct Hashes {
    sha256: Option<String>,
}

/// The wheel for every system, else the source archive.
fn choose<'a>(files: &'a [Link], package: &str, version: &str) -> Option<&'a Link> {
    // A name may hold `-` itself, so every place where it may end is tried; a version is compared as it is written.
    let is_version = |link: &&Link| {
        link.filename.match_indices('-').any(|(at, _)| {
            let rest = link.filename[at + 1..].strip_prefix(version);
            let ends = rest.is_some_and(|end| end.starts_with('-') || end == ".tar.gz" || end == ".zip");
            ends && normal(&link.filename[..at]) == normal(package)
        })
    };
    let ends = |ending: &str| files.iter().filter(is_version).find(|link| link.filename.ends_with(ending));
    ends("-any.whl").or_else(|| ends(".tar.gz")).or_else(|| ends(".zip"))
}

/// The links of a page, as indexes without JSON have them: `<a href="address#sha256=digits">file</a>`.
fn links(page: &str) -> Vec<Link> {
    let link = |part: &str| {
        let (tag, rest) = part.split_once('>')?;
        let filename = rest.split('<').next()?.trim().to_owned();
        let start = tag.find("href=")? + "href=".len();
        let quote = tag[start..].chars().next().filter(|letter| "\"'".contains(*letter))?;
        let href = tag[start + 1..].split(quote).next()?.replace("&amp;", "&");
        let (url, fragment) = href.split_once('#').unwrap_or((&href, ""));
        let sha256 = fragment.strip_prefix("sha256=").map(str::to_owned);
        Some(Link { filename, url: url.to_owned(), hashes: Hashes { sha256 } })
    };
    page.split("<a ").skip(1).filter_map(link).collect()
}

/// A name as the index compares names.
fn normal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for letter in name.chars() {
        let letter = if "-_.".contains(letter) { '-' } else { letter.to_ascii_lowercase() };
        if letter != '-' || !out.ends_with('-') {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str], package: &str, version: &str) -> Option<String> {
        let link = |name: &&str| Link {
            filename: (*name).to_owned(),
            url: String::new(),
            hashes: Hashes::default(),
        };
        let files: Vec<Link> = names.iter().map(link).collect();
        choose(&files, package, version).map(|link| link.filename.clone())
    }

    #[test]
    fn the_wheel_for_every_system_is_taken() {
        let files = [
            "a_b-0.1.1-py3-none-any.whl",
            "a-b-0.1.2.tar.gz",
            "a_b-0.1.2-cp312-cp312-linux.whl",
            "a_b-0.1.2-py3-none-any.whl",
            "a_b-0.1.22-py3-none-any.whl",
        ];
        assert_eq!(chosen(&files, "A.b", "0.1.2").as_deref(), Some("a_b-0.1.2-py3-none-any.whl"));
        assert_eq!(chosen(&files[..3], "a-b", "0.1.2").as_deref(), Some("a-b-0.1.2.tar.gz"));
        assert_eq!(chosen(&files, "a-b", "0.1"), None);
        assert_eq!(chosen(&files, "a", "0.1.2"), None);
    }

    #[test]
    fn pages_without_json_are_read() {
        let page = r#"<html><a href="../../x/a-1.tar.gz?b=1&amp;c#sha256=ab" data-x="y">a-1.tar.gz</a> <a href='b'>b</a><a>c</a>"#;
        let found = links(page);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].url.as_str(), found[0].filename.as_str()),
            ("../../x/a-1.tar.gz?b=1&c", "a-1.tar.gz")
        );
        assert_eq!(
            (found[0].hashes.sha256.as_deref(), found[1].hashes.sha256.as_deref()),
            (Some("ab"), None)
        );
    }
}
