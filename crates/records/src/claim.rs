//! Who works on what, among processes and machines that share a folder.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::RecordsError;
use crate::owner::{Owner, token};

/// How often the owner of a claim says that it is alive, unless told otherwise.
pub const HEARTBEAT: Duration = Duration::from_secs(10);

/// After this many silent heartbeats a claim is stale.
const MISSED: u32 = 6;

/// Guards the looking and taking of one folder's claims. It is locked for microseconds and never removed.
const LOCK: &str = ".claims.lock";

/// The right to do one thing, among all processes of all machines that share a folder. Dropping it gives it back.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    token: String,
    /// Dropping the sender ends the heartbeat at once.
    stop: Option<Sender<()>>,
    heart: Option<JoinHandle<()>>,
}

/// Who has a claim.
#[derive(Debug)]
pub enum ClaimState {
    /// This process, through this value.
    Mine(Claim),
    /// Somebody else who is alive, as far as can be seen.
    Theirs {
        /// The machine.
        host: String,
        /// The process.
        pid: u32,
        /// Seconds since its last heartbeat.
        age_s: u64,
    },
}

/// What `<name>.claim` holds.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Body {
    owner: Owner,
    token: String,
    heartbeat_s: f64,
}

impl Claim {
    /// Tries to claim `name` in the folder `dir`, with a heartbeat every [`HEARTBEAT`].
    ///
    /// # Errors
    ///
    /// [`RecordsError::ClaimName`], [`RecordsError::Io`].
    pub fn acquire(dir: &Path, name: &str) -> Result<ClaimState, RecordsError> {
        Self::acquire_every(dir, name, HEARTBEAT)
    }

