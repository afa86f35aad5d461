//! WAV and FLAC files to mono samples.

use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::panic::catch_unwind;
use std::path::Path;

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use crate::{AudioError, Waveform};

/// The sample rates that are believed.
pub(crate) const RATES_HZ: RangeInclusive<u32> = 100..=768_000;

/// What a file may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodeLimits {
    /// Longest duration, by the header and by what is really decoded.
    pub max_seconds: f64,
}

impl Default for DecodeLimits {
    /// Six hours.
    fn default() -> Self {
        Self { max_seconds: 6.0 * 3600.0 }
    }
}

/// Reads a WAV (PCM) or FLAC file at its own rate, mixed to mono as the mean of its channels.
///
/// # Errors
///
/// When the file cannot be opened, is not audio of these kinds, is corrupt or truncated, has no samples, lasts longer
/// than six hours, states an unlikely rate or holds samples that are not finite. Every error names the file.
pub fn decode(path: &Path) -> Result<Waveform, AudioError> {
    decode_within(path, DecodeLimits::default())
}

/// As [`decode`], with limits of one's own.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_within(path: &Path, limits: DecodeLimits) -> Result<Waveform, AudioError> {
    // Overflow checks of the decoding library panic on some damaged headers. Nothing of it outlives the call, so that
    // a panic can stand for one more kind of damage.
    catch_unwind(|| {
        let mut source = Source::open(path, limits)?;
        let found = source.read_all()?;
        source.finish(found)
    })
    .unwrap_or_else(|_| {
        let reason = "the decoder broke off on damaged data".to_owned();
        Err(AudioError::Corrupt { path: path.into(), reason })
    })
}

/// An open file, its decoder and what its header promises.
struct Source<'p> {
    path: &'p Path,
    limits: DecodeLimits,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    rate_hz: u32,
    channels: usize,
    expected: u64,
    file_len: u64,
}

impl<'p> Source<'p> {
    fn open(path: &'p Path, limits: DecodeLimits) -> Result<Self, AudioError> {
        let cannot_open = |source| AudioError::Open { path: path.into(), source };
        let file = File::open(path).map_err(cannot_open)?;
        let metadata = file.metadata().map_err(cannot_open)?;
        if metadata.is_dir() {
            return Err(cannot_open(io::ErrorKind::IsADirectory.into()));
        }
        let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
        let format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| refusal(path, error))?;

        let no_track = || AudioError::NoTrack { path: path.into() };
        let track = format.default_track(TrackType::Audio).ok_or_else(no_track)?;
        let expected = track.num_frames;
        let params = track.codec_params.as_ref().and_then(|params| params.audio()).ok_or_else(no_track)?;
        let channels = params.channels.as_ref().map_or(0, Channels::count);
        if channels == 0 {
            return Err(no_track());
        }
        let rate_hz = params.sample_rate.unwrap_or(0);
        if !RATES_HZ.contains(&rate_hz) {
            return Err(AudioError::SampleRate { path: path.into(), rate_hz });
        }
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(params, &AudioDecoderOptions::default().verify(true))
            .map_err(|error| refusal(path, error))?;

        let expected = expected.ok_or_else(|| AudioError::UnknownLength { path: path.into() })?;
        let file_len = metadata.len();
        let source = Self { path, limits, format, decoder, rate_hz, channels, expected, file_len };
        source.check_length(expected)?;
        Ok(source)
    }

    /// Decodes to the end of the file: `[samples]`, the mean of the channels.
    fn read_all(&mut self) -> Result<Vec<f32>, AudioError> {
        // A header can lie. The file's own size bounds what is reserved, and the rest grows as it is decoded.
        let mut mono = Vec::with_capacity(self.expected.min(self.file_len) as usize);
        let mut interleaved: Vec<f32> = Vec::new();
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return Ok(mono),
                Err(error) => return Err(self.stopped(error, mono.len())),
            };
            let buffer = match self.decoder.decode(&packet) {
                Ok(buffer) => buffer,
                Err(error) => return Err(self.stopped(error, mono.len())),
            };
            let (rate_hz, channels) = (buffer.spec().rate(), buffer.spec().channels().count());
            if rate_hz != self.rate_hz || channels != self.channels {
                let reason = "its sample rate or its channels change half-way".to_owned();
                return Err(AudioError::Corrupt { path: self.path.into(), reason });
            }
            interleaved.resize(buffer.samples_interleaved(), 0.0);
            buffer.copy_to_slice_interleaved(&mut interleaved);
            mix(&interleaved, self.channels, &mut mono);
            self.check_length(mono.len() as u64)?;
        }
    }

    fn finish(mut self, samples: Vec<f32>) -> Result<Waveform, AudioError> {
        let path = self.path;
        let found = samples.len() as u64;
        if found < self.expected {
            return Err(AudioError::Truncated { path: path.into(), expected: self.expected, found });
        }
        if found > self.expected {
            let reason =
                format!("its header promises {} samples a channel, {found} are there", self.expected);
            return Err(AudioError::Corrupt { path: path.into(), reason });
        }
        if samples.is_empty() {
            return Err(AudioError::Empty { path: path.into() });
        }
        if self.decoder.finalize().verify_ok == Some(false) {
            let reason = "its samples do not match its MD5 checksum".to_owned();
            return Err(AudioError::Corrupt { path: path.into(), reason });
        }
        if let Some(frame) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(AudioError::NonFinite { path: path.into(), frame: frame as u64 });
        }
        Ok(Waveform { samples, rate_hz: self.rate_hz })
    }

    fn check_length(&self, frames: u64) -> Result<(), AudioError> {
        let (seconds, limit) = (frames as f64 / f64::from(self.rate_hz), self.limits.max_seconds);
        if seconds > limit {
            return Err(AudioError::TooLong { path: self.path.into(), seconds, limit });
        }
        Ok(())
    }

    /// The error for a stream that broke off after `found` samples.
    fn stopped(&self, error: Error, found: usize) -> AudioError {
        let found = found as u64;
        match error {
            Error::IoError(error)
                if error.kind() == io::ErrorKind::UnexpectedEof && found < self.expected =>
            {
                AudioError::Truncated { path: self.path.into(), expected: self.expected, found }
            }
            error => refusal(self.path, error),
        }
    }
}

/// Appends the mean over the channels of each frame.
fn mix(interleaved: &[f32], channels: usize, mono: &mut Vec<f32>) {
    if channels == 1 {
        mono.extend_from_slice(interleaved);
    } else {
        mono.extend(
            interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32),
        );
    }
}

fn refusal(path: &Path, error: Error) -> AudioError {
    let path = path.to_owned();
    match error {
        Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            AudioError::Corrupt { path, reason: "it ends inside its header".to_owned() }
        }
        Error::IoError(source) => AudioError::Read { path, source },
        Error::Unsupported(reason) => AudioError::Unsupported { path, reason: reason.to_owned() },
        Error::DecodeError(reason) => AudioError::Corrupt { path, reason: reason.to_owned() },
        error => AudioError::Corrupt { path, reason: error.to_string() },
    }
}
