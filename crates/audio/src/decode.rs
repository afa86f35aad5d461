//! Audio files to mono samples.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::panic::catch_unwind;
use std::path::Path;

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatReader, Track, TrackType};

use crate::container::{Container, Sound};
use crate::{AudioError, Waveform};

/// The sample rates that are believed.
pub(crate) const RATES_HZ: RangeInclusive<u32> = 100..=768_000;

/// More channels than any recording of speech has; a header that states more than this is damaged.
const MAX_CHANNELS: usize = 64;

/// What a file may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodeLimits {
    /// Longest duration, by the header and by what is really decoded. It bounds the memory too: four bytes a sample.
    pub max_seconds: f64,
}

impl Default for DecodeLimits {
    /// Six hours.
    fn default() -> Self {
        Self { max_seconds: 6.0 * 3600.0 }
    }
}

/// Reads an audio file at its own rate, mixed to mono as the mean of its channels.
///
/// | kind | coded as |
/// |---|---|
/// | WAV | PCM of 8, 16, 24 or 32 bits, floats of 32 or 64 bits, A-law, mu-law; also `WAVE_FORMAT_EXTENSIBLE` |
/// | AIFF, AIFF-C | the same, big-endian or (`sowt`) little-endian |
/// | FLAC | FLAC, checked against its MD5 |
/// | MP3 | MPEG layer III, without the delay and the padding of the encoder where a LAME tag states them |
/// | Ogg | Vorbis or FLAC |
///
/// The kind is told by the content, never by the name.
///
/// # Errors
///
/// When the file cannot be opened, is not audio of these kinds, is corrupt or truncated, has no samples, lasts longer
/// than six hours, states an unlikely rate or number of channels, or holds samples that are not finite. An MP3 without
/// a Xing tag says nowhere how long it is; it is corrupt when bytes of it belong to no frame. Every error names the
/// file.
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

/// What the header of a recording says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stated {
    /// Samples a second.
    pub rate_hz: u32,
    /// The duration; `None` where it does not say, as an MP3 without a Xing tag.
    pub seconds: Option<f64>,
}

/// Looks at the header of an audio file alone. What is decoded may still be an error.
///
/// # Errors
///
/// As [`decode`], as far as a header can show it.
pub fn stated(path: &Path) -> Result<Stated, AudioError> {
    catch_unwind(|| {
        let Source { expected, rate_hz, .. } = Source::open(path, DecodeLimits::default())?;
        Ok(Stated { rate_hz, seconds: expected.map(|frames| frames as f64 / f64::from(rate_hz)) })
    })
    .unwrap_or_else(|_| {
        let reason = "its header is damaged".to_owned();
        Err(AudioError::Corrupt { path: path.into(), reason })
    })
}

/// An open file, its decoder and what its header promises.
struct Source<'p> {
    path: &'p Path,
    limits: DecodeLimits,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    container: Container,
    track: u32,
    rate_hz: u32,
    channels: usize,
    /// Samples a channel, where they are stated.
    expected: Option<u64>,
    /// Samples a channel to cut off, those that the encoder of an MP3 put before and after the sound.
    delay: u64,
    padding: u64,
    /// Bytes of the sound.
    len: u64,
}

/// What came out of a file.
#[derive(Default)]
struct Decoded {
    /// `[samples]`, the mean of the channels.
    mono: Vec<f32>,
    /// Bytes of the packets.
    bytes: u64,
}

impl<'p> Source<'p> {
    fn open(path: &'p Path, limits: DecodeLimits) -> Result<Self, AudioError> {
        let sound = find(path)?;
        let (container, len, common_frames) = (sound.container, sound.len, sound.common_frames);
        let format = sound.open().map_err(|error| refusal(path, error))?;

        let no_track = || AudioError::NoTrack { path: path.into() };
        let track = format.default_track(TrackType::Audio).ok_or_else(no_track)?;
        let params = track.codec_params.as_ref().and_then(|params| params.audio()).ok_or_else(no_track)?;
        // Left to the decoder, the cut at the end of an MP3 would also take what its tag does not count.
        let mp3 = container == Container::Mp3;
        // Before the channels: those of a codec that is not read are not known either.
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(params, &AudioDecoderOptions::default().verify(true).gapless(!mp3))
            .map_err(|error| refusal(path, error))?;
        let channels = params.channels.as_ref().map_or(0, Channels::count);
        if channels == 0 {
            return Err(no_track());
        }
        if channels > MAX_CHANNELS {
            return Err(AudioError::Channels { path: path.into(), channels });
        }
        let rate_hz = params.sample_rate.unwrap_or(0);
        if !RATES_HZ.contains(&rate_hz) {
            return Err(AudioError::SampleRate { path: path.into(), rate_hz });
        }
        let expected = common_frames.or_else(|| promised(container, track));
        if expected.is_none() && container.states_length() {
            return Err(AudioError::UnknownLength { path: path.into() });
        }
        let cut = |frames: Option<u32>| u64::from(frames.filter(|_| mp3).unwrap_or(0));
        let source = Self {
            path,
            limits,
            container,
            track: track.id,
            rate_hz,
            channels,
            expected,
            delay: cut(track.delay),
            padding: cut(track.padding),
            len,
            decoder,
            format,
        };
        source.check_length(expected.unwrap_or(0))?;
        Ok(source)
    }

