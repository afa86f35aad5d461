//! A hub of one process, for tests: it speaks what the real one speaks, and misbehaves as it is told.
//!
//! Its root has the folders `models/<owner>/<name>`, `datasets/<owner>/<name>`, with other revisions in
//! `<name>@<revision>` (`/` written as `%2F`), `mirror/<host>/<path>` for plain addresses, and `simple/<package>` for an
//! index of packages. Large files are handed out by a second port, which is another origin.

mod answer;
mod request;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use answer::Serving;
use request::Request;

/// What the hub does wrong. Everything may be changed while it runs.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// A body ends without a word after so many bytes.
    pub drop_after: Option<u64>,
    /// How often that happens; for ever without a number.
    pub drop_times: Option<u64>,
    /// A wait after every block of a body.
    pub slow: Option<Duration>,
    /// A wait before every answer.
    pub delay: Option<Duration>,
    /// A byte in the middle of files is another, where a path ends so.
    pub corrupt: Vec<String>,
    /// How often that happens; for ever without a number.
    pub corrupt_times: Option<u64>,
    /// Files of which half is sent, with a length that fits, where a path ends so.
    pub truncate: Vec<String>,
    /// Every so manieth request is answered by a status of trouble.
    pub flaky: Option<u64>,
    /// That status; 429 says how long to wait.
    pub flaky_status: Option<u16>,
    /// Nothing is answered any more after so many requests.
    pub offline_after: Option<u64>,
    /// Ranges are not heeded.
    pub no_range: bool,
    /// Every question for metadata is told another etag.
    pub etag_change: bool,
    /// The second port answers so many requests of an address, then says that it has expired.
    pub expire_after: Option<u64>,
    /// Small files are first sent on to another path of the same port.
    pub resolve_cache: bool,
    /// A list of files names these besides, whatever they are.
    pub listed: Vec<String>,
}

/// Who may see what.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Tokens that open everything.
    pub tokens: BTreeSet<String>,
    /// Tokens of accounts that have agreed to no licence.
    pub strangers: BTreeSet<String>,
    /// Repositories whose files want a token, as `owner/name`.
    pub gated: BTreeSet<String>,
    /// Repositories that are not there without a token.
    pub private: BTreeSet<String>,
    /// Old names of repositories, with their new ones.
    pub renamed: BTreeMap<String, String>,
}

/// A request, as it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// `GET` or `HEAD`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Whether the second port was asked.
    pub far: bool,
    /// The header `Range`.
    pub range: Option<String>,
    /// The token that came with it.
    pub token: Option<String>,
    /// The status of the answer; 0 where there was none.
    pub status: u16,
}

/// The hub. It stops when it goes.
#[derive(Debug)]
pub struct TestHub {
    state: Arc<State>,
    ports: [u16; 2],
}

#[derive(Debug)]
struct State {
    root: PathBuf,
    /// From this length on a file is large.
    large: u64,
    far: String,
    inner: Mutex<Inner>,
    stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct Inner {
    faults: Faults,
    access: Access,
    heard: Vec<Heard>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    requests: u64,
    dropped: u64,
    corrupted: u64,
    served: BTreeMap<String, u64>,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TestHub {
    /// A hub over the folder `root`, where files of `large` bytes and more come from the second port.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub fn start(root: &Path, large: u64) -> io::Result<Self> {
        let (near, far) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
        let ports = [near.local_addr()?.port(), far.local_addr()?.port()];
        let state = Arc::new(State {
            root: root.to_owned(),
            large,
            far: format!("http://127.0.0.1:{}", ports[1]),
            inner: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        for (listener, is_far) in [(near, false), (far, true)] {
            let state = Arc::clone(&state);
            thread::Builder::new()
                .name("test hub".to_owned())
                .spawn(move || listen(&listener, &state, is_far))?;
        }
        Ok(Self { state, ports })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// What it does wrong from now on. Counts begin anew.
    pub fn misbehave(&self, faults: Faults) {
        let mut inner = self.state.lock();
        inner.faults = faults;
        inner.counts = Counts::default();
    }

    /// Who may see what from now on.
    pub fn admit(&self, access: Access) {
        self.state.lock().access = access;
    }

    /// What was asked so far, and forgets it.
    pub fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.state.lock().heard)
    }

    /// The commit of a repository's revision, as `models/owner/name` or `datasets/owner/name@revision`.
    pub fn commit(&self, folder: &str) -> Option<String> {
        Some(answer::Revision::of(&self.state, folder)?.commit)
    }
}

impl Drop for TestHub {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        for port in self.ports {
            // Wakes the listener, which then sees that it should end.
            let _ = TcpStream::connect(("127.0.0.1", port));
        }
    }
}

fn listen(listener: &TcpListener, state: &Arc<State>, is_far: bool) {
    for stream in listener.incoming() {
        if state.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let state = Arc::clone(state);
        // A client that goes away is no fault of the hub.
        let serve = move || drop(talk(&stream, &state, is_far));
        let _ = thread::Builder::new().name("test hub talk".to_owned()).spawn(serve);
    }
}

/// One request and its answer; each connection is closed behind it.
fn talk(stream: &TcpStream, state: &State, is_far: bool) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let Some(request) = Request::read(stream)? else { return Ok(()) };
    let (faults, access, count) = {
        let mut inner = state.lock();
        inner.counts.requests += 1;
        (inner.faults.clone(), inner.access.clone(), inner.counts.requests)
    };
    if let Some(delay) = faults.delay {
        thread::sleep(delay);
    }
    let heard = |status| Heard {
        method: request.method.clone(),
        path: request.target.clone(),
        far: is_far,
        range: request.range.clone(),
        token: request.token.clone(),
        status,
    };
    if faults.offline_after.is_some_and(|after| count > after) {
        state.lock().heard.push(heard(0));
        return Ok(());
    }
    let serving = Serving { state, faults: &faults, access: &access, request: &request, is_far };
    let answer = if faults.flaky.is_some_and(|every| count.is_multiple_of(every)) {
        serving.trouble()
    } else {
        serving.answer()
    };
    state.lock().heard.push(heard(answer.status));
    serving.send(&answer, stream)
}
