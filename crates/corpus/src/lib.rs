//! The recipe of the embedded corpus: who speaks, what is said, in which room, and how it is packed.
//!
//! Voices, manners and rooms are drawn from names. The synthesisers' samples are a function of the recipe, the order
//! of its lines and the engines' versions, and the manifests keep a hash of them: [`check`] speaks all lines again and
//! compares. That holds for the first corpus of a process: eSpeak NG carries a state from text to text. What is written is those samples in a room ([`room`]), in packs of Ogg Vorbis, one a voice and set.

mod check;
mod engine;
mod error;
mod make;
mod manifest;
mod pack;
mod render;
pub mod room;
mod sets;
mod trials;
mod voice;

pub use check::{Checked, FilesChecked, check, check_files};
pub use engine::{Engines, Phone, Prosody, Speech, Versions};
pub use error::CorpusError;
pub use make::{SetMade, make, make_extra};
pub use sets::{EXTRA, Line, SETS, Set, extra_lines};
pub use voice::{Engine, Part, READERS, VOICES, Voice};
