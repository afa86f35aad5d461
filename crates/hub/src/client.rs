//! One exchange with a server at a time: timeouts, the token, and what a status means. Redirects are not followed here.

use std::time::Duration;

use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::address::{Address, Origin};
use crate::{HubConfig, HubError, Repository, Token, Watch};

/// More redirects than this are a circle.
pub(crate) const REDIRECTS: usize = 10;
/// Of what a server says of an error, so many bytes are read.
const MESSAGE: u64 = 4096;

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
}

/// Which redirects are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follow {
    Nowhere,
    Everywhere,
}

/// An answer.
pub(crate) type Answer = Response<Body>;

/// Asks servers.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    endpoint: Address,
    home: Origin,
    config: HubConfig,
}

impl Client {
    /// # Errors
    ///
    /// [`HubError::Name`] where the endpoint is no address.
    pub(crate) fn new(config: HubConfig) -> Result<Self, HubError> {
        let endpoint = Address::parse(config.endpoint.trim_end_matches('/'))?;
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let mut agent = Agent::config_builder()
            .tls_config(tls)
            .timeout_resolve(Some(config.timeouts.connect))
            .timeout_connect(Some(config.timeouts.connect))
            .timeout_recv_response(Some(config.timeouts.answer))
            .timeout_per_read(Some(config.timeouts.read))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(config.agent.clone());
        if !config.proxy {
            agent = agent.proxy(None);
        }
        Ok(Self { agent: agent.build().into(), home: endpoint.origin(), endpoint, config })
    }

    pub(crate) const fn config(&self) -> &HubConfig {
        &self.config
    }

    /// The hub's address, without a slash at its end.
    pub(crate) fn endpoint(&self) -> String {
        self.endpoint.text().trim_end_matches('/').to_owned()
    }

    pub(crate) fn token(&self) -> Option<&Token> {
        self.config.token.as_ref()
    }

    /// Whether a question to `address` carries the token: only one to the hub's own origin does.
    fn signs(&self, address: &Address) -> bool {
        self.token().is_some() && address.origin() == self.home
    }

