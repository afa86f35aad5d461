//! Archives from elsewhere, unpacked so that they can do no harm: tar, gzipped tar and zip, told apart by content.
//!
//! An archive is taken for hostile. Nothing is written outside the folder, no link is made or followed, no file is
//! written twice, and bytes, entries, lengths of names and the ratio to the archive's own size have limits. What breaks a
//! rule ends the unpacking with an error that names the archive, the entry and the rule. Files get plain permissions: no
//! bit of the archive's is kept.

mod error;
mod format;
mod limits;
mod member;
mod meter;
mod name;
mod pax;
mod place;
mod tar;
mod unpack;
mod walk;
mod zip;

pub use error::{ArchiveError, Limit, NameFault};
pub use format::Format;
pub use limits::Limits;
pub use member::{copy_member, member};
pub use meter::Progress;
pub use unpack::{Unpacked, unpack};
