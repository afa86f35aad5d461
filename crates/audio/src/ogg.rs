//! The pages of an Ogg stream, looked at before it is decoded: the decoding library steps over damaged and missing
//! pages without a word, and unfolds Vorbis code books of any number.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

const HEADER: usize = 27;
const CHECKSUM_AT: usize = 22;
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// Most bytes that the code books of a stream may unfold to. Those of libvorbis need less than half a million.
const MOST_BOOK_BYTES: u64 = 8 << 20;

/// What is known of a stream so far.
#[derive(Default)]
struct Stream {
    /// The number of its newest page, and whether that is its last one.
    newest: Option<u32>,
    ended: bool,
    books: Books,
}

/// Reads all pages, `Err` with the reason where one is damaged or missing, or where the end is.
pub(crate) fn check_pages(source: impl Read) -> io::Result<Result<(), String>> {
    let mut source = BufReader::new(source);
    let mut streams = BTreeMap::<u32, Stream>::new();
    let mut page = Vec::new();
    for count in 1.. {
        page.clear();
        let header = read_more(&mut source, HEADER, &mut page)?;
        if page.is_empty() {
            break;
        }
        if !page.starts_with(b"OggS") {
            return Ok(Err(format!("what follows its page {} is no page", count - 1)));
        }
        let segments = page.get(HEADER - 1).map_or(0, |&segments| usize::from(segments));
        let table = header && read_more(&mut source, segments, &mut page)?;
        let body = page.iter().skip(HEADER).map(|&len| usize::from(len)).sum();
        if !table || !read_more(&mut source, body, &mut page)? {
            return Ok(Err(format!("it ends inside its page {count}")));
        }
        let stated = number(&page, CHECKSUM_AT);
        page[CHECKSUM_AT..CHECKSUM_AT + 4].fill(0);
        if checksum(&page) != stated {
            return Ok(Err(format!("the checksum of its page {count} is wrong")));
        }
        let (serial, sequence, flags) = (number(&page, 14), number(&page, 18), page[5]);
        let stream = streams.entry(serial).or_default();
        let before = stream.newest.replace(sequence);
        stream.ended = flags & LAST != 0;
        // A stream that follows another starts to count again; the decoder refuses it.
        if let Some(before) = before
            && flags & FIRST == 0
            && sequence != before.wrapping_add(1)
        {
            return Ok(Err(format!("its page number {before} is followed by number {sequence}")));
        }
        stream.books.read(&page[HEADER + segments..]);
        if stream.books.bytes > MOST_BOOK_BYTES {
            return Ok(Err(format!("its code books need more than {MOST_BOOK_BYTES} bytes")));
        }
    }
    if streams.values().any(|stream| !stream.ended) {
        return Ok(Err("its last page is missing".to_owned()));
    }
    Ok(Ok(()))
}

/// The Vorbis code books in a stream, found by the bits that each of them starts with: "BCV", 16 bits of dimensions, 24
/// bits of entries. That the same bits stand somewhere else by chance, with numbers that could be true, happens once in
/// some hundred gigabytes.
#[derive(Default)]
struct Books {
    /// The newest 64 bits, the newest one highest.
    window: u64,
    /// What the books found so far unfold to.
    bytes: u64,
}

impl Books {
    fn read(&mut self, body: &[u8]) {
        for &byte in body {
            for bit in 0..8 {
                self.window = self.window >> 1 | u64::from(byte >> bit & 1) << 63;
                let (dimensions, entries) = (self.window >> 24 & 0xffff, self.window >> 40);
                // Larger ones are refused by the decoder.
                if self.window & 0xff_ffff == 0x56_4342 && dimensions <= 32 && entries <= 1 << 17 {
                    self.bytes += entries * (4 * dimensions + 16);
                }
            }
        }
    }
}

/// Appends `len` bytes, and says whether there were as many.
fn read_more(source: &mut impl Read, len: usize, page: &mut Vec<u8>) -> io::Result<bool> {
    Ok(source.take(len as u64).read_to_end(page)? == len)
}

fn number(page: &[u8], at: usize) -> u32 {
    page[at..at + 4].iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte))
}

/// The remainder of each byte by the polynomial 0x04c11db7, highest bit first.
const REMAINDERS: [u32; 256] = {
    let mut remainders = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = (byte as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            remainder = (remainder << 1) ^ if remainder >> 31 == 1 { 0x04c1_1db7 } else { 0 };
            bit += 1;
        }
        remainders[byte] = remainder;
        byte += 1;
    }
    remainders
};

fn checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |crc, &byte| crc << 8 ^ REMAINDERS[usize::from((crc >> 24) as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_format() {
        // CRC-32 of this polynomial, unreflected, from zero, without inversion at the end.
        assert_eq!(checksum(b"123456789"), 0x89a1_897f);
    }
}
