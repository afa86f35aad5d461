//! What the hub answers.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::json;
use sha1::{Digest as _, Sha1};

use super::request::{Request, plain};
use super::{Access, Faults, State};
use crate::digest::hex;
use crate::{git_id, sum};

/// Bytes sent at a time.
const BLOCK: u64 = 1 << 14;

/// A request with all that decides about its answer.
pub(super) struct Serving<'a> {
    pub(super) state: &'a State,
    pub(super) faults: &'a Faults,
    pub(super) access: &'a Access,
    pub(super) request: &'a Request,
    pub(super) is_far: bool,
}

/// An answer before it is sent.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

enum Body {
    Text(String),
    /// A file, with the name by which faults know it.
    Content(PathBuf, String),
}

/// The files of a revision.
pub(super) struct Revision {
    folder: PathBuf,
    pub(super) commit: String,
    files: Vec<(String, Entry)>,
}

struct Entry {
    bytes: u64,
    git_id: String,
    sha256: String,
}

impl Revision {
    /// `models/owner/name`, `datasets/owner/name@revision`; a commit id is a revision too.
    pub(super) fn of(state: &State, folder: &str) -> Option<Self> {
        let (name, revision) = folder.split_once('@').unwrap_or((folder, "main"));
        let root = state.root.join(name);
        let named = state.root.join(format!("{name}@{}", revision.replace('/', "%2F")));
        if revision == "main" || named.is_dir() {
            return Self::read(if revision == "main" { &root } else { &named });
        }
        // By its commit: of all revisions that there are.
        let parent = root.parent()?;
        let stem = root.file_name()?.to_string_lossy().into_owned();
        let mut folders: Vec<PathBuf> =
            std::fs::read_dir(parent).ok()?.flatten().map(|entry| entry.path()).collect();
        folders.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            *name == stem || name.starts_with(&format!("{stem}@"))
        });
        folders.iter().filter_map(|path| Self::read(path)).find(|found| found.commit == revision)
    }

    fn read(folder: &Path) -> Option<Self> {
        let mut paths = Vec::new();
        walk(folder, &mut paths).ok()?;
        let entry = |path: &PathBuf| {
            let found = sum(path).ok()?;
            let name = path.strip_prefix(folder).ok()?.to_string_lossy().into_owned();
            Some((name, Entry { bytes: found.bytes, git_id: git_id(path).ok()?, sha256: found.sha256 }))
        };
        let mut files: Vec<(String, Entry)> = paths.iter().filter_map(entry).collect();
        files.sort_by(|one, other| one.0.cmp(&other.0));
        let mut hasher = Sha1::new();
        for (name, entry) in &files {
            hasher.update(format!("{name}\0{}\n", entry.git_id));
        }
        Some(Self { folder: folder.to_owned(), commit: hex(&hasher.finalize()), files })
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        self.files.iter().find(|(known, _)| known == name).map(|(_, entry)| entry)
    }
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

impl Answer {
    fn text(status: u16, body: String) -> Self {
        Self { status, headers: Vec::new(), body: Body::Text(body) }
    }

