//! Entries of a tar archive.
//!
//! The crate `tar` reads the fields of a header. The framing is here, and not left to it, for it gathers long names and
//! extended headers in memory however long they say they are.

use std::io::{self, Read};

use tar::{EntryType, Header};

use crate::{
    ArchiveError, NameFault,
    meter::Meter,
    name::shown,
    pax::Pax,
    walk::{Entry, Kind, Visit},
};

/// Headers are one, and data are padded to one.
pub(crate) const BLOCK: usize = 512;
/// Most bytes of an extended header; attributes of files may stand there too.
const EXTENDED: u64 = 1 << 20;
/// What messages call the place behind the last entry.
const END: &[u8] = b"the end";

/// Whether a block is a header: its checksum is right. The old format has no magic number.
pub(crate) fn is_header(block: &[u8]) -> bool {
    block.len() == BLOCK
        && Header::from_byte_slice(block).cksum().is_ok_and(|sum| sum == checksum(block))
        && block[0] != 0
}

/// The sum of all bytes, those of the checksum itself taken for blanks.
fn checksum(block: &[u8]) -> u32 {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    sum(&block[..148]) + 8 * u32::from(b' ') + sum(&block[156..])
}

/// Shows every entry to `visit`, and reads on to the end, so that the checksum of a compression is looked at.
pub(crate) fn walk(
    reader: &mut dyn Read,
    meter: &mut Meter<'_>,
    visit: &mut Visit<'_>,
) -> Result<(), ArchiveError> {
    let mut next = Pax::default();
    let mut last = b"the start".to_vec();
    loop {
        let block = block(reader, meter, &last)?;
        if block.iter().all(|byte| *byte == 0) {
            return end(reader, meter);
        }
        if !is_header(&block) {
            return Err(meter.damaged(&last, "what follows is no header"));
        }
        let header = Header::from_byte_slice(&block);
        let short = header.path_bytes().into_owned();
        let size = header.entry_size().map_err(|error| meter.damaged(&short, &error))?;
        match header.entry_type() {
            EntryType::GNULongName => {
                next.path = Some(name(reader, meter, &short, size)?);
                continue;
            }
            EntryType::GNULongLink => {
                next.link = Some(name(reader, meter, &short, size)?);
                continue;
            }
            EntryType::XHeader => {
                next = extended(reader, meter, &short, size)?.over(next);
                continue;
            }
            EntryType::XGlobalHeader => {
                if !extended(reader, meter, &short, size)?.is_plain() {
                    return Err(meter.unsupported(&short, "changes the names or sizes of all entries"));
                }
                continue;
            }
            _ => {}
        }
        let pax = std::mem::take(&mut next);
        if pax.sparse || header.entry_type() == EntryType::GNUSparse {
            return Err(meter.unsupported(&short, "is a file with holes"));
        }
        let name = pax.path.unwrap_or(short);
        let link = pax.link.or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
        let kind = kind(header, &name, link).map_err(|what| meter.unsupported(&name, what))?;
        let size = pax.size.unwrap_or(size);
        meter.entry(&name)?;
        let mut data = reader.take(size);
        let mut entry = Entry::new(&name, kind, size, &mut data, meter);
        visit(&mut entry)?;
        if !entry.taken() {
            entry.copy(&mut |_| Ok(()))?;
        }
        padding(reader, meter, &name, size)?;
        last = name;
    }
}

/// What an entry is; in words, what is not known here.
fn kind(header: &Header, name: &[u8], link: Option<Vec<u8>>) -> Result<Kind, String> {
    Ok(match header.entry_type() {
        // The old format has no type for folders.
        EntryType::Regular if name.ends_with(b"/") => Kind::Folder,
        EntryType::Regular | EntryType::Continuous => Kind::File,
        EntryType::Directory => Kind::Folder,
        EntryType::Symlink | EntryType::Link => Kind::Link(link.unwrap_or_default()),
        EntryType::Char | EntryType::Block => Kind::Special("device"),
        EntryType::Fifo => Kind::Special("pipe"),
        other => return Err(format!("has the type {:?}", char::from(other.as_byte()))),
    })
}

/// The next block.
fn block(reader: &mut dyn Read, meter: &mut Meter<'_>, last: &[u8]) -> Result<[u8; BLOCK], ArchiveError> {
    let mut block = [0; BLOCK];
    reader.read_exact(&mut block).map_err(|error| broken(meter, last, &error))?;
    meter.bytes(last, BLOCK as u64)?;
    Ok(block)
}

fn broken(meter: &Meter<'_>, last: &[u8], error: &io::Error) -> ArchiveError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return meter.damaged(last, "the archive ends behind it without its end mark");
    }
    meter.damaged(last, error)
}

/// What fills the last block of an entry.
fn padding(reader: &mut dyn Read, meter: &Meter<'_>, name: &[u8], size: u64) -> Result<(), ArchiveError> {
    let rest = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
    let mut block = [0; BLOCK];
    reader.read_exact(&mut block[..rest as usize]).map_err(|error| broken(meter, name, &error))
}

/// The data of a header that speaks of the next one; the caller has looked at the size.
fn small(
    reader: &mut dyn Read,
    meter: &mut Meter<'_>,
    entry: &[u8],
    size: u64,
) -> Result<Vec<u8>, ArchiveError> {
    meter.entry(entry)?;
    let mut bytes = Vec::new();
    Entry::new(entry, Kind::File, size, &mut reader.take(size), meter).copy(&mut |chunk| {
        bytes.extend_from_slice(chunk);
        Ok(())
    })?;
    padding(reader, meter, entry, size)?;
    Ok(bytes)
}

/// A long name, without the zero at its end.
fn name(
    reader: &mut dyn Read,
    meter: &mut Meter<'_>,
    entry: &[u8],
    size: u64,
) -> Result<Vec<u8>, ArchiveError> {
    let longest = meter.limits.name;
    if size > longest as u64 + 1 {
        let archive = meter.archive.to_owned();
        return Err(ArchiveError::Name { archive, entry: shown(entry), fault: NameFault::TooLong(longest) });
    }
    let mut name = small(reader, meter, entry, size)?;
    if name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

fn extended(
    reader: &mut dyn Read,
    meter: &mut Meter<'_>,
    entry: &[u8],
    size: u64,
) -> Result<Pax, ArchiveError> {
    if size > EXTENDED {
        return Err(meter.damaged(entry, &format!("an extended header of {size} bytes")));
    }
    let bytes = small(reader, meter, entry, size)?;
    Pax::read(&bytes).map_err(|reason| meter.damaged(entry, &format!("its extended header has {reason}")))
}

/// Reads what follows the end mark, for the checksum behind it; it counts against the limits.
fn end(reader: &mut dyn Read, meter: &mut Meter<'_>) -> Result<(), ArchiveError> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => meter.bytes(END, read as u64)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(meter.damaged(END, &error)),
        }
    }
}
