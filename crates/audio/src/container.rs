//! What kind of file it is, by its content, and where in the file the sound lies.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use symphonia::core::errors::Result as DecoderResult;
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::default::formats::{AiffReader, FlacReader, MpaReader, OggReader, WavReader};

use crate::AudioError;
use crate::ogg::check_pages;

/// Beginnings of files that people take for audio that is read here: where they stand, what stands there, its name.
const FOREIGN: [(usize, &[u8], &str); 10] = [
    (0, b"RIFX", "a big-endian WAV (RIFX)"),
    (0, b"RF64", "a 64-bit WAV (RF64)"),
    (0, b"BW64", "a 64-bit WAV (BW64)"),
    (0, b"riff", "a Wave64 file"),
    (0, b"caff", "a Core Audio file"),
    (4, b"ftyp", "an MP4"),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM file"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"\x89PNG", "a picture"),
];

/// The kinds of files that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Wav,
    Flac,
    Mp3,
    Ogg,
    Aiff,
}

impl Container {
    /// The kind by the first bytes of the sound, tags before it left out; else what they are instead.
    fn of(head: &[u8]) -> Result<Self, String> {
        let form = head.get(8..12);
        match head {
            [b'R', b'I', b'F', b'F', ..] if form == Some(b"WAVE") => return Ok(Self::Wav),
            [b'F', b'O', b'R', b'M', ..] if matches!(form, Some(b"AIFF" | b"AIFC")) => return Ok(Self::Aiff),
            [b'f', b'L', b'a', b'C', ..] => return Ok(Self::Flac),
            [b'O', b'g', b'g', b'S', ..] => return Ok(Self::Ogg),
            // Eleven bits of ones, a version that is not reserved, and layer III.
            [0xff, bits, ..] if bits & 0xe6 == 0xe2 && bits & 0x18 != 0x08 => return Ok(Self::Mp3),
            [] => return Err("it is empty".to_owned()),
            _ => {}
        }
        let foreign = FOREIGN
            .iter()
            .find(|(place, bytes, _)| head.get(*place..).is_some_and(|at| at.starts_with(bytes)));
        Err(foreign.map_or_else(
            || format!("it starts with the bytes {:02x?}", &head[..head.len().min(4)]),
            |(_, _, name)| format!("it is {name}"),
        ))
    }

    /// Whether a file of this kind always says how long it is. An MP3 has no place for it but an optional tag, and the
    /// end of an Ogg stream is marked by its last page.
    pub(crate) fn states_length(self) -> bool {
        matches!(self, Self::Wav | Self::Flac | Self::Aiff)
    }
}

/// The sound of a file, without the tags around it.
pub(crate) struct Sound {
    pub(crate) container: Container,
    /// Bytes of it.
    pub(crate) len: u64,
    /// Samples a channel by the `COMM` chunk of an AIFF; the decoding library does not look at it.
    pub(crate) common_frames: Option<u64>,
    section: Section,
}

impl Sound {
    /// Finds out what the file is.
    pub(crate) fn find(path: &Path, mut file: File, file_len: u64) -> Result<Self, AudioError> {
        let read = |source| AudioError::Read { path: path.into(), source };
        let corrupt = |reason| AudioError::Corrupt { path: path.into(), reason };

        let start = after_id3v2(&mut file, file_len).map_err(read)?.map_err(corrupt)?;
        let head = bytes_at(&mut file, start, 12).map_err(read)?;
        let container =
            Container::of(&head).map_err(|reason| AudioError::Unsupported { path: path.into(), reason })?;
        let (mut end, mut common_frames) = (file_len, None);
        match container {
            Container::Mp3 => end = before_trailing_tags(&mut file, start, file_len).map_err(read)?,
            Container::Aiff => {
                common_frames = aiff_frames(&mut file, start, file_len).map_err(read)?.map_err(corrupt)?;
            }
            Container::Ogg => {
                file.seek(SeekFrom::Start(start)).map_err(read)?;
                check_pages(&mut file).map_err(read)?.map_err(corrupt)?;
            }
            _ => {}
        }
        // Told that it can seek, the MP3 reader guesses the length from the first bit rates, and believes its guess.
        let seekable = container != Container::Mp3;
        let section = Section { file, start, len: end - start, place: 0, seekable };
        Ok(Self { container, len: end - start, common_frames, section })
    }

