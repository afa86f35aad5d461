//! Entries of a zip archive, by its directory at the end.

use std::{collections::BTreeMap, fs::File, io::Read};

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ZipArchive};

use crate::{
    ArchiveError,
    meter::{Counted, Meter},
    walk::{Entry, Kind, Visit},
};

/// What messages call the list of entries.
const DIRECTORY: &[u8] = b"the directory";
/// The most that deflate can shrink; more is a lie.
const DEFLATE: u64 = 1032;

/// Shows every entry to `visit`. What an entry holds is read when it is asked for.
pub(crate) fn walk(file: File, meter: &mut Meter<'_>, visit: &mut Visit<'_>) -> Result<(), ArchiveError> {
    let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    let archive =
        ZipArchive::from_file(file, &mut buffer).map_err(|error| meter.damaged(DIRECTORY, &error))?;
    let (promised, entries_end) = (archive.entries_hint(), archive.directory_offset());
    let position = meter.position();
    let (mut found, mut ranges) = (0, Ranges::default());
    let mut records = archive.entries(&mut buffer);
    while let Some(record) = records.next_entry().map_err(|error| meter.damaged(DIRECTORY, &error))? {
        found += 1;
        let path = record.file_path();
        let name = path.as_bytes();
        let (packed, size) = (record.compressed_size_hint(), record.uncompressed_size_hint());
        meter.entry(name)?;
        if record.flags().is_encrypted() {
            return Err(meter.unsupported(name, "is encrypted"));
        }
        let deflated = match record.compression_method() {
            CompressionMethod::STORE if packed != size => {
                return Err(meter.damaged(name, "it is stored as it is, with another size"));
            }
            CompressionMethod::STORE => false,
            CompressionMethod::DEFLATE if size / DEFLATE > packed => {
                return Err(meter.damaged(name, &format!("it claims {size} bytes out of {packed}")));
            }
            CompressionMethod::DEFLATE => true,
            other => return Err(meter.unsupported(name, format!("is compressed by method {other}"))),
        };
        let entry = archive.get_entry(record.wayfinder()).map_err(|error| meter.damaged(name, &error))?;
        let (start, end) = entry.compressed_data_range();
        if end > entries_end {
            return Err(meter.damaged(name, "it reaches beyond the entries"));
        }
        if !ranges.take((start, end)) {
            return Err(meter.damaged(name, "it shares its bytes with another entry"));
        }
        let raw = Counted::new(entry.reader(), position.clone());
        let mut plain: Box<dyn Read + '_> =
            if deflated { Box::new(DeflateDecoder::new(raw)) } else { Box::new(raw) };
        let mode = record.external_attributes() >> 16;
        let kind = kind(record.is_dir(), mode, size, meter, &mut *plain, name)?;
        let mut data = entry.verifying_reader(plain);
        visit(&mut Entry::new(name, kind, size, &mut data, meter))?;
    }
    if found != promised {
        return Err(meter.damaged(DIRECTORY, &format!("it promises {promised} entries and lists {found}")));
    }
    Ok(())
}

/// What an entry is, by the mode that Unix gave it; other systems leave zero there. The target of a link is what it holds.
fn kind(
    folder: bool,
    mode: u32,
    size: u64,
    meter: &mut Meter<'_>,
    data: &mut dyn Read,
    name: &[u8],
) -> Result<Kind, ArchiveError> {
    Ok(match mode & 0o170_000 {
        0o120_000 => {
            let mut target = Vec::new();
            data.take(size.min(meter.limits.name as u64))
                .read_to_end(&mut target)
                .map_err(|error| meter.damaged(name, &error))?;
            Kind::Link(target)
        }
        0o060_000 | 0o020_000 => Kind::Special("device"),
        0o010_000 => Kind::Special("pipe"),
        0o140_000 => Kind::Special("socket"),
        0o040_000 => Kind::Folder,
        _ if folder => Kind::Folder,
        _ => Kind::File,
    })
}

/// Stretches of the archive that entries have taken, from the start of each to its end.
#[derive(Debug, Default)]
struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Takes a stretch; not where it meets another.
    fn take(&mut self, (start, end): (u64, u64)) -> bool {
        if start == end {
            return true;
        }
        let before = self.0.range(..end).next_back();
        if before.is_some_and(|(_, other)| *other > start) {
            return false;
        }
        self.0.insert(start, end);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_meet_are_refused() {
        let mut ranges = Ranges::default();
        assert!(ranges.take((10, 20)) && ranges.take((30, 40)) && ranges.take((20, 30)));
        assert!(ranges.take((40, 40)) && ranges.take((0, 10)));
        for shared in [(10, 20), (15, 16), (0, 100), (39, 41), (5, 11)] {
            assert!(!ranges.take(shared), "{shared:?}");
        }
    }
}
