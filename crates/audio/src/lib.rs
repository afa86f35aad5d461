//! From a file to a mono waveform or a log-mel matrix, with typed errors and no panic on any input.
//!
//! [`decode`] and [`load`] read WAV and FLAC, [`resample`] changes the rate, [`LogMel`] computes the input that
//! Whisper-family encoders were trained on. Recognition goes by the content of a file, never by its name alone, and a
//! file that holds less than its header promises is an error, not a shorter clip.
//!
//! ```no_run
//! use std::path::Path;
//! use sure_audio::{LogMel, MelConfig, MelPadding, load};
//!
//! # fn main() -> Result<(), sure_audio::AudioError> {
//! let clip = load(Path::new("clip.flac"), 16_000)?;
//! let mel = LogMel::new(MelConfig::whisper(80)).compute(&clip.samples, MelPadding::Real)?;
//! assert_eq!(mel.data.nrows(), 80); // `[mels, frames]`, a frame each 10 ms
//! # Ok(())
//! # }
//! ```

mod container;
mod decode;
mod error;
mod filters;
mod mel;
mod ogg;
mod resample;
mod stft;
mod vocoder;
mod waveform;
mod write;

pub use decode::{DecodeLimits, decode, decode_within};
pub use error::AudioError;
pub use mel::{LogMel, Mel, MelConfig, MelPadding};
pub use resample::resample;
pub use vocoder::{VocoderMel, VocoderMelConfig};
pub use waveform::{Waveform, load};
pub use write::{WavFormat, write_wav};