    /// The reader of this kind, and of no other.
    pub(crate) fn open(self) -> DecoderResult<Box<dyn FormatReader>> {
        let mut section = self.section;
        section.seek(SeekFrom::Start(0))?;
        let stream = MediaSourceStream::new(Box::new(section), MediaSourceStreamOptions::default());
        let options = FormatOptions::default();
        Ok(match self.container {
            Container::Wav => Box::new(WavReader::try_new(stream, options)?),
            Container::Flac => Box::new(FlacReader::try_new(stream, options)?),
            Container::Mp3 => Box::new(MpaReader::try_new(stream, options)?),
            Container::Ogg => Box::new(OggReader::try_new(stream, options)?),
            Container::Aiff => Box::new(AiffReader::try_new(stream, options)?),
        })
    }
}

/// A stretch of a file that looks like a whole one.
struct Section {
    file: File,
    start: u64,
    len: u64,
    /// Where the next byte is read, from `start`.
    place: u64,
    seekable: bool,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.len.saturating_sub(self.place).min(buffer.len() as u64) as usize;
        let read = self.file.read(&mut buffer[..left])?;
        self.place += read as u64;
        Ok(read)
    }
}

impl Seek for Section {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => self.place.checked_add_signed(by),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
        };
        let target = place.and_then(|place| Some((place, self.start.checked_add(place)?)));
        let (place, absolute) = target.ok_or(io::ErrorKind::InvalidInput)?;
        self.file.seek(SeekFrom::Start(absolute))?;
        self.place = place;
        Ok(place)
    }
}

impl MediaSource for Section {
    fn is_seekable(&self) -> bool {
        self.seekable
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len)
    }
}

/// At most `len` bytes from `place` on, fewer at the end of the file.
fn bytes_at(file: &mut File, place: u64, len: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(place))?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the sound starts: after the `ID3v2` tags, each of ten bytes and of what its last four say, seven bits a byte.
fn after_id3v2(file: &mut File, file_len: u64) -> io::Result<Result<u64, String>> {
    let mut start = 0;
    loop {
        let head = bytes_at(file, start, 10)?;
        let &[b'I', b'D', b'3', _, _, flags, a, b, c, d] = head.as_slice() else { return Ok(Ok(start)) };
        if (a | b | c | d) & 0x80 != 0 {
            return Ok(Err("the size of its ID3 tag is not well-formed".to_owned()));
        }
        let size = [a, b, c, d].iter().fold(0, |size, &byte| size << 7 | u64::from(byte));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        start += 10 + size + footer;
        if start > file_len {
            return Ok(Err(format!("its ID3 tag promises {size} bytes, the file has {file_len}")));
        }
    }
}

/// Where the sound of an MP3 ends: before an `ID3v1` tag (the last 128 bytes) and an APE tag before that.
fn before_trailing_tags(file: &mut File, start: u64, file_len: u64) -> io::Result<u64> {
    let mut end = file_len;
    if end >= start + 128 && bytes_at(file, end - 128, 3)? == b"TAG" {
        end -= 128;
    }
    if end >= start + 32 {
        let footer = bytes_at(file, end - 32, 32)?;
        let word = |at: usize| {
            footer[at..at + 4].iter().rev().fold(0_u64, |word, &byte| word << 8 | u64::from(byte))
        };
        if footer.len() == 32 && footer.starts_with(b"APETAGEX") {
            // The size leaves out a header, whose presence the highest flag tells.
            let size = word(12) + if word(20) >> 31 == 1 { 32 } else { 0 };
            end = end.checked_sub(size).filter(|&place| place > start).unwrap_or(end);
        }
    }
    Ok(end)
}

/// The number of samples a channel that an AIFF promises, after a look at whether its chunks fit into the file.
fn aiff_frames(file: &mut File, start: u64, file_len: u64) -> io::Result<Result<Option<u64>, String>> {
    let (mut place, mut frames) = (start + 12, None);
    loop {
        let head = bytes_at(file, place, 14)?;
        let Some((name, rest)) = head.split_first_chunk::<4>() else { return Ok(Ok(frames)) };
        let Some((len, body)) = rest.split_first_chunk::<4>() else { return Ok(Ok(frames)) };
        let (len, left) = (u64::from(u32::from_be_bytes(*len)), file_len.saturating_sub(place + 8));
        if len > left {
            let name = String::from_utf8_lossy(name);
            return Ok(Err(format!("its chunk {name:?} promises {len} bytes, {left} are left")));
        }
        if name == b"COMM" {
            // Two bytes of channels stand before it.
            frames =
                body.get(2..).and_then(<[u8]>::first_chunk).map(|frames| u32::from_be_bytes(*frames).into());
        }
        // Chunks start at even places.
        place += 8 + len.next_multiple_of(2);
    }
}