    /// Decodes to the end of the file.
    fn read_all(&mut self) -> Result<Decoded, AudioError> {
        let mut decoded = Decoded::default();
        // A header can lie. The file's own size bounds what is reserved, and the rest grows as it is decoded.
        self.reserve(&mut decoded.mono, self.expected.unwrap_or(0).min(self.len) as usize)?;
        let mut interleaved: Vec<f32> = Vec::new();
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id != self.track => continue,
                Ok(Some(packet)) => packet,
                Ok(None) => return Ok(decoded),
                Err(error) => return Err(self.stopped(error, decoded.mono.len())),
            };
            let buffer = match self.decoder.decode(&packet) {
                Ok(buffer) => buffer,
                Err(error) => return Err(self.stopped(error, decoded.mono.len())),
            };
            let (rate_hz, channels) = (buffer.spec().rate(), buffer.spec().channels().count());
            if rate_hz != self.rate_hz || channels != self.channels {
                return Err(self.corrupt("its sample rate or its channels change half-way"));
            }
            interleaved.resize(buffer.samples_interleaved(), 0.0);
            buffer.copy_to_slice_interleaved(&mut interleaved);
            self.reserve(&mut decoded.mono, interleaved.len() / self.channels)?;
            mix(&interleaved, self.channels, &mut decoded.mono);
            decoded.bytes += packet.data.len() as u64;
            self.check_length(decoded.mono.len() as u64)?;
        }
    }

    fn finish(mut self, decoded: Decoded) -> Result<Waveform, AudioError> {
        self.check_against_promise(&decoded)?;
        let mut samples = decoded.mono;
        samples.truncate(samples.len().saturating_sub(self.padding as usize));
        samples.drain(..samples.len().min(self.delay as usize));
        if samples.is_empty() {
            return Err(AudioError::Empty { path: self.path.into() });
        }
        if self.decoder.finalize().verify_ok == Some(false) {
            return Err(self.corrupt("its samples do not match its MD5 checksum"));
        }
        if let Some(frame) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(AudioError::NonFinite { path: self.path.into(), frame: frame as u64 });
        }
        Ok(Waveform { samples, rate_hz: self.rate_hz })
    }

    fn check_against_promise(&self, decoded: &Decoded) -> Result<(), AudioError> {
        let Some(expected) = self.expected else {
            // The reader of MP3 steps over what is no frame, without a word.
            if self.container == Container::Mp3 && decoded.bytes != self.len {
                let stray = self.len.saturating_sub(decoded.bytes);
                return Err(self.corrupt(format!("{stray} bytes of it belong to no MP3 frame")));
            }
            return Ok(());
        };
        let found = (decoded.mono.len() as u64).saturating_sub(self.delay + self.padding);
        match found.cmp(&expected) {
            Ordering::Equal => Ok(()),
            Ordering::Less => Err(AudioError::Truncated { path: self.path.into(), expected, found }),
            Ordering::Greater => {
                Err(self.corrupt(format!("it promises {expected} samples a channel, {found} are there")))
            }
        }
    }

    fn check_length(&self, frames: u64) -> Result<(), AudioError> {
        let (seconds, limit) = (frames as f64 / f64::from(self.rate_hz), self.limits.max_seconds);
        if seconds > limit {
            return Err(AudioError::TooLong { path: self.path.into(), seconds, limit });
        }
        Ok(())
    }

    fn reserve(&self, mono: &mut Vec<f32>, more: usize) -> Result<(), AudioError> {
        let samples = mono.len() + more;
        mono.try_reserve(more).map_err(|_| AudioError::Memory { path: self.path.into(), samples })
    }

    /// The error for a stream that broke off after `found` samples.
    fn stopped(&self, error: Error, found: usize) -> AudioError {
        let found = found as u64;
        match error {
            Error::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => match self.expected {
                Some(expected) if found < expected => {
                    AudioError::Truncated { path: self.path.into(), expected, found }
                }
                _ => self.corrupt(format!("it breaks off after {found} samples a channel")),
            },
            Error::ResetRequired => AudioError::Unsupported {
                path: self.path.into(),
                reason: "another stream follows the first".to_owned(),
            },
            error => refusal(self.path, error),
        }
    }

    fn corrupt(&self, reason: impl Into<String>) -> AudioError {
        AudioError::Corrupt { path: self.path.into(), reason: reason.into() }
    }
}

fn find(path: &Path) -> Result<Sound, AudioError> {
    let cannot_open = |source| AudioError::Open { path: path.into(), source };
    // Before it is opened: a pipe without a writer would block.
    let metadata = std::fs::metadata(path).map_err(cannot_open)?;
    if metadata.is_dir() {
        return Err(cannot_open(io::ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        return Err(cannot_open(io::Error::other("it is a device or a pipe; copy it to a file")));
    }
    Sound::find(path, File::open(path).map_err(cannot_open)?, metadata.len())
}

/// Samples a channel, where the file states them.
fn promised(container: Container, track: &Track) -> Option<u64> {
    let frames = track.num_frames?;
    if container != Container::Ogg {
        return Some(frames);
    }
    // What was cut out of a longer Ogg stream counts from the start of the longer one.
    let first = track.start_ts.get().saturating_add(i64::from(track.delay.unwrap_or(0)));
    Some(frames.saturating_sub(first.max(0) as u64))
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