    fn error(status: u16, code: &str, message: &str) -> Self {
        let headers = vec![("X-Error-Code", code.to_owned()), ("X-Error-Message", message.to_owned())];
        Self { status, headers, body: Body::Text(json!({"error": message}).to_string()) }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Serving<'_> {
    /// The answer of a server in trouble.
    pub(super) fn trouble(&self) -> Answer {
        let status = self.faults.flaky_status.unwrap_or(503);
        let answer = Answer::text(status, "in trouble".to_owned());
        if status == 429 { answer.with("Retry-After", "1") } else { answer }
    }

    pub(super) fn answer(&self) -> Answer {
        let parts: Vec<String> = self.request.path().split('/').skip(1).map(plain).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let nothing = || Answer::text(404, "nothing here".to_owned());
        match parts.as_slice() {
            ["content", rest @ ..] if self.is_far => self.content(&rest.join("/")),
            _ if self.is_far => nothing(),
            ["mirror" | "simple", ..] => self.plain_file(&parts.join("/")),
            ["api", "resolve-cache", kind, owner, name, commit, file @ ..] => {
                self.resolved(&format!("{kind}/{owner}/{name}@{commit}"), &file.join("/"), false)
            }
            ["api", kind @ ("models" | "datasets"), owner, name, "revision", revision] => {
                self.list(kind, owner, name, revision)
            }
            ["datasets", owner, name, "resolve", revision, file @ ..] => {
                self.file("datasets", (owner, name), revision, &file.join("/"))
            }
            [owner, name, "resolve", revision, file @ ..] => {
                self.file("models", (owner, name), revision, &file.join("/"))
            }
            _ => nothing(),
        }
    }

    /// Why a repository may not be seen, where that is so.
    fn barred(&self, id: &str, files: bool) -> Option<Answer> {
        let token = self.request.token.as_deref();
        let known = token.is_some_and(|token| self.access.tokens.contains(token));
        let stranger = token.is_some_and(|token| self.access.strangers.contains(token));
        if self.access.private.contains(id) && !known {
            return Some(Answer::error(404, "RepoNotFound", "Repository not found"));
        }
        if self.access.gated.contains(id) && files && !known {
            // It repeats what it was sent, as some servers do.
            let message = format!("Access is restricted ({})", token.unwrap_or("no token"));
            return Some(Answer::error(if stranger { 403 } else { 401 }, "GatedRepo", &message));
        }
        None
    }

    fn renamed(&self, prefix: &str, id: &str) -> Option<Answer> {
        let new = self.access.renamed.get(id)?;
        let place = self.request.target.replacen(&format!("{prefix}{id}"), &format!("{prefix}{new}"), 1);
        Some(Answer::text(307, String::new()).with("Location", place))
    }

    fn list(&self, kind: &str, owner: &str, name: &str, revision: &str) -> Answer {
        let id = format!("{owner}/{name}");
        if let Some(answer) = self.renamed(&format!("/api/{kind}/"), &id).or_else(|| self.barred(&id, false))
        {
            return answer;
        }
        if !self.state.root.join(kind).join(&id).is_dir() {
            return Answer::error(404, "RepoNotFound", "Repository not found");
        }
        let Some(found) = Revision::of(self.state, &format!("{kind}/{id}@{revision}")) else {
            return Answer::error(404, "RevisionNotFound", "Invalid rev id");
        };
        let sibling = |(name, entry): &(String, Entry)| {
            let lfs = self.is_large(entry).then(|| json!({"sha256": entry.sha256, "size": entry.bytes}));
            json!({"rfilename": name, "size": entry.bytes, "blobId": entry.git_id, "lfs": lfs})
        };
        let mut siblings: Vec<_> = found.files.iter().map(sibling).collect();
        siblings.extend(self.faults.listed.iter().map(|name| json!({"rfilename": name})));
        Answer::text(200, json!({"id": id, "sha": found.commit, "siblings": siblings}).to_string())
    }

    fn file(&self, kind: &str, (owner, name): (&str, &str), revision: &str, file: &str) -> Answer {
        let id = format!("{owner}/{name}");
        let prefix = if kind == "models" { "/" } else { "/datasets/" };
        if let Some(answer) = self.renamed(prefix, &id).or_else(|| self.barred(&id, true)) {
            return answer;
        }
        if !self.state.root.join(kind).join(&id).is_dir() {
            return Answer::error(404, "RepoNotFound", "Repository not found");
        }
        self.resolved(&format!("{kind}/{id}@{revision}"), file, self.faults.resolve_cache)
    }

    fn resolved(&self, folder: &str, file: &str, detour: bool) -> Answer {
        let Some(revision) = Revision::of(self.state, folder) else {
            return Answer::error(404, "RevisionNotFound", "Invalid rev id");
        };
        let commit = revision.commit.clone();
        let Some(entry) = revision.find(file) else {
            return Answer::error(404, "EntryNotFound", "Entry not found").with("X-Repo-Commit", commit);
        };
        let mut etag = if self.is_large(entry) { entry.sha256.clone() } else { entry.git_id.clone() };
        if self.faults.etag_change && self.request.method == "HEAD" {
            let count = self.state.lock().counts.requests;
            etag = format!("{count:0width$x}", width = etag.len());
        }
        let path = revision.folder.join(file);
        let relative = path.strip_prefix(&self.state.root).unwrap_or(&path).to_string_lossy().into_owned();
        if self.is_large(entry) {
            let count = self.state.lock().counts.requests;
            let place =
                format!("{}/content/{}?Signature={count}", self.state.far, relative.replace('%', "%25"));
            return Answer::text(302, String::new())
                .with("Location", place)
                .with("X-Repo-Commit", commit)
                .with("X-Linked-Etag", format!("\"{etag}\""))
                .with("X-Linked-Size", entry.bytes.to_string());
        }
        if detour {
            let (id, _) = folder.split_once('@').unwrap_or((folder, ""));
            let place = format!("/api/resolve-cache/{id}/{commit}/{file}");
            return Answer::text(307, String::new()).with("Location", place).with("X-Repo-Commit", commit);
        }
        let answer = Answer { status: 200, headers: Vec::new(), body: Body::Content(path, relative) };
        answer.with("X-Repo-Commit", commit).with("ETag", format!("\"{etag}\""))
    }

    fn is_large(&self, entry: &Entry) -> bool {
        entry.bytes >= self.state.large
    }

    fn content(&self, relative: &str) -> Answer {
        if let Some(after) = self.faults.expire_after {
            let mut inner = self.state.lock();
            let served = inner.counts.served.entry(self.request.target.clone()).or_default();
            *served += 1;
            if *served > after {
                return Answer::text(403, "<Error>Request has expired</Error>".to_owned());
            }
        }
        self.plain_file(relative)
    }

    fn plain_file(&self, relative: &str) -> Answer {
        let mut path = self.state.root.join(relative.trim_end_matches('/'));
        if path.is_dir() {
            path = path.join("index.json");
        }
        if !path.is_file() || relative.contains("..") {
            return Answer::text(404, "nothing here".to_owned());
        }
        let etag = sum(&path).map(|sum| sum.sha256).unwrap_or_default();
        let answer =
            Answer { status: 200, headers: Vec::new(), body: Body::Content(path, relative.to_owned()) };
        answer.with("ETag", format!("\"{etag}\""))
    }

    /// Sends the answer, with the faults of bodies.
    pub(super) fn send(&self, answer: &Answer, stream: &TcpStream) -> io::Result<()> {
        match &answer.body {
            Body::Text(text) => {
                Self::head(answer.status, &answer.headers, text.len() as u64, stream)?;
                if self.request.method == "HEAD" { Ok(()) } else { (&*stream).write_all(text.as_bytes()) }
            }
            Body::Content(path, name) => self.send_file(answer, path, name, stream),
        }
    }

    fn head(
        status: u16,
        headers: &[(&'static str, String)],
        length: u64,
        mut stream: &TcpStream,
    ) -> io::Result<()> {
        let mut text =
            format!("HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\nConnection: close\r\n");
        for (name, value) in headers {
            text += name;
            text += ": ";
            text += value;
            text += "\r\n";
        }
        stream.write_all((text + "\r\n").as_bytes())
    }

    fn send_file(&self, answer: &Answer, path: &Path, name: &str, mut stream: &TcpStream) -> io::Result<()> {
        let faults = self.faults;
        let hits = |ends: &[String]| ends.iter().any(|end| name.ends_with(end.as_str()));
        let whole = path.metadata()?.len();
        let size = if hits(&faults.truncate) { whole / 2 } else { whole };
        let mut headers = answer.headers.clone();
        let (mut status, mut at) = (answer.status, 0);
        if let Some(start) = self.request.start().filter(|_| !faults.no_range) {
            if start >= size {
                headers.push(("Content-Range", format!("bytes */{size}")));
                return Self::head(416, &headers, 0, stream);
            }
            headers.push(("Content-Range", format!("bytes {start}-{}/{size}", size - 1)));
            (status, at) = (206, start);
        }
        Self::head(status, &headers, size - at, stream)?;
        if self.request.method == "HEAD" {
            return Ok(());
        }
        let middle = whole / 2;
        let flips =
            hits(&faults.corrupt) && self.counts(|counts| &mut counts.corrupted, faults.corrupt_times);
        let end = match faults.drop_after {
            Some(after)
                if size - at > after && self.counts(|counts| &mut counts.dropped, faults.drop_times) =>
            {
                at + after
            }
            _ => size,
        };
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(at))?;
        let mut block = vec![0; BLOCK as usize];
        while at < end {
            let length = BLOCK.min(end - at) as usize;
            file.read_exact(&mut block[..length])?;
            if flips && (at..at + length as u64).contains(&middle) {
                block[(middle - at) as usize] ^= 0x40;
            }
            stream.write_all(&block[..length])?;
            at += length as u64;
            if let Some(slow) = faults.slow {
                thread::sleep(slow);
            }
        }
        if end < size { stream.shutdown(Shutdown::Both) } else { Ok(()) }
    }

    /// Counts one more, unless there were `most`.
    fn counts(&self, of: impl FnOnce(&mut super::Counts) -> &mut u64, most: Option<u64>) -> bool {
        let mut inner = self.state.lock();
        let count = of(&mut inner.counts);
        if most.is_some_and(|most| *count >= most) {
            return false;
        }
        *count += 1;
        true
    }
}
