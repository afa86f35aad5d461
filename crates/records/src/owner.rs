//! Who holds a claim: host and process.

use std::fs;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A process among all machines that share a folder.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Owner {
    /// The machine's name, for people.
    pub(crate) host: String,
    /// What makes process numbers comparable: one boot of one machine, and one container on it.
    pub(crate) realm: String,
    pub(crate) pid: u32,
}

impl Owner {
    pub(crate) fn this_process() -> Self {
        let read = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).ok();
        let host = read("/proc/sys/kernel/hostname").or_else(|| read("/etc/hostname")).unwrap_or_default();
        let boot = read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let space =
            fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default();
        let realm = hex(&Sha256::digest(format!("{host}\n{boot}\n{space}")))[..12].to_owned();
        let host = if host.is_empty() { "unknown".to_owned() } else { host };
        Self { host, realm, pid: process::id() }
    }

    /// Whether the process is known to have ended. False where that cannot be seen from here.
    pub(crate) fn is_dead(&self) -> bool {
        let seen_from_here =
            Path::new("/proc/self/ns/pid").exists() && self.realm == Self::this_process().realm;
        seen_from_here && !Path::new("/proc").join(self.pid.to_string()).exists()
    }
}

/// A text that no other call on any machine gives.
pub(crate) fn token() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let Owner { host, realm, pid } = Owner::this_process();
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    hex(&Sha256::digest(format!("{host}\n{realm}\n{pid}\n{nanos}\n{call}")))[..16].to_owned()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}