    /// [`Claim::acquire`] with a heartbeat of one's own. A claim whose owner missed six of *its* heartbeats, or whose
    /// process on this machine has ended, is taken over.
    ///
    /// # Errors
    ///
    /// Those of [`Claim::acquire`].
    pub fn acquire_every(dir: &Path, name: &str, heartbeat: Duration) -> Result<ClaimState, RecordsError> {
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
            return Err(RecordsError::ClaimName { name: name.to_owned() });
        }
        fs::create_dir_all(dir).map_err(RecordsError::io("create the folder", dir))?;
        let path = dir.join(format!("{name}.claim"));
        let _guard = Guard::lock(dir);
        let claim = || -> io::Result<ClaimState> {
            loop {
                match File::create_new(&path) {
                    Ok(file) => return Self::start(file, &path, heartbeat).map(ClaimState::Mine),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(error),
                }
                match Seen::look(dir, &path, heartbeat)? {
                    Some(seen) if seen.is_stale => seen.remove(&path)?,
                    Some(seen) => return Ok(seen.theirs()),
                    None => {}
                }
            }
        };
        claim().map_err(RecordsError::io("claim", &path))
    }

    /// Whether the claim is still this one's: a process that was suspended for long may have lost it.
    pub fn is_held(&self) -> bool {
        read(&self.path).is_some_and(|body| body.token == self.token)
    }

    fn start(mut file: File, path: &Path, heartbeat: Duration) -> io::Result<Self> {
        let body =
            Body { owner: Owner::this_process(), token: token(), heartbeat_s: heartbeat.as_secs_f64() };
        let text = serde_json::to_vec(&body)?;
        if let Err(error) = file.write_all(&text).and_then(|()| file.sync_all()) {
            let _ = fs::remove_file(path);
            return Err(error);
        }
        let (stop, stopped) = mpsc::channel::<()>();
        // The open file, not its name: once taken over, the heartbeat goes to a file that nobody sees any more.
        let heart = thread::Builder::new().name("heartbeat".into()).spawn(move || {
            while stopped.recv_timeout(heartbeat) == Err(RecvTimeoutError::Timeout) {
                // Writing, unlike setting a time, uses the clock of the file system, which all readers share. A beat
                // that fails is a missed beat.
                let _ = file.rewind().and_then(|()| file.write_all(&text)).and_then(|()| file.sync_data());
            }
        })?;
        Ok(Self { path: path.to_owned(), token: body.token, stop: Some(stop), heart: Some(heart) })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(heart) = self.heart.take() {
            let _ = heart.join();
        }
        let _guard = self.path.parent().map(Guard::lock);
        if self.is_held() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Somebody's claim, as it was found.
struct Seen {
    body: Option<Body>,
    age: Duration,
    is_stale: bool,
}

impl Seen {
    /// `None` where the claim went away in the meantime.
    fn look(dir: &Path, path: &Path, heartbeat: Duration) -> io::Result<Option<Self>> {
        let body = read(path);
        let touched = match fs::metadata(path) {
            Ok(data) => data.modified()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let age = now(dir)?.duration_since(touched).unwrap_or_default();
        // A body that cannot be read is a claim in the making, or one whose maker died in the making.
        let beat = body.as_ref().and_then(|body| Duration::try_from_secs_f64(body.heartbeat_s).ok());
        let is_dead = body.as_ref().is_some_and(|body| body.owner.is_dead());
        let is_stale = is_dead || age > beat.unwrap_or(heartbeat).saturating_mul(MISSED);
        Ok(Some(Self { body, age, is_stale }))
    }

    /// Takes the stale claim away. It is renamed first: where the folder's lock does not work, a claim that somebody
    /// else renewed in the meantime is noticed and put back.
    fn remove(self, path: &Path) -> io::Result<()> {
        let aside = path.with_extension(format!("{}.stale", token()));
        match fs::rename(path, &aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed?,
        }
        if read(&aside) != self.body {
            fs::hard_link(&aside, path)?;
        }
        fs::remove_file(&aside)
    }

    fn theirs(self) -> ClaimState {
        let (host, pid) =
            self.body.map_or(("unknown".to_owned(), 0), |body| (body.owner.host, body.owner.pid));
        ClaimState::Theirs { host, pid, age_s: self.age.as_secs() }
    }
}

/// The lock on a folder's claims; the system gives it back when the process ends, however it ends. File systems
/// without locks leave the atomic creation alone, which is safe but for a race of two takers of one stale claim.
struct Guard {
    _file: Option<File>,
}

impl Guard {
    fn lock(dir: &Path) -> Self {
        let open = || File::options().create(true).append(true).open(dir.join(LOCK));
        let file = open().and_then(|file| file.lock().map(|()| file)).ok();
        Self { _file: file }
    }
}

/// The time by the clock that stamps the folder's files, which may be another machine's.
fn now(dir: &Path) -> io::Result<SystemTime> {
    let probe = dir.join(format!(".probe.{}", token()));
    let stamp = File::create_new(&probe)
        .and_then(|mut file| file.write_all(b".").and_then(|()| file.metadata()))
        .and_then(|data| data.modified());
    fs::remove_file(&probe)?;
    stamp
}

fn read(path: &Path) -> Option<Body> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const FAST: Duration = Duration::from_millis(20);

    fn is_mine(state: &ClaimState) -> bool {
        matches!(state, ClaimState::Mine(_))
    }

    fn plant(dir: &Path, owner: &Owner, heartbeat: Duration) {
        let body = Body { owner: owner.clone(), token: token(), heartbeat_s: heartbeat.as_secs_f64() };
        fs::write(dir.join("cell.claim"), serde_json::to_vec(&body).unwrap()).unwrap();
    }

    fn dead() -> Owner {
        Owner { pid: u32::MAX, ..Owner::this_process() }
    }

    #[test]
    fn a_claim_excludes_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let mine = Claim::acquire(folder.path(), "cell").unwrap();
        assert!(is_mine(&mine));
        assert!(is_mine(&Claim::acquire(folder.path(), "other").unwrap()));
        let ClaimState::Theirs { pid, age_s, .. } = Claim::acquire(folder.path(), "cell").unwrap() else {
            panic!("claimed twice");
        };
        assert_eq!((pid, age_s), (std::process::id(), 0));
        drop(mine);
        assert!(!folder.path().join("cell.claim").exists());
        assert!(is_mine(&Claim::acquire(folder.path(), "cell").unwrap()));
    }

    #[test]
    fn a_heartbeat_keeps_a_claim_alive_beyond_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let mine = Claim::acquire_every(folder.path(), "cell", FAST * 5).unwrap();
        thread::sleep(FAST * 5 * (MISSED + 2));
        assert!(!is_mine(&Claim::acquire_every(folder.path(), "cell", FAST * 5).unwrap()));
        let ClaimState::Mine(claim) = mine else { panic!("not claimed") };
        assert!(claim.is_held());
    }

    #[test]
    fn a_silent_claim_of_another_machine_is_taken_over_only_when_it_is_stale() {
        let folder = tempfile::tempdir().unwrap();
        let foreign = Owner { realm: "another".into(), ..dead() };
        plant(folder.path(), &foreign, Duration::from_mins(1));
        assert!(
            !is_mine(&Claim::acquire_every(folder.path(), "cell", FAST).unwrap()),
            "the owner's interval counts"
        );
        plant(folder.path(), &foreign, FAST);
        thread::sleep(FAST * (MISSED + 2));
        assert!(is_mine(&Claim::acquire(folder.path(), "cell").unwrap()));
    }

    #[test]
    fn a_half_written_claim_is_respected_until_it_is_stale() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("cell.claim"), b"{").unwrap();
        assert!(!is_mine(&Claim::acquire(folder.path(), "cell").unwrap()));
        thread::sleep(FAST * (MISSED + 2));
        assert!(is_mine(&Claim::acquire_every(folder.path(), "cell", FAST).unwrap()));
    }

    #[test]
    fn the_loser_of_a_claim_does_not_remove_the_winners() {
        let folder = tempfile::tempdir().unwrap();
        let ClaimState::Mine(lost) = Claim::acquire(folder.path(), "cell").unwrap() else {
            panic!("not claimed")
        };
        plant(folder.path(), &Owner::this_process(), HEARTBEAT);
        assert!(!lost.is_held());
        drop(lost);
        assert!(folder.path().join("cell.claim").exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_claim_of_a_dead_process_here_is_taken_over_at_once() {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), &dead(), HEARTBEAT);
        let taken = Claim::acquire(folder.path(), "cell").unwrap();
        assert!(is_mine(&taken));
        assert!(!is_mine(&Claim::acquire(folder.path(), "cell").unwrap()));
        let left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "the claim and the lock: {left:?}");
    }

    /// Runs rounds in which several threads want the same claim; returns how often it was held twice at a time.
    fn race(threads: usize, rounds: usize, prepare: impl Fn(&Path) + Sync) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let (barrier, winners, faults) = (Barrier::new(threads), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..rounds {
                        if barrier.wait().is_leader() {
                            prepare(folder.path());
                            winners.store(0, Ordering::SeqCst);
                        }
                        barrier.wait();
                        let state = Claim::acquire(folder.path(), "cell").unwrap();
                        winners.fetch_add(usize::from(is_mine(&state)), Ordering::SeqCst);
                        // Nobody gives back before all have tried.
                        if barrier.wait().is_leader() && winners.load(Ordering::SeqCst) != 1 {
                            faults.fetch_add(1, Ordering::SeqCst);
                        }
                        barrier.wait();
                        drop(state);
                    }
                });
            }
        });
        faults.into_inner()
    }

    #[test]
    fn of_threads_that_race_for_a_free_claim_exactly_one_wins() {
        assert_eq!(race(2, 200, |_| ()), 0);
        assert_eq!(race(6, 50, |_| ()), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn of_threads_that_race_for_a_dead_claim_exactly_one_wins() {
        assert_eq!(race(2, 200, |dir| plant(dir, &dead(), HEARTBEAT)), 0);
        assert_eq!(race(6, 50, |dir| plant(dir, &dead(), HEARTBEAT)), 0);
    }

    #[test]
    fn a_name_with_folders_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "a/b", "..", ".hidden", "a\\b"] {
            assert!(
                matches!(Claim::acquire(folder.path(), name), Err(RecordsError::ClaimName { .. })),
                "{name}"
            );
        }
    }
}
