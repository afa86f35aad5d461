//! The CTC head that a published checkpoint carries, with its vocabulary: what `Wav2Vec2ForCTC` and its likes of
//! `transformers` put behind the encoder.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use sure_nn::{Checkpoint, NnError, tch::Tensor};

use crate::{
    ZooError,
    files::{read_json, weight_files},
    published,
};

/// A published head: `softmax(weight h + bias)` over tokens for each frame.
#[derive(Debug)]
pub struct PublishedCtc {
    /// `[tokens, hidden]`.
    pub weight: Tensor,
    /// `[tokens]`.
    pub bias: Tensor,
    /// What the rows stand for.
    pub vocabulary: CtcVocabulary,
}

/// The tokens of a published head, after `Wav2Vec2CTCTokenizer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CtcVocabulary {
    /// The text of each token. One that the vocabulary does not name is written as the unknown token.
    pub tokens: Vec<String>,
    /// The CTC blank, which is the padding token.
    pub blank: usize,
    /// The token for what has none, where there is one.
    pub unknown: Option<usize>,
    /// The token between two words, where there is one.
    pub delimiter: Option<usize>,
    /// Whether texts are written in lower case, whatever the tokens are.
    pub lower_case: bool,
}

/// What of `tokenizer_config.json` or `special_tokens_map.json` matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TokenizerConfig {
    pad_token: Option<Token>,
    unk_token: Option<Token>,
    word_delimiter_token: Option<Token>,
    do_lower_case: bool,
    tokenizer_class: Option<String>,
    added_tokens_decoder: BTreeMap<String, Token>,
}

/// The tokenizers whose way of writing is ours; the second is the first one's old name.
const TOKENIZERS: [&str; 2] = ["Wav2Vec2CTCTokenizer", "Wav2Vec2Tokenizer"];

/// A token by itself, or with notes on how texts are split at it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Token {
    Plain(String),
    Noted { content: String },
}

impl Token {
    fn text(self) -> String {
        match self {
            Self::Plain(text) | Self::Noted { content: text } => text,
        }
    }
}

/// Reads the CTC head of the checkpoint in `folder`, with `vocab.json` and what the tokenizer's files say.
///
/// # Errors
/// When the checkpoint has no such head, a file is missing or damaged, or vocabulary and head do not match.
pub fn published_ctc(folder: &Path) -> Result<PublishedCtc, ZooError> {
    let no_head = || ZooError::NoCtcHead { folder: folder.to_owned() };
    published(folder)?.ctc.ok_or_else(no_head)?;
    let build = |source| ZooError::Build { folder: folder.to_owned(), source };
    let checkpoint = Checkpoint::open(&weight_files(folder)?).map_err(build)?;
    let read = |name: &str| checkpoint.tensor(name).map_err(build)?.ok_or_else(no_head);
    let (weight, bias) = (read("lm_head.weight")?, read("lm_head.bias")?);
    let shape = weight.size();
    if shape.len() != 2 || bias.size() != shape[..1] {
        let name = "lm_head.bias".to_owned();
        return Err(build(NnError::Shape {
            name,
            found: bias.size(),
            wanted: shape.iter().copied().take(1).collect(),
        }));
    }
    let vocabulary = CtcVocabulary::read(folder, shape[0] as usize)?;
    Ok(PublishedCtc { weight, bias, vocabulary })
}

