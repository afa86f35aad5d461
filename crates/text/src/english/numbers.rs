//! Spelled numbers as digits, as `EnglishNumberNormalizer` of Whisper has it: `twenty twenty one` is `2021`,
//! `one oh one` is `101`, `two point five million` is `2500000`, `twenty dollars` is `$20`.
//!
//! Words are read from left to right, with one number under way. It is a count as long as the words add up to one, and
//! a row of digits from then on. The oddities are kept: `nineth` is an ordinal and `ninth` is none, and `point` is lost
//! before a word such as `hundred`.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::Rules;
use super::roles::{Role, role};

/// The number under way.
#[derive(Clone)]
enum Value {
    /// Words that add up.
    Count(u128),
    /// Digits in a row, maybe with points.
    Digits(String),
}

impl Value {
    fn text(&self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Digits(digits) => digits.clone(),
        }
    }
}

/// Whether a word is digits, maybe with one point among them.
fn is_numeric(word: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match word.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(word),
    }
}

/// Digits times a power of ten, where the product is whole and not too large.
fn times(digits: &str, multiplier: u128) -> Option<u128> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let product = all.parse::<u128>().ok()?.checked_mul(multiplier)?;
    let scale = 10_u128.checked_pow(fraction.len() as u32)?;
    (product % scale == 0).then_some(product / scale)
}

/// Reads words, and writes them with their numbers as digits.
struct Reader<'a> {
    words: &'a [&'a str],
    written: Vec<String>,
    sign: Option<char>,
    value: Option<Value>,
    skip: bool,
}

impl Reader<'_> {
    /// Writes a word or number, with the sign that waits.
    fn write(&mut self, text: &str) {
        let sign = self.sign.take().map(String::from).unwrap_or_default();
        self.written.push(sign + text);
        self.value = None;
    }

    /// Writes the number under way.
    fn flush(&mut self) {
        if let Some(value) = self.value.take() {
            self.write(&value.text());
        }
    }

    /// Adds digits to the number under way, which is a row of digits from then on. A count of zero is no digit.
    fn append(&mut self, digits: &str) {
        let before = match &self.value {
            None | Some(Value::Count(0)) => String::new(),
            Some(value) => value.text(),
        };
        self.value = Some(Value::Digits(before + digits));
    }

    fn read(&mut self, place: usize) {
        let words = self.words;
        let word = words[place];
        let previous = place.checked_sub(1).and_then(|at| role(words[at]));
        let next = words.get(place + 1).copied();
        let sign = word.chars().next().filter(|first| "-+£€$¢".contains(*first));
        let unsigned = sign.map_or(word, |sign| &word[sign.len_utf8()..]);
        if is_numeric(unsigned) {
            self.numeric(word, unsigned, sign);
            return;
        }
        let Some(role) = role(word) else {
            self.flush();
            self.write(word);
            return;
        };
        match role {
            Role::Zero => self.append("0"),
            Role::Ones(ones) => self.value = Some(self.with_ones(ones, previous)),
            Role::OnesEnding(ones, ending) => {
                let text = self.with_ones(ones, previous).text() + ending;
                self.write(&text);
            }
            Role::Tens(tens) => self.value = Some(self.with_tens(tens)),
            Role::TensEnding(tens, ending) => {
                let text = self.with_tens(tens).text() + ending;
                self.write(&text);
            }
            Role::Multiplier(multiplier) => {
                let product = self.multiplied(multiplier);
                self.value = Some(Value::Count(product));
            }
            Role::MultiplierEnding(multiplier, ending) => {
                let text = self.multiplied(multiplier).to_string() + ending;
                self.write(&text);
            }
            Role::SignBefore(sign) => {
                self.flush();
                if numeral(next) {
                    self.sign = Some(sign);
                } else {
                    self.write(word);
                }
            }
            Role::SignAfter(sign) => {
                if self.value.is_some() {
                    self.sign = Some(sign);
                    self.flush();
                } else {
                    self.write(word);
                }
            }
            Role::Percent => self.percent(word, next),
            Role::And | Role::Repeat(_) | Role::Point => self.special(word, role, previous, next),
        }
    }

    fn numeric(&mut self, word: &str, unsigned: &str, sign: Option<char>) {
        match &mut self.value {
            Some(Value::Digits(digits)) if digits.ends_with('.') => {
                digits.push_str(word);
                return;
            }
            _ => self.flush(),
        }
        self.sign = sign.or(self.sign);
        let count = times(unsigned, 1).map(Value::Count);
        self.value = Some(count.unwrap_or_else(|| Value::Digits(unsigned.to_owned())));
    }

    fn with_ones(&self, ones: u128, previous: Option<Role>) -> Value {
        let joined = |value: &Value| Value::Digits(format!("{}{ones}", value.text()));
        let after_ones = matches!(previous, Some(Role::Ones(_)));
        match &self.value {
            None => Value::Count(ones),
            // `twenty one` after other digits: the zero of the tens makes room.
            Some(Value::Digits(digits)) if matches!(previous, Some(Role::Tens(_))) && ones < 10 => {
                let tens = digits.strip_suffix('0').unwrap_or(digits);
                Value::Digits(format!("{tens}{ones}"))
            }
            Some(Value::Count(count)) if !after_ones && count % if ones < 10 { 10 } else { 100 } == 0 => {
                count.checked_add(ones).map_or_else(|| joined(&Value::Count(*count)), Value::Count)
            }
            Some(value) => joined(value),
        }
    }

    fn with_tens(&self, tens: u128) -> Value {
        match &self.value {
            None => Value::Count(tens),
            Some(Value::Count(count)) if count % 100 == 0 && count.checked_add(tens).is_some() => {
                Value::Count(count + tens)
            }
            Some(value) => Value::Digits(format!("{}{tens}", value.text())),
        }
    }

    /// The number under way times a multiplier. What cannot be multiplied is written, and the multiplier stands alone.
    fn multiplied(&mut self, multiplier: u128) -> u128 {
        let product = match &self.value {
            None => return multiplier,
            Some(Value::Digits(digits)) => times(digits, multiplier),
            Some(Value::Count(0)) => Some(0),
            Some(Value::Count(count)) => {
                let thousands = count / 1000 * 1000;
                (count % 1000).checked_mul(multiplier).and_then(|product| product.checked_add(thousands))
            }
        };
        if product.is_none() {
            self.flush();
        }
        product.unwrap_or(multiplier)
    }

    fn percent(&mut self, word: &str, next: Option<&str>) {
        let sign = word == "percent" || next == Some("cent");
        match self.value.take() {
            Some(value) if sign => {
                self.write(&(value.text() + "%"));
                self.skip = word == "per";
            }
            value => {
                self.value = value;
                self.flush();
                self.write(word);
            }
        }
    }

    fn special(&mut self, word: &str, role: Role, previous: Option<Role>, next: Option<&str>) {
        let next_role = next.and_then(self::role);
        match role {
            _ if !numeral(next) => {}
            // It is dropped: `two hundred and one`.
            Role::And if matches!(previous, Some(Role::Multiplier(_))) => return,
            Role::Repeat(times) => {
                let digits = match next_role {
                    Some(Role::Ones(ones)) => Some(ones),
                    Some(Role::Zero) => Some(0),
                    _ => None,
                };
                if let Some(digits) = digits {
                    self.append(&digits.to_string().repeat(times));
                    self.skip = true;
                    return;
                }
            }
            Role::Point => {
                let digits = matches!(next_role, Some(Role::Ones(_) | Role::Tens(_) | Role::Zero));
                if digits || next.is_some_and(is_numeric) {
                    self.append(".");
                }
                return;
            }
            _ => {}
        }
        self.flush();
        self.write(word);
    }
}

