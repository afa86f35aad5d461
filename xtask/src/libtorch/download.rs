//! Downloads that continue where they stopped and are checked to the last byte.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// Attempts in a row that may bring no new byte.
const ATTEMPTS: usize = 3;
const BLOCK: usize = 1 << 20;

/// A client that trusts what the system trusts (`SSL_CERT_FILE` too), uses the proxy of the environment, and gives up
/// early on a host that does not answer.
pub(crate) fn client() -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_resolve(Some(Duration::from_secs(5)))
        .timeout_connect(Some(Duration::from_secs(5)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        // A body that takes longer is cut and continued, so that a stalled line does not hang for ever.
        .timeout_recv_body(Some(Duration::from_mins(2)))
        .http_status_as_error(false)
        .user_agent("sure-xtask")
        .build()
        .into()
}

/// What to download.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// Where it is.
    pub(crate) url: &'a str,
    /// Its SHA-256 in hexadecimal digits, where it is known.
    pub(crate) sha256: Option<&'a str>,
}

/// Downloads into `file`. What came so far waits in `file` + `.part` and is continued, also by a later process.
pub(crate) fn fetch(client: &Agent, wanted: &Wanted, file: &Path) -> Result<()> {
    let part = part_of(file);
    let mut transfer = Transfer::resume(&part)?;
    let mut barren = 0;
    loop {
        match transfer.attempt(client, wanted.url) {
            Ok(()) => break,
            Err(Cut { gained: true, .. }) => barren = 0,
            Err(Cut { fatal: true, error, .. }) => return Err(error),
            Err(Cut { error, .. }) => {
                barren += 1;
                if barren >= ATTEMPTS {
                    return Err(error.context(format!("downloading {}", wanted.url)));
                }
                std::thread::sleep(Duration::from_secs(1 << barren) / 4);
            }
        }
    }
    transfer.bar.finish_and_clear();
    let found = hex(&transfer.hasher.finalize());
    if wanted.sha256.is_some_and(|sha256| sha256 != found) {
        fs::remove_file(&part)?;
        bail!(
            "{} has SHA-256 {found}, wanted {}; the file was removed",
            wanted.url,
            wanted.sha256.unwrap_or_default()
        );
    }
    fs::rename(&part, file).with_context(|| format!("moving {} into place", file.display()))
}

/// The SHA-256 of a file in hexadecimal digits.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    absorb(path, &mut hasher)?;
    Ok(hex(&hasher.finalize()))
}

/// The SHA-256 of some bytes in hexadecimal digits.
pub(crate) fn hex_digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// One download in progress.
struct Transfer {
    part: PathBuf,
    have: u64,
    hasher: Sha256,
    bar: ProgressBar,
}

/// An attempt that did not reach the end.
struct Cut {
    error: anyhow::Error,
    gained: bool,
    fatal: bool,
}

impl Transfer {
    fn resume(part: &Path) -> Result<Self> {
        let mut hasher = Sha256::new();
        let have = if part.exists() { absorb(part, &mut hasher)? } else { 0 };
        let template = "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}, {eta} left";
        let style = ProgressStyle::with_template(template).expect("a template without unknown keys");
        let bar = ProgressBar::new(0).with_style(style.progress_chars("=> "));
        Ok(Self { part: part.to_path_buf(), have, hasher, bar })
    }

    fn attempt(&mut self, client: &Agent, url: &str) -> std::result::Result<(), Cut> {
        let before = self.have;
        let mut restarted = false;
        self.read_rest(client, url, &mut restarted).map_err(|error| Cut {
            gained: !restarted && self.have > before,
            fatal: error.downcast_ref::<Refused>().is_some(),
            error,
        })
    }

    fn read_rest(&mut self, client: &Agent, url: &str, restarted: &mut bool) -> Result<()> {
        let mut request = client.get(url).header("Accept-Encoding", "identity");
        if self.have > 0 {
            request = request.header("Range", format!("bytes={}-", self.have));
        }
        let mut response = request.call()?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let total = match response.status().as_u16() {
            206 => {
                let range = header("content-range").and_then(parse_range);
                let (start, total) = range.context("the server answered 206 without a Content-Range")?;
                anyhow::ensure!(start == self.have, "asked from byte {}, got {start}", self.have);
                Some(total)
            }
            200 => {
                *restarted = self.have > 0;
                header("content-length").and_then(|length| length.parse().ok())
            }
            // Nothing is left to send: the part is whole, which the checksum decides.
            416 if self.have > 0 => return Ok(()),
            status => return Err(Refused { url: url.to_owned(), status }.into()),
        };
        if *restarted || self.have == 0 {
            self.restart()?;
        }
        self.announce(url, total);
        self.copy(response.body_mut().as_reader())?;
        let whole = total.is_none_or(|total| self.have == total);
        anyhow::ensure!(
            whole,
            "the connection ended after {} bytes of {}",
            self.have,
            total.unwrap_or_default()
        );
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.have = 0;
        self.hasher = Sha256::new();
        File::create(&self.part).with_context(|| format!("creating {}", self.part.display()))?;
        Ok(())
    }

