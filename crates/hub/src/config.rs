//! Where the hub is, who asks, and how patiently.

use std::path::PathBuf;
use std::time::Duration;

use crate::Token;

/// The public hub.
pub const PUBLIC_HUB: &str = "https://huggingface.co";
/// The public index of Python packages, in the form that pip reads.
pub const PUBLIC_INDEX: &str = "https://pypi.org/simple";

/// Everything that a download depends on. Nothing here is read from the environment.
#[derive(Clone, Debug, PartialEq)]
pub struct HubConfig {
    /// The hub's address, as `https://huggingface.co`; what stands behind the host stays in front of every path.
    pub endpoint: String,
    /// The token of an account. It is sent to the endpoint's origin alone.
    pub token: Option<Token>,
    /// Whether nothing may be asked of the network.
    pub offline: bool,
    /// The folder of the cache, `hub` below `HF_HOME`.
    pub cache: PathBuf,
    /// A mirror that goes before every plain address: `<mirror>/<host>/<path>` stands for `https://<host>/<path>`.
    pub mirror: Option<String>,
    /// The index of Python packages, as pip takes it.
    pub index: String,
    /// Who asks, as the header `User-Agent` has it.
    pub agent: String,
    /// How long a server may be silent.
    pub timeouts: Timeouts,
    /// How often is tried again.
    pub retries: Retries,
    /// Whether a proxy that the environment names is used.
    pub proxy: bool,
}

impl HubConfig {
    /// The public hub and index without a token, with the cache in `cache`.
    pub fn new(cache: PathBuf) -> Self {
        Self {
            endpoint: PUBLIC_HUB.to_owned(),
            token: None,
            offline: false,
            cache,
            mirror: None,
            index: PUBLIC_INDEX.to_owned(),
            agent: concat!("sure/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeouts: Timeouts::default(),
            retries: Retries::default(),
            proxy: true,
        }
    }
}

/// How long a server may be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until an answer begins.
    pub answer: Duration,
    /// Between two pieces of a body. A slow line is no reason to give up, a silent one is.
    pub read: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            read: Duration::from_secs(30),
        }
    }
}

/// How often is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Attempts in a row that bring nothing new; one that brings new bytes is not counted, and the count begins anew.
    pub barren: u32,
    /// Whole bodies that were not what they should be.
    pub wrong: u32,
    /// The wait after the first barren attempt; each further one waits twice as long.
    pub first_wait: Duration,
    /// The longest wait, also where a server asks for a longer one.
    pub longest_wait: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            barren: 5,
            wrong: 3,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_mins(1),
        }
    }
}

impl Retries {
    /// The wait after so many barren attempts in a row, where the server `asked` for one of its own.
    pub(crate) fn wait(&self, barren: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.first_wait.saturating_mul(1 << barren.saturating_sub(1).min(16));
        asked.map_or(doubled, |asked| asked.max(doubled)).min(self.longest_wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let retries = Retries::default();
        let wait = |barren, asked| retries.wait(barren, asked).as_millis();
        assert_eq!([1, 2, 3, 40].map(|barren| wait(barren, None)), [500, 1_000, 2_000, 60_000]);
        assert_eq!(wait(1, Some(Duration::from_secs(7))), 7_000);
        assert_eq!(wait(1, Some(Duration::from_hours(1))), 60_000);
        assert_eq!(wait(3, Some(Duration::ZERO)), 2_000);
    }
}
