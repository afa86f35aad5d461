//! The English rule of Whisper (Radford et al. 2022, arXiv 2212.04356, appendix C), for scoring.
//!
//! It does what `EnglishTextNormalizer` of openai-whisper and `transformers` 5.23 does, step by step:
//!
//! 1. lower case; `[...]`, `<...>` and `(...)` are deleted, and the fillers `hmm mm mhm mmm uh um`;
//! 2. contractions and titles are written out (`won't` as `will not`, `dr` as `doctor`);
//! 3. commas between digits are deleted, and so are periods that no digit follows; symbols, punctuation and marks
//!    become blanks, and accents are dropped;
//! 4. spelled numbers become digits, with their ordinal ending, sign, currency or per cent (`numbers.rs`);
//! 5. British spelling becomes American, by the list of 1,738 words that Whisper took from tysto.com.
//!
//! It keeps what is odd in the original, so that rates stay comparable: `'s` always becomes `is`, curly apostrophes are
//! not seen, `ninth` stays a word, and a second pass can change a text again (`100 1` gives `100 one`, which gives
//! `101`). Differences: blanks at the ends are dropped; only ASCII digits are numbers; where a product would be above
//! 2^128 - 1, both numbers are written; the end of a word is where the `regex` crate sees it, which differs from Python
//! before combining marks. Of 50,000 random texts, of number words and of odd characters, 36 differed, by the last two.

mod numbers;
mod roles;

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// British and American spelling.
const SPELLING: &str = include_str!("spelling.txt");

/// What stands for something longer, in the order in which it is written out. `'` is within a word, hence no `\b`
/// before it.
const CONTRACTIONS: [(&str, &str); 49] = [
    (r"\bwon't\b", "will not"),
    (r"\bcan't\b", "can not"),
    (r"\blet's\b", "let us"),
    (r"\bain't\b", "aint"),
    (r"\by'all\b", "you all"),
    (r"\bwanna\b", "want to"),
    (r"\bgotta\b", "got to"),
    (r"\bgonna\b", "going to"),
    (r"\bi'ma\b", "i am going to"),
    (r"\bimma\b", "i am going to"),
    (r"\bwoulda\b", "would have"),
    (r"\bcoulda\b", "could have"),
    (r"\bshoulda\b", "should have"),
    (r"\bma'am\b", "madam"),
    (r"\bmr\b", "mister "),
    (r"\bmrs\b", "missus "),
    (r"\bst\b", "saint "),
    (r"\bdr\b", "doctor "),
    (r"\bprof\b", "professor "),
    (r"\bcapt\b", "captain "),
    (r"\bgov\b", "governor "),
    (r"\bald\b", "alderman "),
    (r"\bgen\b", "general "),
    (r"\bsen\b", "senator "),
    (r"\brep\b", "representative "),
    (r"\bpres\b", "president "),
    (r"\brev\b", "reverend "),
    (r"\bhon\b", "honorable "),
    (r"\basst\b", "assistant "),
    (r"\bassoc\b", "associate "),
    (r"\blt\b", "lieutenant "),
    (r"\bcol\b", "colonel "),
    (r"\bjr\b", "junior "),
    (r"\bsr\b", "senior "),
    (r"\besq\b", "esquire "),
    (r"'d been\b", " had been"),
    (r"'s been\b", " has been"),
    (r"'d gone\b", " had gone"),
    (r"'s gone\b", " has gone"),
    (r"'d done\b", " had done"),
    (r"'s got\b", " has got"),
    (r"n't\b", " not"),
    (r"'re\b", " are"),
    (r"'s\b", " is"),
    (r"'d\b", " would"),
    (r"'ll\b", " will"),
    (r"'t\b", " not"),
    (r"'ve\b", " have"),
    (r"'m\b", " am"),
];

/// Commas between digits, and periods that no digit follows.
const STRAY_POINTS: [(&str, &str); 2] = [(r"(\d),(\d)", "$1$2"), (r"\.([^0-9]|$)", " $1")];

/// What is done before contractions.
const ASIDES: [(&str, &str); 4] = [
    (r"[<\[][^>\]]*[>\]]", ""),
    (r"\(([^)]+?)\)", ""),
    (r"\b(hmm|mm|mhm|mmm|uh|um)\b", ""),
    // A contraction that stands apart: `he 's`.
    (r"\s+'", "'"),
];

/// Signs of numbers that stand by no number.
const STRAY_SIGNS: [(&str, &str); 2] = [(r"[.$¢€£]([^0-9])", " $1"), (r"([^0-9])%", "$1 ")];

/// Signs that numbers need.
const KEPT: &str = ".%$¢€£";

/// Patterns with what each is replaced by.
struct Rules(Vec<(Regex, &'static str)>);

impl Rules {
    fn new(rules: &[(&str, &'static str)]) -> Self {
        let compiled = rules.iter().map(|&(pattern, replacement)| {
            (Regex::new(pattern).expect("the patterns are constants, and a test compiles them"), replacement)
        });
        Self(compiled.collect())
    }

    fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (pattern, replacement)| {
            pattern.replace_all(&text, *replacement).into_owned()
        })
    }
}

/// A text by the English rule.
pub(crate) fn normalize(text: &str) -> String {
    static BEFORE: LazyLock<Rules> =
        LazyLock::new(|| Rules::new(&[&ASIDES[..], &CONTRACTIONS, &STRAY_POINTS].concat()));
    static AFTER: LazyLock<Rules> = LazyLock::new(|| Rules::new(&STRAY_SIGNS));
    let plain = without_symbols(&BEFORE.apply(&text.to_lowercase()));
    let spelled = american(&numbers::normalize(&plain));
    let words = AFTER.apply(&spelled);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text without marks, and with blanks for symbols and punctuation.
fn without_symbols(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.nfkd() {
        if KEPT.contains(character) {
            plain.push(character);
        } else if let Some(letters) = apart(character) {
            plain.push_str(letters);
        } else if character.general_category() != GeneralCategory::NonspacingMark {
            let blank = matches!(
                character.general_category_group(),
                GeneralCategoryGroup::Mark | GeneralCategoryGroup::Symbol | GeneralCategoryGroup::Punctuation
            );
            plain.push(if blank { ' ' } else { character });
        }
    }
    plain
}

/// Letters that decomposition leaves whole. Their capitals are lower-case by now.
pub(crate) fn apart(character: char) -> Option<&'static str> {
    Some(match character {
        'œ' => "oe",
        'ø' => "o",
        'æ' => "ae",
        'ß' => "ss",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        _ => return None,
    })
}

/// A text in American spelling.
fn american(text: &str) -> String {
    static WORDS: LazyLock<HashMap<&str, &str>> =
        LazyLock::new(|| SPELLING.lines().filter_map(|line| line.split_once(' ')).collect());
    let words = text.split_whitespace().map(|word| WORDS.get(word).copied().unwrap_or(word));
    words.collect::<Vec<_>>().join(" ")
}