    fn announce(&self, url: &str, total: Option<u64>) {
        let name = url.rsplit('/').next().unwrap_or(url).to_owned();
        if self.bar.is_hidden() {
            let size = total.map_or_else(String::new, |total| format!(" ({} MB)", total / 1_000_000));
            let from = if self.have > 0 {
                format!(", continued at {} MB", self.have / 1_000_000)
            } else {
                String::new()
            };
            eprintln!("downloading {name}{size}{from}");
        }
        self.bar.set_message(name);
        self.bar.set_length(total.unwrap_or(0));
        self.bar.set_position(self.have);
        self.bar.reset_eta();
    }

    fn copy(&mut self, mut body: impl Read) -> Result<()> {
        let mut file = OpenOptions::new().append(true).open(&self.part)?;
        let mut block = vec![0; BLOCK];
        loop {
            let read = body.read(&mut block)?;
            if read == 0 {
                return Ok(());
            }
            file.write_all(&block[..read]).with_context(|| format!("writing {}", self.part.display()))?;
            self.hasher.update(&block[..read]);
            self.have += read as u64;
            self.bar.set_position(self.have);
        }
    }
}

/// The server will not give this file, however often it is asked.
#[derive(Debug)]
struct Refused {
    url: String,
    status: u16,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} answered HTTP {}", self.url, self.status)
    }
}

impl std::error::Error for Refused {}

fn part_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// First byte and total of `bytes 100-199/2243632`.
fn parse_range(value: &str) -> Option<(u64, u64)> {
    let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()?))
}

fn absorb(path: &Path, hasher: &mut Sha256) -> Result<u64> {
    let mut file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    let mut block = vec![0; BLOCK];
    let mut length = 0;
    loop {
        let read = file.read(&mut block).with_context(|| format!("reading {}", path.display()))?;
        if read == 0 {
            return Ok(length);
        }
        hasher.update(&block[..read]);
        length += read as u64;
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes every write");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// How the small server answers.
    #[derive(Clone, Copy)]
    enum Manner {
        Ranges,
        IgnoresRanges,
        /// Honours ranges, but drops each connection after this many bytes.
        Drops(usize),
        Refuses,
    }

    /// Serves `content` and notes the `Range` header of each request.
    fn serve(content: Vec<u8>, manner: Manner) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/wheel.whl", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&log);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut range = String::new();
                for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                    let line = line.unwrap().to_ascii_lowercase();
                    if let Some(value) = line.strip_prefix("range: bytes=") {
                        range = value.trim_end_matches('-').to_owned();
                    }
                    if line.is_empty() {
                        break;
                    }
                }
                seen.lock().unwrap().push(range.clone());
                let total = content.len();
                let start = match (manner, range.parse::<usize>()) {
                    (Manner::Ranges | Manner::Drops(_), Ok(start)) => start,
                    _ => 0,
                };
                let status = match manner {
                    Manner::Refuses => "404 Not Found".to_owned(),
                    _ if start > 0 => {
                        format!("206 Partial Content\r\nContent-Range: bytes {start}-{}/{total}", total - 1)
                    }
                    _ => "200 OK".to_owned(),
                };
                let body = match manner {
                    Manner::Drops(bytes) => &content[start..total.min(start + bytes)],
                    Manner::Refuses => &[],
                    _ => &content[start..],
                };
                let length = if matches!(manner, Manner::Refuses) { 0 } else { total - start };
                let head =
                    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
            }
        });
        (url, log)
    }

    fn run(manner: Manner, part: Option<&[u8]>, sha256: Option<&str>) -> (Result<()>, Vec<u8>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wheel.whl");
        if let Some(part) = part {
            fs::write(part_of(&file), part).unwrap();
        }
        let (url, log) = serve(content(), manner);
        // No proxy of the environment between the test and itself.
        let agent: Agent = Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
        let result = fetch(&agent, &Wanted { url: &url, sha256 }, &file);
        let log = log.lock().unwrap().clone();
        (result, fs::read(&file).unwrap_or_default(), log)
    }

    fn content() -> Vec<u8> {
        (0..5000u32).map(|index| (index * 7 % 251) as u8).collect()
    }

    #[test]
    fn a_part_is_continued_from_its_last_byte() {
        let (result, file, log) =
            run(Manner::Ranges, Some(&content()[..1234]), Some(&hex_digest(&content())));
        result.unwrap();
        assert_eq!(file, content());
        assert_eq!(log, ["1234"]);
    }

    #[test]
    fn a_server_without_ranges_starts_again() {
        let (result, file, _) =
            run(Manner::IgnoresRanges, Some(b"some other bytes"), Some(&hex_digest(&content())));
        result.unwrap();
        assert_eq!(file, content());
    }

    #[test]
    fn dropped_connections_are_continued() {
        let (result, file, log) = run(Manner::Drops(1500), None, Some(&hex_digest(&content())));
        result.unwrap();
        assert_eq!(file, content());
        assert_eq!(log, ["", "1500", "3000", "4500"]);
    }

    #[test]
    fn a_wrong_checksum_leaves_no_file() {
        let (result, file, _) = run(Manner::Ranges, Some(&[0; 1234]), Some(&hex_digest(&content())));
        assert!(result.unwrap_err().to_string().contains("SHA-256"));
        assert!(file.is_empty());
    }

    #[test]
    fn a_refusal_is_not_repeated() {
        let (result, _, log) = run(Manner::Refuses, None, None);
        assert!(result.unwrap_err().to_string().contains("404"));
        assert_eq!(log.len(), 1);
    }
}
