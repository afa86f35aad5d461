//! Folders and text files as owners leave them: hidden junk of archives, tables with their columns in any order, and
//! text that is UTF-8, UTF-16 or Windows-1252.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{What, collect::Collector, note::Tally};
use crate::DataError;

/// Kinds of files that `sure-audio` reads.
pub(crate) const AUDIO: [&str; 7] = ["wav", "flac", "mp3", "ogg", "oga", "aiff", "aif"];

/// Something in a folder.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its name; what is not Unicode in it is replaced.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl Entry {
    /// The name without its ending.
    pub(crate) fn stem(&self) -> &str {
        self.name.rsplit_once('.').map_or(&self.name, |(stem, _)| stem)
    }

    fn ends_in(&self, endings: &[&str]) -> bool {
        self.name
            .rsplit_once('.')
            .is_some_and(|(_, ending)| endings.iter().any(|known| known.eq_ignore_ascii_case(ending)))
    }
}

/// What is in a folder, sorted by name. Names with a dot in front are left out: macOS puts a `._a.wav` beside each
/// `a.wav` into the archives that it makes.
pub(crate) fn list(folder: &Path) -> Result<Vec<Entry>, DataError> {
    let read = || -> io::Result<Vec<Entry>> {
        fs::read_dir(folder)?
            .map(|entry| {
                let entry = entry?;
                Ok(Entry { name: entry.file_name().to_string_lossy().into_owned(), path: entry.path() })
            })
            .collect()
    };
    let mut entries = read().map_err(DataError::io("list", folder))?;
    entries.retain(|entry| !entry.name.starts_with('.') && entry.name != "__MACOSX");
    entries.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(entries)
}

/// The folders in a folder, sorted by name. Links count as what they lead to.
pub(crate) fn folders(folder: &Path) -> Result<Vec<Entry>, DataError> {
    Ok(list(folder)?.into_iter().filter(|entry| entry.path.is_dir()).collect())
}

/// The files in a folder with one of these endings, sorted by name.
pub(crate) fn files(folder: &Path, endings: &[&str]) -> Result<Vec<Entry>, DataError> {
    Ok(list(folder)?.into_iter().filter(|entry| entry.ends_in(endings)).collect())
}

/// The recordings in a folder, sorted by name.
pub(crate) fn recordings(folder: &Path) -> Result<Vec<Entry>, DataError> {
    files(folder, &AUDIO)
}

/// A path out of a list, from a folder; none where it leads out of that, as an absolute one does. What a data set says
/// must not choose which of the user's files are read.
pub(crate) fn inside(folder: &Path, path: &Path) -> Option<PathBuf> {
    let stays = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    stays.then(|| folder.join(path))
}

/// Whether some folder in `folder` has a name like that. `false` where it cannot be listed.
pub(crate) fn any_folder(folder: &Path, like: impl Fn(&str) -> bool) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| like(&entry.file_name().to_string_lossy()) && entry.path().is_dir())
    })
}

/// How often text had to be read as something other than UTF-8.
#[derive(Debug, Default)]
pub(crate) struct Encodings(BTreeMap<&'static str, Tally>);

impl Encodings {
    /// Reads a text file in whatever encoding it has: by its byte order mark, else UTF-8, else UTF-16 if every second
    /// byte of its beginning is zero, else Windows-1252, which has a character for every byte that text uses.
    pub(crate) fn read(&mut self, path: &Path) -> Result<String, DataError> {
        let bytes = fs::read(path).map_err(DataError::io("read", path))?;
        let (text, encoding) = decode(&bytes);
        if encoding != UTF_8 {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.0.entry(encoding.name()).or_default().add(name);
        }
        Ok(text)
    }

    pub(crate) fn note(self, found: &mut Collector<'_>) {
        for (encoding, tally) in self.0 {
            found.note(tally, What::Encoding { encoding });
        }
    }
}

fn decode(bytes: &[u8]) -> (String, &'static Encoding) {
    let zeros = |odd: usize| {
        let start = &bytes[..bytes.len().min(64) & !1];
        start.len() >= 8 && start.iter().skip(odd).step_by(2).all(|&byte| byte == 0)
    };
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if zeros(1) => UTF_16LE,
        None if zeros(0) => UTF_16BE,
        None if str::from_utf8(bytes).is_ok() => UTF_8,
        None => WINDOWS_1252,
    };
    let (text, _) = encoding.decode_with_bom_removal(bytes);
    (text.into_owned(), encoding)
}

/// A table of text with named columns.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<csv::StringRecord>,
    columns: Vec<usize>,
}

impl Table {
    /// Reads a file of comma separated values that has these columns, in any order and among others.
    pub(crate) fn read(path: &Path, columns: &[&str], encodings: &mut Encodings) -> Result<Self, DataError> {
        let text = encodings.read(path)?;
        let bad = |error: &csv::Error| DataError::BadLine {
            path: path.to_owned(),
            line: error.position().map_or(1, |position| position.line() as usize),
            reason: error.to_string(),
        };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| bad(&error))?.clone();
        let place = |column: &&str| {
            let found = header.iter().position(|name| name.trim().eq_ignore_ascii_case(column));
            found.ok_or_else(|| DataError::MissingColumn {
                path: path.to_owned(),
                column: (*column).to_owned(),
                found: header.iter().map(str::to_owned).collect(),
            })
        };
        let columns = columns.iter().map(place).collect::<Result<_, _>>()?;
        let rows = reader.into_records().collect::<Result<_, _>>().map_err(|error| bad(&error))?;
        Ok(Self { rows, columns })
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows, each with its line and the wanted columns; what a short row lacks is empty.
    pub(crate) fn rows<const N: usize>(&self) -> impl Iterator<Item = (usize, [&str; N])> {
        debug_assert_eq!(self.columns.len(), N, "as many columns as were asked for");
        self.rows.iter().map(|row| {
            let line = row.position().map_or(0, |position| position.line() as usize);
            (line, std::array::from_fn(|column| row.get(self.columns[column]).unwrap_or_default().trim()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn text_is_read_in_every_encoding_that_owners_use() {
        let text = "0011_000001\tIt’s naïve.\tNeutral\n";
        let marked = format!("\u{feff}{text}");
        let cases: [(Vec<u8>, &str); 7] = [
            (text.into(), "UTF-8"),
            (marked.clone().into(), "UTF-8"),
            (utf16(&marked, u16::to_le_bytes), "UTF-16LE"),
            (utf16(&marked, u16::to_be_bytes), "UTF-16BE"),
            (WINDOWS_1252.encode(text).0.into_owned(), "windows-1252"),
            (utf16("0011_000001\tA\n", u16::to_le_bytes), "UTF-16LE"),
            (utf16("0011_000001\tA\n", u16::to_be_bytes), "UTF-16BE"),
        ];
        for (index, (bytes, name)) in cases.iter().enumerate() {
            let (found, encoding) = decode(bytes);
            let expected = if index < 5 { text } else { "0011_000001\tA\n" };
            assert_eq!((found.as_str(), encoding.name()), (expected, *name), "case {index}");
        }
    }

    #[test]
    fn any_bytes_are_text_of_some_kind() {
        for bytes in [&b""[..], &[0], &[0xff], &[0xff, 0xfe, 0], &[0; 9], &[0x81, 0x8d, 0x90]] {
            decode(bytes);
        }
    }
}
