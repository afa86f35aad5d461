//! What a client asks.

use std::io::{self, BufRead, BufReader};
use std::net::TcpStream;

/// A request without a body.
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) range: Option<String>,
    pub(super) token: Option<String>,
}

impl Request {
    /// `None` where the client said nothing.
    pub(super) fn read(stream: &TcpStream) -> io::Result<Option<Self>> {
        let mut lines = BufReader::new(stream).lines();
        let Some(first) = lines.next().transpose()? else { return Ok(None) };
        let mut words = first.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
        let mut request =
            Self { method: method.to_owned(), target: target.to_owned(), range: None, token: None };
        for line in lines {
            let line = line?;
            let Some((name, value)) = line.split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "range" => request.range = Some(value.to_owned()),
                "authorization" => {
                    request.token = Some(value.strip_prefix("Bearer ").unwrap_or(value).to_owned());
                }
                _ => {}
            }
        }
        Ok(Some(request))
    }

    /// The path without its query.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first byte that is wanted.
    pub(super) fn start(&self) -> Option<u64> {
        self.range.as_deref()?.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
    }
}

/// A part of a path as it was before it was escaped.
pub(super) fn plain(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(code)) => {
                out.push(code);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
