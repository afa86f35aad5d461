//! Small files, built byte by byte.

use std::path::Path;

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)).unwrap()
}

/// `bytes` with `new` in place of what stood at `place`.
pub(crate) fn put(mut bytes: Vec<u8>, place: usize, new: &[u8]) -> Vec<u8> {
    bytes[place..place + new.len()].copy_from_slice(new);
    bytes
}

/// The place right after the first `name`.
pub(crate) fn after(bytes: &[u8], name: &[u8]) -> usize {
    bytes.windows(name.len()).position(|window| window == name).unwrap() + name.len()
}

/// The `fmt ` chunk of a WAV.
#[derive(Clone, Copy)]
pub(crate) struct Fmt {
    pub(crate) tag: u16,
    pub(crate) channels: u16,
    pub(crate) rate_hz: u32,
    pub(crate) align: u16,
    pub(crate) bits: u16,
}

pub(crate) const PCM: Fmt = Fmt { tag: 1, channels: 1, rate_hz: 16_000, align: 2, bits: 16 };
pub(crate) const FLOAT: Fmt = Fmt { tag: 3, align: 4, bits: 32, ..PCM };

impl Fmt {
    pub(crate) fn chunk(self) -> Vec<u8> {
        let bytes_a_second = self.rate_hz.wrapping_mul(u32::from(self.align));
        let body = [
            &self.tag.to_le_bytes()[..],
            &self.channels.to_le_bytes(),
            &self.rate_hz.to_le_bytes(),
            &bytes_a_second.to_le_bytes(),
            &self.align.to_le_bytes(),
            &self.bits.to_le_bytes(),
        ]
        .concat();
        chunk(b"fmt ", &body)
    }
}

/// A RIFF chunk, filled to an even length.
pub(crate) fn chunk(name: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = [name, &(body.len() as u32).to_le_bytes(), body].concat();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

/// A WAV of chunks.
pub(crate) fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"RIFF", &[b"WAVE".to_vec(), chunks.concat()].concat())
}

/// A WAV of 1000 samples (of 2000 bytes, to be exact).
pub(crate) fn wav(fmt: Fmt) -> Vec<u8> {
    riff(&[fmt.chunk(), chunk(b"data", &[7; 2000])])
}

/// An AIFF chunk, filled to an even length.
pub(crate) fn big_chunk(name: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = [name, &(body.len() as u32).to_be_bytes(), body].concat();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

pub(crate) fn form(chunks: &[Vec<u8>]) -> Vec<u8> {
    big_chunk(b"FORM", &[b"AIFF".to_vec(), chunks.concat()].concat())
}

/// 16 kHz as the 80-bit float that an AIFF wants.
pub(crate) const AIFF_16_KHZ: [u8; 10] = [0x40, 0x0c, 0xfa, 0, 0, 0, 0, 0, 0, 0];

pub(crate) fn common(channels: u16, frames: u32, bits: u16, rate: [u8; 10]) -> Vec<u8> {
    let body = [&channels.to_be_bytes()[..], &frames.to_be_bytes(), &bits.to_be_bytes(), &rate].concat();
    big_chunk(b"COMM", &body)
}

/// A sound chunk with the bytes of 500 16-bit samples.
pub(crate) fn sound() -> Vec<u8> {
    big_chunk(b"SSND", &[[0; 8].as_slice(), &[7; 1000]].concat())
}

/// The pages of an Ogg stream.
pub(crate) fn pages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut pages, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let segments = usize::from(rest[26]);
        let body: usize = rest[27..27 + segments].iter().map(|&len| usize::from(len)).sum();
        let (page, after) = rest.split_at(27 + segments + body);
        pages.push(page.to_vec());
        rest = after;
    }
    pages
}

/// The page with `new` at `place`, and the checksum that belongs to it.
pub(crate) fn resealed(page: &[u8], place: usize, new: &[u8]) -> Vec<u8> {
    let page = put(put(page.to_vec(), place, new), 22, &[0; 4]);
    let mut crc = 0_u32;
    for &byte in &page {
        crc ^= u32::from(byte) << 24;
        for _ in 0..8 {
            crc = crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 };
        }
    }
    put(page, 22, &crc.to_le_bytes())
}

/// The setup header of Vorbis with 256 code books, each of 20 bytes that unfold to 16 MiB.
pub(crate) fn setup_bomb() -> Vec<u8> {
    // Length in bits and value: dimensions, entries, all of 17 bits in order, and a table of a single value.
    let book = [
        (24, 0x56_4342),
        (16, 31),
        (24, 1 << 17),
        (1, 1),
        (5, 16),
        (18, 1 << 17),
        (4, 1),
        (32, 0),
        (32, 0),
        (4, 0),
        (1, 0),
        (1, 0),
    ];
    let head = b"\x05vorbis\xff".map(|byte| (8, u32::from(byte)));
    let fields = head.into_iter().chain(std::iter::repeat_n(book, 256).flatten());
    let bits = fields.flat_map(|(len, value)| (0..len).map(move |bit| (value >> bit & 1) as u8));
    let bits: Vec<u8> = bits.collect();
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

/// A page of one packet.
pub(crate) fn page(flags: u8, sequence: u8, packet: &[u8]) -> Vec<u8> {
    let mut table = vec![255; packet.len() / 255];
    table.push((packet.len() % 255) as u8);
    let head =
        [b"OggS\0".as_slice(), &[flags], &[0; 8], &[1, 0, 0, 0, sequence], &[0; 7], &[table.len() as u8]];
    resealed(&[head.concat(), table, packet.to_vec()].concat(), 0, b"OggS")
}
