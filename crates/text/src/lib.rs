//! Texts and tokens of speech tasks: what a model learns to write, and what its writing is read as.
//!
//! | what | where |
//! |---|---|
//! | the tokens of a CTC head, and text to tokens and back | [`Alphabet`] |
//! | what is done to a text before it is learnt from or scored | [`Normalizer`] |
//! | words to phones | [`Lexicon`], [`Pronouncer`] |
//! | slots of a sentence as tags between its words | [`tag`], [`untag`] |
//! | sentences with one tag a word, as Audio SNIPS has them | [`IobLine`], [`spans_from_iob`] |
//!
//! Speech recognition: an alphabet is a function of the training texts alone, and is stored with the run.
//!
//! ```
//! use sure_text::{Alphabet, Normalizer};
//!
//! let texts: Vec<String> =
//!     ["Hello, world!", "No, well."].iter().map(|text| Normalizer::Sure.apply(text)).collect();
//! let alphabet = Alphabet::characters(texts.iter().map(String::as_str))?;
//! assert_eq!(alphabet.tokens().concat(), "|dehlnorw[UNK][PAD]");
//!
//! let target = alphabet.encode("hello world");
//! assert_eq!((target.ids.len(), target.unknown), (11, 0));
//! // What the alphabet does not have is counted, never passed over.
//! assert_eq!(alphabet.encode("hello you").unknown, 2);
//!
//! // The best token of each frame: repeats are merged, then blanks dropped.
//! let [h, o, blank] = [alphabet.vocab()["h"], alphabet.vocab()["o"], alphabet.blank()];
//! assert_eq!(alphabet.decode_greedy(&[blank, h, h, blank, o, o, blank, o]), "hoo");
//! # Ok::<(), sure_text::TextError>(())
//! ```
//!
//! Phoneme recognition: words come from a lexicon, and what is guessed is named.
//!
//! ```
//! use sure_text::{Alphabet, Pronouncer};
//!
//! let said = Pronouncer::cmudict().pronounce("Two cats");
//! assert_eq!(said.text(), "T UW1 K AE1 T S");
//! assert!(said.guessed.is_empty());
//! // All of `ARPAbet`, so that no phone of a test text can be unknown.
//! assert_eq!(Alphabet::phones([said.text().as_str()])?.len(), 73);
//! # Ok::<(), sure_text::TextError>(())
//! ```
//!
//! Slot filling: slots are written by span, and read from a prediction into pairs.
//!
//! ```
//! use sure_text::{Normalizer, SlotSpan, tag_with, untag};
//!
//! let spans = [SlotSpan { kind: "playlist".to_owned(), start: 18, end: 22 }];
//! let tagged = tag_with("Add this, to my   Jazz!", &spans, |part| Normalizer::Sure.apply(part))?;
//! assert_eq!(tagged, "add this to my B-playlist jazz E-playlist");
//!
//! let read = untag("add to my B-playlist jas E-playlist E-artist");
//! assert_eq!((read.text.as_str(), read.slots[0].value.as_str()), ("add to my jas", "jas"));
//! # Ok::<(), sure_text::TextError>(())
//! ```
//!
//! What ends with `reference` does what the SURE code does, odd as it may be, for runs that are to be compared with it:
//! [`Alphabet::phones_reference`], [`tag_reference`] and [`Alphabet::decode_unmerged`].

mod alphabet;
mod english;
mod error;
mod iob;
mod letters;
mod lexicon;
mod ngram;
mod normalize;
mod numerals;
mod phones;
mod pronounce;
mod slots;
mod spoken;
mod stored;
mod word_tags;

pub use alphabet::{Alphabet, Encoded};
pub use error::TextError;
pub use iob::{IobLine, spans_from_iob, tag_reference};
pub use lexicon::Lexicon;
pub use normalize::Normalizer;
pub use phones::{arpabet, arpabet_without_stress, without_stress};
pub use pronounce::{Pronounced, Pronouncer};
pub use slots::{Slot, SlotSpan, Tagged, tag, tag_with, untag};
pub use stored::AlphabetKind;
pub use word_tags::{WordTag, from_word_tags, word_tags};
