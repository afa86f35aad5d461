//! One file over the network: into a partial file, continued where it stopped, and checked before it may be called whole.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::address::Address;
use crate::client::{Answer, Client, Method, REDIRECTS, header, redirect};
use crate::digest::{BLOCK, absorb, git_id, hex};
use crate::{Check, HubError, Sum, Watch};

/// A file that is wanted.
pub(crate) struct Wanted<'a> {
    /// How messages call it.
    pub(crate) name: &'a str,
    /// What is known of it.
    pub(crate) check: Check,
    /// The id that git gives to its content, where that is known.
    pub(crate) git_id: Option<&'a str>,
    /// Where what has come so far is kept.
    pub(crate) partial: &'a Path,
    /// Whether its address may expire, so that asking for another one helps.
    pub(crate) expires: bool,
}

/// Where the file is now: asked at the beginning, and again once an address no longer serves it.
pub(crate) type Locate<'a> = dyn FnMut() -> Result<Address, HubError> + 'a;

/// Brings the file into its partial file, which is then whole, flushed to the disk, and what it should be.
///
/// # Errors
///
/// Those of `locate`; [`HubError::Exhausted`] leaves what has come so far, [`HubError::Wrong`] leaves nothing.
pub(crate) fn fetch(
    client: &Client,
    wanted: &Wanted,
    locate: &mut Locate,
    watch: &dyn Watch,
) -> Result<Sum, HubError> {
    let mut transfer = Transfer::open(wanted)?;
    let mut wrong = 0;
    loop {
        transfer.run(client, locate, watch)?;
        let error = match transfer.judge() {
            Ok(sum) => {
                transfer.flush()?;
                watch.ends(wanted.name);
                return Ok(sum);
            }
            Err(error) => error,
        };
        transfer.restart()?;
        wrong += 1;
        if wrong >= client.config().retries.wrong || !matches!(error, HubError::Wrong { .. }) {
            std::fs::remove_file(wanted.partial).map_err(HubError::io("remove", wanted.partial))?;
            return Err(error);
        }
        watch.says(&format!("{error}; fetching it again"));
    }
}

/// A file on its way.
struct Transfer<'a> {
    wanted: &'a Wanted<'a>,
    /// Bytes in the partial file.
    have: u64,
    /// The most it ever had: only what goes beyond is a gain.
    furthest: u64,
    hasher: Sha256,
    /// The length that the last answer promised.
    promised: Option<u64>,
}

/// How an attempt ended that did not fail.
enum Step {
    /// All bytes that were promised are there.
    Whole,
    /// The address does not serve the file any more.
    Gone(HubError),
}

impl<'a> Transfer<'a> {
    fn open(wanted: &'a Wanted<'a>) -> Result<Self, HubError> {
        let mut transfer = Self { wanted, have: 0, furthest: 0, hasher: Sha256::new(), promised: None };
        if wanted.partial.exists() {
            transfer.have = absorb(wanted.partial, |block| transfer.hasher.update(block))?;
            transfer.furthest = transfer.have;
            if wanted.check.bytes.is_some_and(|bytes| transfer.have > bytes) {
                transfer.restart()?;
            }
        }
        Ok(transfer)
    }

    /// Until all that was promised is there.
    fn run(&mut self, client: &Client, locate: &mut Locate, watch: &dyn Watch) -> Result<(), HubError> {
        let is_whole = |have| self.wanted.check.bytes == Some(have) && have > 0;
        if is_whole(self.have) {
            return Ok(());
        }
        let mut address: Option<Address> = None;
        let mut barren = 0;
        loop {
            let before = self.furthest;
            // A new address is asked for patiently: what fails here has failed often enough.
            let at = match address.take() {
                Some(at) => at,
                None => locate()?,
            };
            let error = match self.attempt(client, &at, watch) {
                Ok(Step::Whole) => return Ok(()),
                Ok(Step::Gone(error)) if self.wanted.expires => error,
                Err(error) if error.is_passing() => {
                    address = Some(at);
                    error
                }
                Ok(Step::Gone(error)) | Err(error) => return Err(error),
            };
            if watch.stops() {
                return Err(HubError::Stopped);
            }
            barren = if self.furthest > before { 0 } else { barren + 1 };
            if barren >= client.config().retries.barren {
                let file = self.wanted.name.to_owned();
                return Err(HubError::Exhausted { file, attempts: barren, last: Box::new(error) });
            }
            if barren > 1 {
                // The address may be what is wrong.
                address = None;
            }
            client.pause(barren.max(1), &error, watch)?;
        }
    }