    /// One question and its answer, whatever its status.
    ///
    /// # Errors
    ///
    /// [`HubError::Network`].
    pub(crate) fn ask(
        &self,
        method: Method,
        address: &Address,
        headers: &[(&str, &str)],
    ) -> Result<Answer, HubError> {
        let url = address.text();
        let mut request = match method {
            Method::Get => self.agent.get(&url),
            Method::Head => self.agent.head(&url),
        };
        // Lengths and hashes are those of the plain bytes.
        request = request.header("Accept-Encoding", "identity");
        if let Some(token) = self.token().filter(|_| self.signs(address)) {
            request = request.header("Authorization", token.header());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().map_err(|error| self.network(address, &error))
    }

    /// Asks again, with waits, while a server is silent or in trouble.
    ///
    /// # Errors
    ///
    /// The last [`HubError::Network`] or [`HubError::Status`], and [`HubError::Stopped`].
    pub(crate) fn ask_patiently(
        &self,
        method: Method,
        address: &Address,
        headers: &[(&str, &str)],
        follow: Follow,
        watch: &dyn Watch,
    ) -> Result<(Address, Answer), HubError> {
        self.patiently(&address.shown(), watch, || {
            let mut at = address.clone();
            for _ in 0..REDIRECTS {
                let answer = self.ask(method, &at, headers)?;
                match redirect(&at, &answer)? {
                    Some(next) if follow == Follow::Everywhere => at = next,
                    _ if is_trouble(answer.status().as_u16()) => return Err(self.status(&at, answer)),
                    _ => return Ok((at, answer)),
                }
            }
            Err(HubError::Answer { address: address.shown(), reason: "redirects in a circle".to_owned() })
        })
    }

    /// Does `attempt` again, with waits, while what stops it may pass.
    fn patiently<T>(
        &self,
        what: &str,
        watch: &dyn Watch,
        mut attempt: impl FnMut() -> Result<T, HubError>,
    ) -> Result<T, HubError> {
        let mut barren = 0;
        loop {
            let error = match attempt() {
                Err(error) if error.is_passing() => error,
                done => return done,
            };
            barren += 1;
            if barren >= self.config.retries.barren {
                return Err(HubError::Exhausted {
                    file: what.to_owned(),
                    attempts: barren,
                    last: Box::new(error),
                });
            }
            self.pause(barren, &error, watch)?;
        }
    }

    /// Waits after a barren attempt, and says so.
    ///
    /// # Errors
    ///
    /// [`HubError::Stopped`].
    pub(crate) fn pause(&self, barren: u32, error: &HubError, watch: &dyn Watch) -> Result<(), HubError> {
        let asked = match error {
            HubError::Status { wait, .. } => wait.map(Duration::from_secs),
            _ => None,
        };
        let wait = self.config.retries.wait(barren, asked);
        watch.says(&format!("{}; trying again in {:.1} s", error.chain(), wait.as_secs_f64()));
        sleep(wait, watch)
    }

    /// What an answer of a repository means that is no success.
    pub(crate) fn refusal(
        &self,
        repository: &Repository,
        file: Option<&str>,
        address: &Address,
        answer: Answer,
    ) -> HubError {
        let status = answer.status().as_u16();
        let code = header(&answer, "x-error-code").unwrap_or_default().to_owned();
        let (endpoint, name) = (self.endpoint(), repository.to_string());
        let (page, signed) = (repository.page(&endpoint), self.signs(address));
        match (code.as_str(), status) {
            ("GatedRepo", _) => HubError::Gated { repository: name, page, signed },
            ("RepoNotFound", _) => HubError::NoRepository { repository: name, endpoint, signed },
            ("RevisionNotFound", _) => HubError::NoRevision {
                repository: name,
                revision: repository.revision().to_owned(),
                page: format!("{page}/branches"),
            },
            ("EntryNotFound", _) if file.is_some() => HubError::NoFile {
                repository: name,
                revision: repository.revision().to_owned(),
                file: file.unwrap_or_default().to_owned(),
            },
            // The public hub answers so to strangers who ask for what is not there.
            ("", 401) if !signed && file.is_none() => {
                HubError::NoRepository { repository: name, endpoint, signed }
            }
            (_, 401 | 403) => HubError::Refused { address: address.shown(), status, signed },
            _ => self.status(address, answer),
        }
    }

    /// An answer that is no success, as an error.
    pub(crate) fn status(&self, address: &Address, mut answer: Answer) -> HubError {
        let status = answer.status().as_u16();
        let wait = header(&answer, "retry-after").and_then(|text| text.trim().parse().ok());
        let said = header(&answer, "x-error-message").map(str::to_owned);
        let mut body = || answer.body_mut().with_config().limit(MESSAGE).read_to_string().unwrap_or_default();
        let message = said.unwrap_or_else(|| line(&body()));
        HubError::Status { address: address.shown(), status, message: self.censor(&message), wait }
    }

    pub(crate) fn network(&self, address: &Address, error: &ureq::Error) -> HubError {
        HubError::Network { address: address.shown(), reason: self.censor(&reason(error)) }
    }

    fn censor(&self, text: &str) -> String {
        self.token().map_or_else(|| text.to_owned(), |token| token.censor(text))
    }
}

/// Sleeps, and looks now and then whether to stop.
fn sleep(wait: Duration, watch: &dyn Watch) -> Result<(), HubError> {
    let step = Duration::from_millis(50);
    let mut left = wait;
    loop {
        if watch.stops() {
            return Err(HubError::Stopped);
        }
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(step));
        left = left.saturating_sub(step);
    }
}

/// A header's value.
pub(crate) fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

/// Where an answer from `at` sends on to.
pub(crate) fn redirect(at: &Address, answer: &Answer) -> Result<Option<Address>, HubError> {
    let is_redirect = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    header(answer, "location").filter(|_| is_redirect).map(|location| at.join(location)).transpose()
}

/// Whether a server with this status may answer otherwise in a while.
fn is_trouble(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

/// What stopped an exchange, in words.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            "no connection in time".to_owned()
        }
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::HostNotFound => "no such host; is there a network?".to_owned(),
        other => other.to_string(),
    }
}

/// The first line of an error's body, where it is text and no page.
fn line(body: &str) -> String {
    let line = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let is_text = !line.starts_with('<') && !line.chars().any(char::is_control);
    if is_text { line.chars().take(200).collect() } else { String::new() }
}
