//! Mono samples to WAV files.

use std::fs::{self, File};
use std::io::{self, BufWriter, Cursor, Seek, Write};
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};

use crate::decode::RATES_HZ;
use crate::{AudioError, Waveform};

/// Full scale of 16-bit samples.
const FULL_SCALE: f32 = 32_768.0;

/// Most bytes of samples: the lengths in a WAV have 32 bits, and count its header too.
const MAX_BYTES: usize = u32::MAX as usize - 1024;

/// How the samples of a WAV are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WavFormat {
    /// Integers of 16 bits, rounded to the nearest; what lies outside -1..1 is clamped to full scale.
    Pcm16,
    /// Floats of 32 bits, as they are.
    Float32,
}

impl WavFormat {
    fn bits(self) -> u16 {
        match self {
            Self::Pcm16 => 16,
            Self::Float32 => 32,
        }
    }
}

/// Writes a mono WAV file. It appears whole under its name or not at all, in place of a file that was there before.
///
/// # Errors
///
/// When the waveform is empty or too long for a WAV, when its rate is outside 100..=768000 Hz, when one of its samples
/// is not finite, or when the file cannot be written.
pub fn write_wav(path: &Path, wave: &Waveform, format: WavFormat) -> Result<(), AudioError> {
    check(path, wave, format)?;
    write_atomic(path, |file| encode(BufWriter::new(file), wave, format))
        .map_err(|source| AudioError::Write { path: path.into(), source })
}

/// The bytes of a mono WAV file: a header, of 44 bytes before samples of 16 bits, and the samples.
///
/// `path` is what errors name.
///
/// # Errors
///
/// As [`write_wav`].
pub fn wav_bytes(path: &Path, wave: &Waveform, format: WavFormat) -> Result<Vec<u8>, AudioError> {
    check(path, wave, format)?;
    let mut bytes = Cursor::new(Vec::new());
    encode(&mut bytes, wave, format)
        .map_err(|error| AudioError::Write { path: path.into(), source: io_error(error) })?;
    Ok(bytes.into_inner())
}

fn encode(into: impl Write + Seek, wave: &Waveform, format: WavFormat) -> hound::Result<()> {
    let sample_format = match format {
        WavFormat::Pcm16 => SampleFormat::Int,
        WavFormat::Float32 => SampleFormat::Float,
    };
    let spec =
        WavSpec { channels: 1, sample_rate: wave.rate_hz, bits_per_sample: format.bits(), sample_format };
    let mut writer = WavWriter::new(into, spec)?;
    for &sample in &wave.samples {
        match format {
            // The cast clamps.
            WavFormat::Pcm16 => writer.write_sample((sample * FULL_SCALE).round() as i16)?,
            WavFormat::Float32 => writer.write_sample(sample)?,
        }
    }
    writer.finalize()
}

fn io_error(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        error => io::Error::other(error),
    }
}

fn check(path: &Path, wave: &Waveform, format: WavFormat) -> Result<(), AudioError> {
    let path = || path.to_owned();
    let (samples, limit) = (wave.samples.len(), MAX_BYTES / usize::from(format.bits() / 8));
    if samples == 0 {
        return Err(AudioError::NothingToWrite { path: path() });
    }
    if samples > limit {
        return Err(AudioError::TooLongToWrite { path: path(), samples, limit });
    }
    if !RATES_HZ.contains(&wave.rate_hz) {
        return Err(AudioError::WriteRate { path: path(), rate_hz: wave.rate_hz });
    }
    match wave.samples.iter().position(|sample| !sample.is_finite()) {
        Some(index) => Err(AudioError::NonFiniteToWrite { path: path(), index }),
        None => Ok(()),
    }
}

/// Writes a temporary file in the same folder and renames it.
fn write_atomic(path: &Path, write: impl FnOnce(&File) -> hound::Result<()>) -> io::Result<()> {
    let (temporary, file) = temporary_beside(path)?;
    let written = write(&file)
        .map_err(io_error)
        // On the disk before the name is: else a power cut could leave the name without the samples.
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// A new file under the first free name: `.clip.wav.0.tmp`, `.clip.wav.1.tmp` and so on.
fn temporary_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.display();
    for number in 0_u32.. {
        let candidate = path.with_file_name(format!(".{name}.{number}.tmp"));
        match File::create_new(&candidate) {
            Ok(file) => return Ok((candidate, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
