//! Manifests and task cards: from a folder of recordings to lists of labelled utterances.
//!
//! A [`Manifest`] is a table of utterances as the user wrote it. A [`TaskCard`] says which of its keys is the label and
//! which the split, and selects a [`LabelledSet`]. [`facts`] decodes the recordings once and remembers their hashes;
//! the [`Fingerprint`] made of them says which data a result belongs to, and what is wrong with the splits.

mod appear;
mod card;
mod dataset;
mod discover;
mod error;
mod facts;
mod fingerprint;
mod limit;
mod manifest;
mod memo;
mod packs;
mod readers;
mod refusal;
mod select;
mod set;
mod split;
mod target;
mod tokens;
mod truth;
mod written;

pub use card::{Decoding, SlotTags, TaskCard, TaskKind, Vocabulary};
pub use dataset::{Checksum, DatasetCard, Defect, Labels as CardLabels, Sizes, Source, TaskLabels};
pub use discover::discover;
pub use error::DataError;
pub use facts::{AudioFacts, facts};
pub use fingerprint::{Fingerprint, SameAudio, SplitCounts};
pub use manifest::{Manifest, Row};
pub use readers::{Note, Protocol, READERS, ReadOptions, Reader, Reading, What, read_dataset, reader};
pub use refusal::{Applies, Reason, Refusal};
pub use select::Reference;
pub use set::{Example, LabelledSet};
pub use split::Split;
pub use target::{HeadLabels, Labels, NONE, Target};
pub use written::{RECOGNISED, TaskInput, Written};