/// Whether a word can be part of a number.
fn numeral(word: Option<&str>) -> bool {
    word.is_some_and(|word| role(word).is_some() || is_numeric(word))
}

/// A text with its numbers as digits.
pub(super) fn normalize(text: &str) -> String {
    static BEFORE: LazyLock<Rules> = LazyLock::new(|| {
        Rules::new(&[
            // Letters and digits apart, but for the endings of ordinals and plurals.
            (r"([a-z])([0-9])", "$1 $2"),
            (r"([0-9])([a-z])", "$1 $2"),
            (r"([0-9])\s+(st|nd|rd|th|s)\b", "$1$2"),
        ])
    });
    let text = BEFORE.apply(&halves(text));
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut reader = Reader { words: &words, written: Vec::new(), sign: None, value: None, skip: false };
    for place in 0..words.len() {
        if !std::mem::take(&mut reader.skip) {
            reader.read(place);
        }
    }
    reader.flush();
    with_cents(&reader.written.join(" "))
}

/// A text with `and a half` as `point five`, where a number stands before it.
fn halves(text: &str) -> String {
    static HALF: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\band\s+a\s+half\b").expect("the pattern is a constant"));
    let segments: Vec<&str> = HALF.split(text).collect();
    let mut parts = Vec::new();
    for (place, segment) in segments.iter().enumerate() {
        let Some(last) = segment.split_whitespace().next_back() else { continue };
        parts.push(*segment);
        if place + 1 < segments.len() {
            let number =
                matches!(role(last), Some(Role::Zero | Role::Ones(_) | Role::Tens(_) | Role::Multiplier(_)));
            parts.push(if number { "point five" } else { "and a half" });
        }
    }
    parts.join(" ")
}

/// A text whose dollars and cents are one number, and whose `1` is `one`, which reads better.
fn with_cents(text: &str) -> String {
    static PATTERNS: LazyLock<[Regex; 3]> = LazyLock::new(|| {
        [r"([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\b", r"[€£$]0.([0-9]{1,2})\b", r"\b1(s?)\b"]
            .map(|pattern| Regex::new(pattern).expect("the patterns are constants, and a test compiles them"))
    });
    let [both, cents, one] = &*PATTERNS;
    let text = both
        .replace_all(text, |found: &Captures<'_>| format!("{}{}.{:0>2}", &found[1], &found[2], &found[3]));
    let text = cents.replace_all(&text, |found: &Captures<'_>| {
        let cents = found[1].trim_start_matches('0');
        format!("¢{}", if cents.is_empty() { "0" } else { cents })
    });
    one.replace_all(&text, "one$1").into_owned()
}
