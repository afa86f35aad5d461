//! Packed recordings: many utterances one after the other in one file, cut by rows of a manifest with `start` and
//! `samples`. A file of a few bytes of sound has some thousand bytes of headers in most formats.
//!
//! They are unpacked once, into WAV files of 16 bits in a folder that later reads find again. The folder belongs to the
//! content: to ids, cuts and the bytes of the packs, so that an edited manifest or pack gets a folder of its own. What is
//! at a place depends on nothing but that, and on no path.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::Value;
use sha2::{Digest, Sha256};
use sure_audio::{WavFormat, Waveform, wav_bytes};

use crate::appear::{self, safe, short};
use crate::{DataError, Manifest, Row};

/// Raised when the same packs are unpacked differently.
const VERSION: u32 = 1;
/// Bytes before the samples of a WAV file of 16 bits, and of each sample.
const HEADER_BYTES: u64 = 44;
const SAMPLE_BYTES: u64 = 2;

/// A row's stretch of a pack, in samples at the pack's own rate.
#[derive(Debug)]
struct Cut {
    /// The row's place in the manifest.
    row: usize,
    start: u64,
    samples: u64,
    /// Its file, from the folder.
    file: PathBuf,
}

/// The cuts of each pack.
type Packs = BTreeMap<PathBuf, Vec<Cut>>;

/// Unpacks the packed rows of a manifest below `into`; their recordings are those files from now on. A manifest without
/// such rows stays as it is.
pub(crate) fn unpack(manifest: &mut Manifest, into: Option<&Path>) -> Result<(), DataError> {
    let mut packs = Packs::new();
    for (row, place) in manifest.rows.iter().enumerate() {
        if let Some((start, samples)) = stretch(&manifest.path, place)? {
            // The number keeps names apart that are the same but for letters that a file's name cannot have.
            let file = PathBuf::from(format!("{row:06}-{}.wav", safe(&place.id)));
            packs.entry(place.audio.clone()).or_default().push(Cut { row, start, samples, file });
        }
    }
    if packs.is_empty() {
        return Ok(());
    }
    let into = into.ok_or_else(|| DataError::NowhereToUnpack { path: manifest.path.clone() })?;
    let folder = into.join(format!("{}-{}", safe(&manifest.name), key(&packs, &manifest.rows)?));
    let is_whole = || is_whole(&folder, &packs).then_some(());
    appear::folder(&folder, is_whole, |partial| write(manifest, &packs, partial))?;
    for cut in packs.into_values().flatten() {
        manifest.rows[cut.row].audio = folder.join(cut.file);
    }
    Ok(())
}

/// `start` and `samples` of a row; `None` where it has neither.
fn stretch(path: &Path, row: &Row) -> Result<Option<(u64, u64)>, DataError> {
    match (whole_number(path, row, "start")?, whole_number(path, row, "samples")?) {
        (Some(_), Some(0)) => Err(bad(path, row, "samples", "1 or more")),
        (Some(start), Some(samples)) => Ok(Some((start, samples))),
        (None, None) => Ok(None),
        (start, _) => {
            let key = if start.is_some() { "samples" } else { "start" };
            Err(DataError::MissingKey { path: path.to_owned(), line: row.line, key: key.to_owned() })
        }
    }
}

/// A value that is a whole number, in CSV as text.
fn whole_number(path: &Path, row: &Row, key: &'static str) -> Result<Option<u64>, DataError> {
    let number = match row.fields.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    number.map(Some).ok_or_else(|| bad(path, row, key, "a whole number of samples"))
}

fn bad(path: &Path, row: &Row, key: &'static str, expected: &'static str) -> DataError {
    let found = row.fields.get(key).map(ToString::to_string).unwrap_or_default();
    DataError::BadValue { path: path.to_owned(), line: row.line, key: key.to_owned(), expected, found }
}

/// What the folder's content follows from, hashed.
fn key(packs: &Packs, rows: &[Row]) -> Result<String, DataError> {
    let mut lines = Vec::new();
    for (pack, cuts) in packs {
        let bytes = fs::read(pack).map_err(DataError::io("read", pack))?;
        let pack = short(&Sha256::digest(bytes));
        lines.extend(cuts.iter().map(|cut| (cut.row, pack.clone(), cut.start, cut.samples)));
    }
    lines.sort_unstable();
    let mut hash = Sha256::new_with_prefix(VERSION.to_le_bytes());
    for (row, pack, start, samples) in lines {
        // As JSON, so that no id can look like another one with a cut behind it.
        hash.update(serde_json::json!([row, rows[row].id, pack, start, samples]).to_string());
    }
    Ok(short(&hash.finalize()))
}

/// Whether every file is there with its length.
fn is_whole(folder: &Path, packs: &Packs) -> bool {
    packs.values().flatten().all(|cut| {
        let len = fs::metadata(folder.join(&cut.file)).map(|about| about.len());
        len.is_ok_and(|len| len == HEADER_BYTES + SAMPLE_BYTES * cut.samples)
    })
}

/// Decodes each pack once and writes its cuts, on all cores. The error is that of the first pack that has one.
fn write(manifest: &Manifest, packs: &Packs, folder: &Path) -> Result<(), DataError> {
    let packs: Vec<_> = packs.iter().collect();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        while let Some((pack, cuts)) = packs.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = write_pack(manifest, pack, cuts, folder) {
                failed.lock().unwrap_or_else(PoisonError::into_inner).insert(*pack, error);
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..cores.min(packs.len())).for_each(|_| drop(scope.spawn(work))));
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.into_values().next().map_or(Ok(()), Err)
}

fn write_pack(manifest: &Manifest, pack: &Path, cuts: &[Cut], folder: &Path) -> Result<(), DataError> {
    let audio_error = |row: &Row, source| DataError::Audio { id: row.id.clone(), source };
    let first = &manifest.rows[cuts[0].row];
    let whole = sure_audio::decode(pack).map_err(|source| audio_error(first, source))?;
    for cut in cuts {
        let row = &manifest.rows[cut.row];
        let ends = usize::try_from(cut.start).ok().zip(usize::try_from(cut.samples).ok());
        let ends = ends.and_then(|(start, samples)| Some(start..start.checked_add(samples)?));
        let samples =
            ends.and_then(|ends| whole.samples.get(ends)).ok_or_else(|| DataError::OutsidePack {
                path: manifest.path.clone(),
                line: row.line,
                pack: pack.to_owned(),
                start: cut.start,
                samples: cut.samples,
                length: whole.samples.len(),
            })?;
        let file = folder.join(&cut.file);
        let wave = Waveform { samples: samples.to_vec(), rate_hz: whole.rate_hz };
        let bytes = wav_bytes(&file, &wave, WavFormat::Pcm16).map_err(|source| audio_error(row, source))?;
        fs::write(&file, bytes).map_err(DataError::io("write", &file))?;
    }
    Ok(())
}
