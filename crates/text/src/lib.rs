//! stub
mod alphabet;
mod english;
mod error;
mod iob;
mod lexicon;
mod normalize;
mod phones;
mod slots;
mod stored;

pub use alphabet::{Alphabet, Encoded};
pub use error::TextError;
pub use iob::{IobLine, spans_from_iob, tag_reference};
pub use lexicon::Lexicon;
pub use normalize::Normalizer;
pub use phones::{arpabet, arpabet_without_stress, without_stress};
pub use slots::{Slot, SlotSpan, Tagged, tag, tag_with, untag};
pub use stored::AlphabetKind;
