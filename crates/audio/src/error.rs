//! What can be wrong with a file or with samples.

use std::io;
use std::path::PathBuf;

/// Why a waveform could not be read or written, or no log-mel matrix could be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// The file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// The file was opened, and reading it failed half-way.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// The content is of no kind that is read here, or it is coded in a way that is not read.
    #[error(
        "{} is no readable WAV, AIFF, FLAC, MP3 or Ogg Vorbis ({reason}); convert it to FLAC or 16-bit WAV",
        path.display()
    )]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What stood in the way.
        reason: String,
    },

    /// The file starts like audio, and contradicts its own format later.
    #[error("{} is corrupt: {reason}; fetch or convert it again", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The contradiction.
        reason: String,
    },

    /// The file holds fewer samples than its header (of Ogg: its last page) promises.
    #[error(
        "{} is truncated: it promises {expected} samples a channel, {found} are there; fetch it again",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Samples a channel by the header or the last page.
        expected: u64,
        /// Samples a channel that could be decoded.
        found: u64,
    },

    /// The header leaves the number of samples open, so that a cut file cannot be told from a whole one.
    #[error("{} does not state its length (written to a pipe?); write it again to a file", path.display())]
    UnknownLength {
        /// The file.
        path: PathBuf,
    },

    /// The container holds no audio track, or one without channels.
    #[error("{} holds no audio track", path.display())]
    NoTrack {
        /// The file.
        path: PathBuf,
    },

    /// The audio track has no samples.
    #[error("{} holds zero samples", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },

    /// The sample rate of the file is missing or outside the range that is read.
    #[error("{} states a sample rate of {rate_hz} Hz, outside 100..=768000 Hz", path.display())]
    SampleRate {
        /// The file.
        path: PathBuf,
        /// The stated rate; 0 where none is stated.
        rate_hz: u32,
    },

    /// The file states more channels than any recording has.
    #[error("{} states {channels} channels, more than 64; it is damaged, fetch it again", path.display())]
    Channels {
        /// The file.
        path: PathBuf,
        /// The stated number.
        channels: usize,
    },

    /// The samples do not fit into memory.
    #[error("{} needs memory for {samples} samples, and there is not enough; cut it", path.display())]
    Memory {
        /// The file.
        path: PathBuf,
        /// Samples up to where the memory ended.
        samples: usize,
    },

    /// A sample of the file is infinite or not a number.
    #[error("sample {frame} of {} is not finite; write the file again", path.display())]
    NonFinite {
        /// The file.
        path: PathBuf,
        /// Place of the first such sample, counted a channel.
        frame: u64,
    },

    /// The file lasts longer than the limit.
    #[error("{} lasts {seconds:.1} s or more, the limit is {limit} s; cut it", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length by the header, or what was decoded when the limit was passed.
        seconds: f64,
        /// [`DecodeLimits::max_seconds`](crate::DecodeLimits::max_seconds).
        limit: f64,
    },

    /// The file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// The waveform to write has no samples.
    #[error("cannot write {}: the waveform has no samples", path.display())]
    NothingToWrite {
        /// The file.
        path: PathBuf,
    },

    /// The waveform to write has more samples than a WAV can hold.
    #[error(
        "cannot write {}: {samples} samples, a WAV of this format holds {limit}; write it in parts",
        path.display()
    )]
    TooLongToWrite {
        /// The file.
        path: PathBuf,
        /// Samples of the waveform.
        samples: usize,
        /// Most samples.
        limit: usize,
    },

    /// The waveform to write has a rate that would not be read again.
    #[error("cannot write {}: its rate of {rate_hz} Hz is outside 100..=768000 Hz", path.display())]
    WriteRate {
        /// The file.
        path: PathBuf,
        /// The rate of the waveform.
        rate_hz: u32,
    },

    /// A sample to write is infinite or not a number.
    #[error("cannot write {}: sample {index} is not finite", path.display())]
    NonFiniteToWrite {
        /// The file.
        path: PathBuf,
        /// Its place.
        index: usize,
    },

    /// There are no samples to compute from.
    #[error("cannot compute a log-mel matrix from zero samples")]
    NoSamples,

    /// There are not enough samples to be mirrored at their ends.
    #[error("{samples} samples are too few for a frame, {least} are needed; fill the clip with silence")]
    TooFewSamples {
        /// Samples given.
        samples: usize,
        /// Samples needed.
        least: usize,
    },

    /// A sample to compute from is infinite or not a number.
    #[error("sample {index} is not finite")]
    NonFiniteSample {
        /// Its place.
        index: usize,
    },

    /// One of the two rates is outside the range that can be resampled.
    #[error("cannot resample from {from_hz} Hz to {to_hz} Hz: rates must lie in 100..=768000 Hz")]
    ResampleRate {
        /// The rate of the samples.
        from_hz: u32,
        /// The wanted rate.
        to_hz: u32,
    },

    /// The resampler refused its input.
    #[error("cannot resample from {from_hz} Hz to {to_hz} Hz")]
    Resample {
        /// The rate of the samples.
        from_hz: u32,
        /// The wanted rate.
        to_hz: u32,
        /// What the resampler said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
