//! Why an archive was not unpacked.

use std::{fmt, io, path::PathBuf};

/// Why an archive was not unpacked, or a member of it not read. What the archive says of itself is shown shortened, with
/// control characters escaped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The archive cannot be opened or read.
    #[error("cannot read {}", archive.display())]
    Read {
        /// The archive.
        archive: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// The content is no tar, gzipped tar or zip.
    #[error("{} is no tar, tar.gz or zip archive: it {found}", archive.display())]
    Format {
        /// The archive.
        archive: PathBuf,
        /// What it is instead.
        found: &'static str,
    },

    /// The archive ends in the middle, or contradicts itself.
    #[error("{} is damaged at {entry}: {reason}; fetch it again", archive.display())]
    Damaged {
        /// The archive.
        archive: PathBuf,
        /// The entry, or what comes before it.
        entry: String,
        /// The contradiction.
        reason: String,
    },

    /// Something that is not read here, although others read it.
    #[error("{}: {entry} {what}, which is not read here; unpack the archive by other means", archive.display())]
    Unsupported {
        /// The archive.
        archive: PathBuf,
        /// The entry.
        entry: String,
        /// What it is.
        what: String,
    },

    /// The name of an entry leads out of the folder, or is none that every system takes.
    #[error("{}: the name {entry} {fault}", archive.display())]
    Name {
        /// The archive.
        archive: PathBuf,
        /// The entry.
        entry: String,
        /// What is wrong with it.
        fault: NameFault,
    },

    /// A symbolic or hard link.
    #[error(
        "{}: {entry} is a link to {target}; links are not unpacked, as they may lead anywhere",
        archive.display()
    )]
    Link {
        /// The archive.
        archive: PathBuf,
        /// The entry.
        entry: String,
        /// Where it leads.
        target: String,
    },

    /// A device, pipe or socket.
    #[error("{}: {entry} is a {what}, and no file", archive.display())]
    Special {
        /// The archive.
        archive: PathBuf,
        /// The entry.
        entry: String,
        /// What it is.
        what: &'static str,
    },

    /// Two entries have the same place, or one that differs in upper and lower case alone.
    #[error(
        "{}: {entry} would overwrite another entry, or one that differs in upper and lower case alone",
        archive.display()
    )]
    Collision {
        /// The archive.
        archive: PathBuf,
        /// The entry.
        entry: String,
    },

    /// A limit is passed.
    #[error("{}: {limit} are exceeded at {entry}", archive.display())]
    Limit {
        /// The archive.
        archive: PathBuf,
        /// The entry.
        entry: String,
        /// Which one, with its value.
        limit: Limit,
    },

    /// The folder to unpack into holds something.
    #[error("{} is not empty; archives are unpacked into a new folder", folder.display())]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },

    /// What is unpacked cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// There is no such file in the archive.
    #[error("{} holds no file {member}", archive.display())]
    NoMember {
        /// The archive.
        archive: PathBuf,
        /// The name that was asked for.
        member: String,
    },

    /// The caller ended it.
    #[error("unpacking {} was stopped", archive.display())]
    Stopped {
        /// The archive.
        archive: PathBuf,
    },
}

/// A limit, with its value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of all that is unpacked.
    Bytes(u64),
    /// Entries.
    Entries(u64),
    /// Bytes for each byte of the archive.
    Ratio(u64),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(most) => write!(f, "{most} unpacked bytes"),
            Self::Entries(most) => write!(f, "{most} entries"),
            Self::Ratio(most) => write!(f, "{most} unpacked bytes for each byte of the archive"),
        }
    }
}

/// What is wrong with the name of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NameFault {
    /// It starts at the root or at a drive.
    Absolute,
    /// It has a part `..`.
    Parent,
    /// It is not UTF-8.
    NotText,
    /// It has a control character or a backslash.
    Character(char),
    /// It has no part at all.
    Empty,
    /// It is longer than the limit, in bytes.
    TooLong(usize),
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute => f.write_str("is absolute, and would be written outside the folder"),
            Self::Parent => f.write_str("has a part `..`, and would be written outside the folder"),
            Self::NotText => f.write_str("is not UTF-8"),
            Self::Character(letter) => {
                write!(f, "has the character {letter:?}, which not every system takes")
            }
            Self::Empty => f.write_str("is empty"),
            Self::TooLong(most) => write!(f, "is longer than {most} bytes"),
        }
    }
}
