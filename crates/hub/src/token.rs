//! The token of a hub account, which no message, log or address ever shows.

use std::fmt;

/// A token. It has no `Display`, and its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token from `text`, blanks around it taken off; `None` where nothing stays, or what stays cannot stand in a
    /// request.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        (is_plain && !text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The value of the header `Authorization`.
    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// `text` without this token: what a server says may repeat what it was sent.
    pub(crate) fn censor(&self, text: &str) -> String {
        text.replace(&self.0, "<token>")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_shown() {
        let token = Token::new(" hf_secret\n").unwrap();
        assert_eq!(format!("{token:?} {:?}", Some(&token)), "Token(hidden) Some(Token(hidden))");
        assert_eq!(token.censor("bad token hf_secret!"), "bad token <token>!");
        assert_eq!(token.header(), "Bearer hf_secret");
    }

    #[test]
    fn a_token_that_would_break_a_request_is_none() {
        for text in ["", " \n", "a b", "a\r\nHost: x", "ü"] {
            assert_eq!(Token::new(text), None, "{text:?}");
        }
    }
}
