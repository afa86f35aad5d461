//! Hashes of files, and what a file should be.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::HubError;

/// Bytes read at a time.
pub(crate) const BLOCK: usize = 1 << 18;

/// What is known of a file before it is there.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its length in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Its sha256, 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// What a file is.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// Its length in bytes.
    pub bytes: u64,
    /// Its sha256, 64 hexadecimal digits.
    pub sha256: String,
}

impl From<Sum> for Check {
    fn from(sum: Sum) -> Self {
        Self { bytes: Some(sum.bytes), sha256: Some(sum.sha256) }
    }
}

impl Check {
    /// What both know.
    ///
    /// # Errors
    ///
    /// [`HubError::Wrong`] where they contradict each other: `other` is what was found.
    pub fn and(&self, other: &Self, file: &str) -> Result<Self, HubError> {
        if let (Some(expected), Some(found)) = (self.bytes, other.bytes)
            && expected != found
        {
            return Err(HubError::wrong(
                file,
                "length",
                &format!("{expected} bytes"),
                &format!("{found} bytes"),
            ));
        }
        if let (Some(expected), Some(found)) = (&self.sha256, &other.sha256)
            && expected != found
        {
            return Err(HubError::wrong(file, "sha256", expected, found));
        }
        Ok(Self {
            bytes: self.bytes.or(other.bytes),
            sha256: self.sha256.clone().or_else(|| other.sha256.clone()),
        })
    }

    /// Whether `sum` is a file like that.
    ///
    /// # Errors
    ///
    /// [`HubError::Wrong`] says what is different.
    pub fn hold(&self, sum: &Sum, file: &str) -> Result<(), HubError> {
        self.and(&sum.clone().into(), file).map(drop)
    }
}

/// Length and sha256 of a file.
///
/// # Errors
///
/// [`HubError::Io`].
pub fn sum(path: &Path) -> Result<Sum, HubError> {
    let mut hasher = Sha256::new();
    let bytes = absorb(path, |block| hasher.update(block))?;
    Ok(Sum { bytes, sha256: hex(&hasher.finalize()) })
}

/// The id that git gives to a file's content: sha1 of `blob <length>\0` and the content.
///
/// # Errors
///
/// [`HubError::Io`].
pub fn git_id(path: &Path) -> Result<String, HubError> {
    let length = path.metadata().map_err(HubError::io("read", path))?.len();
    let mut hasher = Sha1::new();
    hasher.update(format!("blob {length}\0"));
    absorb(path, |block| hasher.update(block))?;
    Ok(hex(&hasher.finalize()))
}

/// Gives a file block by block to `take`; returns its length.
pub(crate) fn absorb(path: &Path, mut take: impl FnMut(&[u8])) -> Result<u64, HubError> {
    let mut file = File::open(path).map_err(HubError::io("read", path))?;
    let mut block = vec![0; BLOCK];
    let mut length = 0;
    loop {
        let read = file.read(&mut block).map_err(HubError::io("read", path))?;
        if read == 0 {
            return Ok(length);
        }
        take(&block[..read]);
        length += read as u64;
    }
}

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // A String takes every write.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_those_of_sha256sum_and_git() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "hello\n").unwrap();
        let sum = sum(&path).unwrap();
        // `sha256sum` and `git hash-object` of the same file.
        assert_eq!(sum.sha256, "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
        assert_eq!(
            (sum.bytes, git_id(&path).unwrap().as_str()),
            (6, "ce013625030ba8dba906f756967f9e9ca394464a")
        );
    }

    #[test]
    fn checks_add_up_and_contradictions_are_named() {
        let known = |bytes, sha256: Option<&str>| Check { bytes, sha256: sha256.map(str::to_owned) };
        assert_eq!(
            known(Some(3), None).and(&known(None, Some("a")), "f").unwrap(),
            known(Some(3), Some("a"))
        );
        let error = known(Some(3), None).and(&known(Some(4), None), "f").unwrap_err().to_string();
        assert!(error.contains('f') && error.contains("3 bytes") && error.contains("4 bytes"), "{error}");
        let error = known(None, Some("a")).and(&known(None, Some("b")), "f").unwrap_err().to_string();
        assert!(error.contains("sha256"), "{error}");
    }
}