    /// One request and what comes of it.
    fn attempt(&mut self, client: &Client, address: &Address, watch: &dyn Watch) -> Result<Step, HubError> {
        let (at, mut answer) = self.ask(client, address)?;
        let length = header(&answer, "content-length").and_then(|text| text.trim().parse::<u64>().ok());
        let total = match answer.status().as_u16() {
            206 => {
                let bad = |reason: &str| HubError::Answer { address: at.shown(), reason: reason.to_owned() };
                let range = header(&answer, "content-range").and_then(parse_range);
                let (start, total) = range.ok_or_else(|| bad("a part without a Content-Range"))?;
                if start != self.have {
                    return Err(bad("another part than was asked for"));
                }
                total
            }
            200 => {
                // The whole file, whatever was asked for.
                self.restart()?;
                length
            }
            416 if self.have > 0 && self.is_unknown() && told_length(&answer) != Some(self.have) => {
                // Nothing tells that what is here is whole, so it begins anew.
                self.restart()?;
                let (address, reason) =
                    (at.shown(), "it refuses the rest of a file of unknown length".to_owned());
                return Err(HubError::Network { address, reason });
            }
            416 if self.have > 0 => {
                // There is no more, so what is here is either whole or wrong; without a known length, its hash says.
                self.promised = None;
                return Ok(Step::Whole);
            }
            // Addresses of content networks expire.
            401 | 403 | 404 | 410 => return Ok(Step::Gone(client.status(&at, answer))),
            _ => return Err(client.status(&at, answer)),
        };
        if let (Some(expected), Some(total)) = (self.wanted.check.bytes, total)
            && expected != total
        {
            // Not worth its bytes. The judge says what is wrong.
            self.promised = Some(total);
            self.restart()?;
            return Ok(Step::Whole);
        }
        self.promised = total;
        watch.begins(self.wanted.name, self.have, total.or(self.wanted.check.bytes));
        self.copy(client, &at, &mut answer, watch)?;
        match self.promised {
            Some(total) if self.have < total => {
                Err(self.cut(client, &at, std::io::ErrorKind::UnexpectedEof.into()))
            }
            _ => Ok(Step::Whole),
        }
    }

    /// Asks for what is missing, also where the address sends on to another.
    fn ask(&self, client: &Client, address: &Address) -> Result<(Address, Answer), HubError> {
        let range = format!("bytes={}-", self.have);
        let headers: &[(&str, &str)] = if self.have > 0 { &[("Range", &range)] } else { &[] };
        let mut at = address.clone();
        for _ in 0..REDIRECTS {
            let answer = client.ask(Method::Get, &at, headers)?;
            match redirect(&at, &answer)? {
                Some(next) => at = next,
                None => return Ok((at, answer)),
            }
        }
        Err(HubError::Answer { address: address.shown(), reason: "redirects in a circle".to_owned() })
    }

