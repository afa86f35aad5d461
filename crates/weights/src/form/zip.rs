//! The form since PyTorch 1.6: a zip archive of one folder with `data.pkl`, and each storage as a file in `data`, nothing
//! of it compressed.

use std::{collections::HashMap, ops::Range};

use rawzip::{CompressionMethod, ZipArchive};

use super::{Bytes, state};
use crate::{WeightsError, error::shown, tensors::Tensors};

const PICKLE: &str = "/data.pkl";
/// Most files of an archive.
const MOST_FILES: u64 = 1 << 20;
/// What messages call the list of files.
const DIRECTORY: &str = "its directory";

/// Where a file of the archive lies, and its checksum.
#[derive(Clone, Debug)]
struct Place {
    range: Range<usize>,
    crc: u32,
}

pub(crate) fn read(file: Bytes<'_>) -> Result<Tensors, WeightsError> {
    let places = places(file)?;
    let mut roots =
        places.keys().filter_map(|name| name.strip_suffix(PICKLE)).filter(|root| !root.contains('/'));
    let root = match (roots.next(), roots.next()) {
        (Some(root), None) => root,
        (None, _) => return Err(file.container("its archive", "has no data.pkl")),
        (Some(_), Some(_)) => return Err(file.container("its archive", "has two folders with data.pkl")),
    };
    let order = places.get(format!("{root}/byteorder").as_str());
    if order.is_some_and(|place| &file.bytes[place.range.clone()] != b"little") {
        return Err(file.container("the machine that wrote it", "has another order of bytes"));
    }
    let pickle = &places[format!("{root}{PICKLE}").as_str()];
    if rawzip::crc32(&file.bytes[pickle.range.clone()]) != pickle.crc {
        return Err(file.container(PICKLE, "has a wrong checksum; fetch the file again"));
    }
    let built = state::read(file, pickle.range.clone())?;
    state::tensors(file, &built, |storage| {
        let place = places.get(format!("{root}/data/{}", storage.key).as_str());
        let missing = || file.container(format!("the storage {}", shown(storage.key)), "is not there");
        let Place { range, crc } = place.cloned().ok_or_else(missing)?;
        Ok((range, Some(crc)))
    })
}

/// The files of the archive by name.
fn places(file: Bytes<'_>) -> Result<HashMap<String, Place>, WeightsError> {
    let broken = |error: rawzip::Error| file.container(DIRECTORY, format!("is not sound: {error}"));
    let archive = ZipArchive::from_slice(file.bytes).map_err(broken)?;
    let promised = archive.entries_hint();
    let (mut places, mut ranges, mut count) = (HashMap::new(), Vec::new(), 0);
    let mut records = archive.entries();
    while let Some(record) = records.next_entry().map_err(broken)? {
        count += 1;
        if count > MOST_FILES {
            return Err(WeightsError::TooMuch {
                path: file.path.to_owned(),
                what: "files",
                most: MOST_FILES,
            });
        }
        let name = str::from_utf8(record.file_path().as_bytes())
            .map_err(|_| file.container(DIRECTORY, "has a name that is not UTF-8"))?;
        let refuse = |reason: &str| file.container(shown(name), reason);
        if record.flags().is_encrypted() {
            return Err(refuse("is encrypted"));
        }
        if record.compression_method() != CompressionMethod::STORE
            || record.compressed_size_hint() != record.uncompressed_size_hint()
        {
            return Err(refuse("is compressed, which PyTorch never does"));
        }
        let entry = archive
            .get_entry(record.wayfinder())
            .map_err(|error| refuse(&format!("is not there: {error}")))?;
        let (start, end) = entry.compressed_data_range();
        if end > archive.directory_offset() {
            return Err(refuse("reaches into the directory"));
        }
        let range = start as usize..end as usize;
        ranges.push(range.clone());
        if places.insert(name.to_owned(), Place { range, crc: record.crc32() }).is_some() {
            return Err(refuse("is there twice"));
        }
    }
    if count != promised {
        return Err(file.container(DIRECTORY, format!("promises {promised} files and lists {count}")));
    }
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable_by_key(|range| range.start);
    if ranges.array_windows().any(|[one, next]| next.start < one.end) {
        return Err(file.container(DIRECTORY, "has files that share bytes"));
    }
    Ok(places)
}
