//! Packs: one Ogg Vorbis file a voice and set, as each file costs 4 KB of headers. Encoding is the program `oggenc`'s.

use std::{fs, io, path::Path, process::Command};

use sha2::{Digest as _, Sha256};
use sure_audio::{WavFormat, Waveform, write_wav};
use sure_records::write_atomic;

use crate::{CorpusError, engine::hex};

/// Encodes `samples` into the file `path` and returns the sha256 of its bytes; it appears whole or not at all.
pub(crate) fn write_pack(
    path: &Path,
    samples: Vec<f32>,
    rate_hz: u32,
    quality: &str,
) -> Result<String, CorpusError> {
    let folder = tempfile::tempdir().map_err(CorpusError::io("make", "a temporary folder"))?;
    let (wav, ogg) = (folder.path().join("pack.wav"), folder.path().join("pack.ogg"));
    write_wav(&wav, &Waveform { samples, rate_hz }, WavFormat::Pcm16)?;
    let start =
        |source: io::Error| CorpusError::Program { program: "oggenc", package: "vorbis-tools", source };
    // A serial number of its own would be drawn from the clock.
    let encoded = Command::new("oggenc")
        .args(["--quiet", "--serial", "1", "--quality", quality, "--output"])
        .args([&ogg, &wav])
        .output()
        .map_err(start)?;
    if !encoded.status.success() {
        let reason = String::from_utf8_lossy(&encoded.stderr).into_owned();
        return Err(CorpusError::Failed { program: "oggenc", what: path.display().to_string(), reason });
    }
    let bytes = fs::read(&ogg).map_err(CorpusError::io("read", &ogg))?;
    write_atomic(path, &bytes)?;
    Ok(hex(&Sha256::digest(&bytes)))
}
