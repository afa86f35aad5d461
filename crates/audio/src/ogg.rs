//! The pages of an Ogg stream, looked at before it is decoded: the decoding library steps over damaged and missing pages
//! without a word.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

const HEADER: usize = 27;
const CHECKSUM_AT: usize = 22;
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// Reads all pages, `Err` with the reason where one is damaged or missing, or where the end is.
pub(crate) fn check_pages(source: impl Read) -> io::Result<Result<(), String>> {
    let mut source = BufReader::new(source);
    // Of each stream the number of its newest page, and whether that is its last one.
    let mut streams = BTreeMap::new();
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
        let before = streams.insert(serial, (sequence, flags & LAST != 0));
        // A stream that follows another starts to count again; the decoder refuses it.
        if let Some((before, _)) = before
            && flags & FIRST == 0
            && sequence != u32::wrapping_add(before, 1)
        {
            return Ok(Err(format!("its page number {before} is followed by number {sequence}")));
        }
    }
    if streams.values().any(|(_, last)| !last) {
        return Ok(Err("its last page is missing".to_owned()));
    }
    Ok(Ok(()))
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