impl CtcVocabulary {
    /// The vocabulary in `folder` of a head with so many rows.
    fn read(folder: &Path, rows: usize) -> Result<Self, ZooError> {
        let path = folder.join("vocab.json");
        let bad = |reason: String| ZooError::BadVocabulary { path: path.clone(), reason };
        let config: TokenizerConfig = optional(folder, "tokenizer_config.json")?;
        let specials: TokenizerConfig = optional(folder, "special_tokens_map.json")?;
        if let Some(class) = config.tokenizer_class.filter(|class| !TOKENIZERS.contains(&class.as_str())) {
            return Err(bad(format!("a tokenizer {class:?} is not supported, only Wav2Vec2CTCTokenizer is")));
        }
        let named: BTreeMap<String, Value> = read_json(&path)?;
        let mut tokens: Vec<Option<String>> = vec![None; rows];
        for (token, id) in named {
            let id = id.as_u64().ok_or_else(|| {
                bad(format!("{token:?} has no number; one vocabulary for each language is not supported"))
            })?;
            let count = tokens.len();
            let place = usize::try_from(id).ok().and_then(|id| tokens.get_mut(id));
            let place = place
                .ok_or_else(|| bad(format!("{token:?} has number {id}, and the head has {count} rows")))?;
            if let Some(other) = place.replace(token) {
                return Err(bad(format!("{other:?} and another token have the number {id}")));
            }
        }
        // Tokens that were added later have the numbers behind, or those of the vocabulary once more.
        let added: BTreeMap<String, usize> = optional(folder, "added_tokens.json")?;
        let decoder = config.added_tokens_decoder.into_iter();
        let decoder = decoder.filter_map(|(id, token)| Some((token.text(), id.parse().ok()?)));
        for (token, id) in added.into_iter().chain(decoder) {
            if let Some(place @ None) = tokens.get_mut(id) {
                *place = Some(token);
            }
        }
        let find = |given: Option<Token>, else_given: Option<Token>, default: &str| {
            let text = given.or(else_given).map_or_else(|| default.to_owned(), Token::text);
            (tokens.iter().position(|token| token.as_deref() == Some(&text)), text)
        };
        let (blank, pad) = find(config.pad_token, specials.pad_token, "<pad>");
        let blank =
            blank.ok_or_else(|| bad(format!("it has no padding token {pad:?}, which is the CTC blank")))?;
        let (unknown, unknown_text) = find(config.unk_token, specials.unk_token, "<unk>");
        let (delimiter, _) = find(config.word_delimiter_token, None, "|");
        let tokens = tokens.into_iter().map(|token| token.unwrap_or_else(|| unknown_text.clone())).collect();
        Ok(Self { tokens, blank, unknown, delimiter, lower_case: config.do_lower_case })
    }
}

/// The file `name` of `folder`, or what an empty one would say where there is none.
fn optional<T: DeserializeOwned + Default>(folder: &Path, name: &str) -> Result<T, ZooError> {
    let path = folder.join(name);
    if path.is_file() { read_json(&path) } else { Ok(T::default()) }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;

    fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("sure-zoo-ctc-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        folder
    }

    fn read(name: &str, rows: usize, files: &[(&str, &str)]) -> Result<CtcVocabulary, ZooError> {
        let folder = folder(name, files);
        let read = CtcVocabulary::read(&folder, rows);
        fs::remove_dir_all(folder).unwrap();
        read
    }

    #[test]
    fn added_tokens_fill_what_the_vocabulary_leaves_open_and_the_rest_is_unknown() {
        let config = r#"{"pad_token": {"content": "[PAD]"}, "unk_token": "[UNK]", "do_lower_case": true,
            "added_tokens_decoder": {"2": {"content": "[PAD]"}, "4": {"content": "</s>"}}}"#;
        let files = [
            ("vocab.json", r#"{"|": 0, "[UNK]": 1, "[PAD]": 2}"#),
            ("added_tokens.json", r#"{"<s>": 3}"#),
            ("tokenizer_config.json", config),
        ];
        let vocabulary = read("added", 6, &files).unwrap();
        assert_eq!(vocabulary.tokens, ["|", "[UNK]", "[PAD]", "<s>", "</s>", "[UNK]"]);
        assert_eq!((vocabulary.blank, vocabulary.unknown, vocabulary.delimiter), (2, Some(1), Some(0)));
        assert!(vocabulary.lower_case);
    }

    #[test]
    fn what_does_not_match_is_refused_with_the_reason() {
        let refused = |name, vocab, config| {
            let files = [("vocab.json", vocab), ("tokenizer_config.json", config)];
            read(name, 2, &files).unwrap_err().to_string()
        };
        assert!(refused("rows", r#"{"a": 2, "<pad>": 0}"#, "{}").contains("the head has 2 rows"));
        assert!(refused("blank", r#"{"a": 0, "b": 1}"#, "{}").contains("<pad>"));
        assert!(refused("twice", r#"{"a": 0, "<pad>": 0}"#, "{}").contains("the number 0"));
        assert!(refused("nested", r#"{"eng": {"a": 0}}"#, "{}").contains("each language"));
        let phones = r#"{"tokenizer_class": "Wav2Vec2PhonemeCTCTokenizer"}"#;
        assert!(refused("phones", r#"{"<pad>": 0}"#, phones).contains("Wav2Vec2PhonemeCTCTokenizer"));
    }
}
