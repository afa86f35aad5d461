//! From a file to a mono waveform or a log-mel matrix and back to a file, with typed errors and no panic on any input.
//!
//! | step | items |
//! |---|---|
//! | read WAV, AIFF, FLAC, MP3, Ogg Vorbis | [`decode`], [`load`], [`DecodeLimits`] |
//! | look at a header alone | [`stated`] |
//! | change the rate | [`resample`], [`Waveform::resample`] |
//! | compute what encoders of the Whisper family take | [`LogMel`], [`MelConfig`] |
//! | compute cepstral coefficients | [`Mfcc`] |
//! | compute what vocoders take (HiFi-GAN, Tacotron 2) | [`VocoderMel`], [`VocoderMelConfig`] |
//! | write WAV | [`write_wav`], [`wav_bytes`], [`WavFormat`] |
//!
//! A file is recognised by its content, never by its name, and one that holds less than it promises is an error, not a
//! shorter clip. MP3 alone may promise nothing: without a Xing tag it is read to its end, and must consist of whole
//! frames.
//!
//! ```no_run
//! use std::path::Path;
//! use sure_audio::{LogMel, MelConfig, MelPadding, WavFormat, load, write_wav};
//!
//! # fn main() -> Result<(), sure_audio::AudioError> {
//! let clip = load(Path::new("clip.mp3"), 16_000)?;
//! let mel = LogMel::new(MelConfig::whisper(80)).compute(&clip.samples, MelPadding::Real)?;
//! assert_eq!(mel.data.nrows(), 80); // `[mels, frames]`, a frame each 10 ms
//! write_wav(Path::new("clip.wav"), &clip, WavFormat::Pcm16)?;
//! # Ok(())
//! # }
//! ```
//!
//! `cargo run -p sure-audio --example describe -- FILE` prints what is in a file:
//!
//! ```text
//! rate     16000 Hz
//! length   0.200 s, 3200 samples
//! peak     0.4961 of full scale
//! Whisper  [80, 20] at 16 kHz
//! HiFi-GAN [80, 17] at 22.05 kHz
//! ```

mod container;
mod decode;
mod error;
mod filters;
mod mel;
mod mfcc;
mod ogg;
mod resample;
mod stft;
mod vocoder;
mod waveform;
mod write;

pub use decode::{DecodeLimits, Stated, decode, decode_within, stated};
pub use error::AudioError;
pub use mel::{LogMel, Mel, MelConfig, MelPadding};
pub use mfcc::{MFCC_WIDTH, Mfcc};
pub use resample::resample;
pub use vocoder::{VocoderMel, VocoderMelConfig};
pub use waveform::{Waveform, load};
pub use write::{WavFormat, wav_bytes, write_wav};
