//! Addresses: their origins, where a redirect leads, and how they are shown.

use ureq::http::Uri;

use crate::HubError;

/// An address of http or https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address(Uri);

/// Scheme, host and port: whoever gets a token for one of them is no reason to give it to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`HubError::Name`] where it is none of http or https, or holds a user's name or password.
    pub(crate) fn parse(text: &str) -> Result<Self, HubError> {
        let bad = |reason: &str| HubError::name(&shown(text), "address", reason);
        let uri: Uri = text.parse().map_err(|_| bad("it cannot be read"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(bad("it should begin with http:// or https://"));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(bad("it has no host"));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(bad("a name or password in an address would stand in messages; use HF_TOKEN"));
        }
        Ok(Self(uri))
    }

    pub(crate) fn text(&self) -> String {
        self.0.to_string()
    }

    /// The address without its query, which may hold a signature.
    pub(crate) fn shown(&self) -> String {
        shown(&self.text())
    }

    pub(crate) fn origin(&self) -> Origin {
        let scheme = self.0.scheme_str().unwrap_or_default().to_ascii_lowercase();
        let port = self.0.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        Origin { scheme, host: self.0.host().unwrap_or_default().to_ascii_lowercase(), port }
    }

    /// Where the header `Location` of an answer from here leads.
    ///
    /// # Errors
    ///
    /// As [`Address::parse`].
    pub(crate) fn join(&self, location: &str) -> Result<Self, HubError> {
        let location = location.trim();
        let scheme = self.0.scheme_str().unwrap_or("https");
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        if location.starts_with("//") {
            return Self::parse(&format!("{scheme}:{location}"));
        }
        if location.starts_with('/') {
            return Self::parse(&format!("{scheme}://{authority}{location}"));
        }
        let before_path = location.split(['/', '?', '#']).next().unwrap_or_default();
        if before_path.contains(':') {
            return Self::parse(location);
        }
        let folder = self.0.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        Self::parse(&format!("{scheme}://{authority}{folder}/{location}"))
    }

    /// The same file at a mirror: `<mirror>/<host>/<path>`.
    pub(crate) fn at_mirror(&self, mirror: &str) -> Result<Self, HubError> {
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        let path = self.0.path_and_query().map_or("/", |path| path.as_str());
        Self::parse(&format!("{}/{authority}{path}", mirror.trim_end_matches('/')))
    }
}

/// An address without its query, and without a user's name or password.
fn shown(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let mark = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{mark}{host}{path}")
}

/// A part of a path with everything escaped that is not plain; `/` too, unless it is `kept`.
pub(crate) fn escape(text: &str, kept: bool) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (kept && byte == b'/');
        if is_plain {
            out.push(byte as char);
        } else {
            // A String takes every write.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn redirects_lead_where_a_browser_would_go() {
        let from = address("https://hub.example:8443/a/b/resolve?x=1");
        for (location, expected) in [
            ("/c?d=e", "https://hub.example:8443/c?d=e"),
            ("c", "https://hub.example:8443/a/b/c"),
            ("//cdn.example/c", "https://cdn.example/c"),
            ("http://cdn.example/c", "http://cdn.example/c"),
        ] {
            assert_eq!(from.join(location).unwrap().text(), expected);
        }
        for location in ["file:///etc/passwd", "ftp://x/y", "http://", "https://me:word@cdn.example/"] {
            assert!(from.join(location).is_err(), "{location}");
        }
    }

    #[test]
    fn another_scheme_or_port_is_another_origin() {
        let origin = |text: &str| address(text).origin();
        assert_eq!(origin("https://hub.example/a"), origin("https://HUB.example:443/b?c"));
        assert_eq!(origin("http://hub.example/a"), origin("http://hub.example:80"));
        for other in [
            "http://hub.example",
            "https://hub.example:8443",
            "https://hub.example.net",
            "https://cdn.hub.example",
        ] {
            assert_ne!(origin("https://hub.example"), origin(other), "{other}");
        }
    }

    #[test]
    fn queries_and_passwords_are_not_shown() {
        assert_eq!(address("https://cdn.example/f?Signature=abc").shown(), "https://cdn.example/f");
        for (text, shown) in
            [("gopher://x?Signature=abc", "gopher://x"), ("https://me:abc@x/y", "https://x/y")]
        {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(!error.contains("abc") && error.contains(shown), "{error}");
        }
    }

    #[test]
    fn a_mirror_has_a_folder_a_host() {
        let file = address("https://www.openslr.org/resources/12/dev-clean.tar.gz");
        assert_eq!(
            file.at_mirror("http://mirror.example/pub/").unwrap().text(),
            "http://mirror.example/pub/www.openslr.org/resources/12/dev-clean.tar.gz"
        );
    }

    #[test]
    fn paths_are_escaped() {
        assert_eq!(escape("refs/convert/parquet", false), "refs%2Fconvert%2Fparquet");
        assert_eq!(escape("a b/ü?#.json", true), "a%20b/%C3%BC%3F%23.json");
    }
}
