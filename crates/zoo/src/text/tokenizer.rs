//! From a text to token ids, by the tokenizer that lies beside the checkpoint.

use std::{fs, ops::Range, path::Path};

use serde::Deserialize;
use sure_nn::{Modality, NnError, Prepare, Prepared};
use tokenizers::{
    Tokenizer, models::wordpiece::WordPiece, normalizers::BertNormalizer,
    pre_tokenizers::bert::BertPreTokenizer, processors::bert::BertProcessing,
};

use crate::{ZooError, files::read_json};

/// What marks the place of a hidden word.
const MASK: &str = "[MASK]";

/// Makes texts ready.
#[derive(Debug)]
pub(super) struct Reader {
    tokenizer: Tokenizer,
    /// Tokens of a text at most.
    limit: usize,
    vocabulary: u32,
}

impl Reader {
    /// The tokenizer of `folder` with a hash-worthy description of it: `tokenizer.json`, or the words of `vocab.txt`.
    ///
    /// # Errors
    /// When there is neither, or it does not fit a vocabulary of so many tokens.
    pub(super) fn open(folder: &Path, limit: i64, vocabulary: i64) -> Result<(Self, Vec<u8>), ZooError> {
        let whole = folder.join("tokenizer.json");
        let path = if whole.is_file() { whole.clone() } else { folder.join("vocab.txt") };
        let bytes = fs::read(&path).map_err(|source| ZooError::Read { path: path.clone(), source })?;
        let refuse = |reason: String| ZooError::Tokenizer { path: path.clone(), reason };
        let (mut tokenizer, told) = if path == whole {
            (Tokenizer::from_bytes(&bytes).map_err(|error| refuse(error.to_string()))?, bytes)
        } else {
            let flags = Flags::read(folder)?;
            let told = [&bytes, format!("{flags:?}").as_bytes()].concat();
            (flags.tokenizer(&bytes).map_err(|error| refuse(error.to_string()))?, told)
        };
        // A text is read as long as it is: what is too long is an error, and a batch is padded as the batch needs.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| refuse(error.to_string()))?;
        let size = tokenizer.get_vocab_size(true);
        if size as i64 > vocabulary {
            return Err(refuse(format!("it has {size} tokens, and the network {vocabulary}")));
        }
        Ok((Self { tokenizer, limit: limit as usize, vocabulary: vocabulary as u32 }, told))
    }

    /// The token that stands for a hidden one.
    pub(super) fn mask(&self) -> Option<u32> {
        self.tokenizer.token_to_id(MASK).filter(|&id| id < self.vocabulary)
    }

    /// Ids with their places in the text, special tokens included.
    fn encode(&self, text: &str) -> Result<(Vec<u32>, Vec<Range<usize>>), NnError> {
        let refuse = |reason: String| NnError::BadInput { reason };
        let encoding = self.tokenizer.encode(text, true).map_err(|error| refuse(error.to_string()))?;
        let ids = encoding.get_ids().to_vec();
        if ids.len() > self.limit {
            let (count, limit) = (ids.len(), self.limit);
            return Err(refuse(format!(
                "the text has {count} tokens, and this backbone reads {limit} at most"
            )));
        }
        if let Some(id) = ids.iter().find(|id| **id >= self.vocabulary) {
            return Err(refuse(format!(
                "its tokenizer gives the token {id}, which the network does not have"
            )));
        }
        if ids.is_empty() {
            return Err(refuse("the text has no token".to_owned()));
        }
        let places = encoding.get_offsets().iter().map(|&(start, end)| start..end).collect();
        Ok((ids, places))
    }
}

impl Prepare for Reader {
    fn modality(&self) -> Modality {
        Modality::Text
    }

    fn prepare(&self, _samples: &[f32]) -> Result<Prepared, NnError> {
        Err(NnError::BadInput { reason: "this backbone reads text and hears no recordings".to_owned() })
    }

    fn prepare_text(&self, text: &str) -> Result<Prepared, NnError> {
        let (ids, _) = self.encode(text)?;
        Ok(Prepared { length: ids.len(), channels: 1, data: ids.into_iter().map(|id| id as f32).collect() })
    }

    fn pieces(&self, text: &str) -> Result<Vec<Range<usize>>, NnError> {
        Ok(self.encode(text)?.1)
    }
}

/// A text encoder whose tokenizer is not needed: its parameters are only counted.
#[derive(Debug)]
pub(super) struct Unread;

impl Prepare for Unread {
    fn modality(&self) -> Modality {
        Modality::Text
    }

    fn prepare(&self, _samples: &[f32]) -> Result<Prepared, NnError> {
        Err(NnError::BadInput { reason: "this backbone was opened without its tokenizer".to_owned() })
    }
}

/// What `tokenizer_config.json` says of a tokenizer that is a word list.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
struct Flags {
    do_lower_case: bool,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: bool,
}

impl Default for Flags {
    fn default() -> Self {
        Self { do_lower_case: true, strip_accents: None, tokenize_chinese_chars: true }
    }
}

impl Flags {
    fn read(folder: &Path) -> Result<Self, ZooError> {
        let path = folder.join("tokenizer_config.json");
        if path.is_file() { read_json(&path) } else { Ok(Self::default()) }
    }

    /// `BertTokenizer`: words and punctuation apart, then the longest known pieces.
    fn tokenizer(&self, vocabulary: &[u8]) -> tokenizers::Result<Tokenizer> {
        let words = WordPiece::read_bytes(vocabulary)?;
        let special = |token: &str| {
            let id = words.get(token).copied();
            id.map(|id| (token.to_owned(), id)).ok_or_else(|| format!("it has no {token}"))
        };
        let (start, end) = (special("[CLS]")?, special("[SEP]")?);
        special("[UNK]")?;
        let known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", MASK];
        let known = known.into_iter().filter(|token| words.contains_key(*token));
        let known: Vec<_> = known.map(|token| tokenizers::AddedToken::from(token, true)).collect();
        let model = WordPiece::builder().vocab(words).unk_token("[UNK]".to_owned()).build()?;
        let mut tokenizer = Tokenizer::new(model);
        tokenizer
            .with_normalizer(Some(BertNormalizer::new(
                true,
                self.tokenize_chinese_chars,
                self.strip_accents,
                self.do_lower_case,
            )))
            .with_pre_tokenizer(Some(BertPreTokenizer))
            .with_post_processor(Some(BertProcessing::new(end, start)));
        tokenizer.add_special_tokens(&known);
        Ok(tokenizer)
    }
}