    fn copy(
        &mut self,
        client: &Client,
        at: &Address,
        answer: &mut Answer,
        watch: &dyn Watch,
    ) -> Result<(), HubError> {
        let partial = self.wanted.partial;
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(partial)
            .map_err(HubError::io("open", partial))?;
        let mut body = answer.body_mut().as_reader();
        let mut block = vec![0; BLOCK];
        loop {
            if watch.stops() {
                return Err(HubError::Stopped);
            }
            let read = body.read(&mut block).map_err(|error| self.cut(client, at, error))?;
            if read == 0 {
                return Ok(());
            }
            file.write_all(&block[..read]).map_err(HubError::io("write", partial))?;
            self.hasher.update(&block[..read]);
            self.have += read as u64;
            self.furthest = self.furthest.max(self.have);
            watch.has(self.wanted.name, self.have);
            if self.wanted.check.bytes.is_some_and(|bytes| self.have > bytes) {
                // Longer than it may be: no more of it is wanted.
                return Ok(());
            }
        }
    }

    /// The body ended before its time.
    fn cut(&self, client: &Client, at: &Address, error: std::io::Error) -> HubError {
        let of = self.promised.map_or_else(String::new, |total| format!(" of {total}"));
        let why = client.network(at, &ureq::Error::from(error));
        let HubError::Network { address, reason } = why else { return why };
        HubError::Network {
            address,
            reason: format!("the connection ended after {}{of} bytes: {reason}", self.have),
        }
    }

    /// Whether neither the file's length nor its hash is known.
    fn is_unknown(&self) -> bool {
        let Wanted { check, git_id, .. } = self.wanted;
        check.bytes.is_none() && check.sha256.is_none() && git_id.is_none()
    }

    /// Whether what is there is what it should be.
    fn judge(&self) -> Result<Sum, HubError> {
        let Wanted { name, check, git_id: wanted, partial, .. } = self.wanted;
        if let (Some(expected), Some(promised)) = (check.bytes, self.promised)
            && expected != promised
        {
            return Err(HubError::wrong(
                name,
                "length",
                &format!("{expected} bytes"),
                &format!("{promised} bytes"),
            ));
        }
        if !partial.exists() {
            // A file without content: no byte came to make it.
            File::create(partial).map_err(HubError::io("create", partial))?;
        }
        // Where file systems have no locks, two processes may have written to one file.
        let there = partial.metadata().map_err(HubError::io("look at", partial))?.len();
        if there != self.have {
            return Err(HubError::wrong(
                name,
                "length",
                &format!("{} bytes", self.have),
                &format!("{there} bytes"),
            ));
        }
        let sum = Sum { bytes: self.have, sha256: hex(&self.hasher.clone().finalize()) };
        check.hold(&sum, name)?;
        if let Some(wanted) = wanted {
            let found = git_id(partial)?;
            if found != *wanted {
                return Err(HubError::wrong(name, "git blob sha1", wanted, &found));
            }
        }
        Ok(sum)
    }

    fn flush(&self) -> Result<(), HubError> {
        let partial = self.wanted.partial;
        let flush = || OpenOptions::new().append(true).open(partial)?.sync_all();
        flush().map_err(HubError::io("flush", partial))
    }

    fn restart(&mut self) -> Result<(), HubError> {
        self.have = 0;
        self.hasher = Sha256::new();
        let partial = self.wanted.partial;
        File::create(partial).map(drop).map_err(HubError::io("create", partial))
    }
}

/// The length that a refusal of a part tells: `bytes */2243632`.
fn told_length(answer: &Answer) -> Option<u64> {
    header(answer, "content-range")?.trim().strip_prefix("bytes */")?.trim().parse().ok()
}

/// First byte and, where it is told, the total of `bytes 100-199/2243632`.
fn parse_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.trim().parse().ok()?, total.trim().parse().ok()))
}

/// The partial file of a file that shall appear at `path`.
pub(crate) fn partial_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sure.incomplete");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(parse_range("bytes 100-199/2243632"), Some((100, Some(2_243_632))));
        assert_eq!(parse_range("bytes 0-1/*"), Some((0, None)));
        for odd in ["", "bytes", "bytes 1", "items 1-2/3", "bytes x-2/3"] {
            assert_eq!(parse_range(odd), None, "{odd}");
        }
    }
}
