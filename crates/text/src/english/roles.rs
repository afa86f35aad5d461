//! The words that numbers are spelled with, as `EnglishNumberNormalizer` of Whisper lists them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::numerals::{ONES, TENS, THOUSANDS, plural};

/// What a word does to a number.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Role {
    /// `zero`, `oh`, `o`.
    Zero,
    /// `one` to `nineteen`.
    Ones(u128),
    /// The same with the ending of an ordinal or a plural.
    OnesEnding(u128, &'static str),
    /// `twenty` to `ninety`.
    Tens(u128),
    /// The same with an ending.
    TensEnding(u128, &'static str),
    /// `hundred`, `thousand` and so on.
    Multiplier(u128),
    /// The same with an ending.
    MultiplierEnding(u128, &'static str),
    /// `minus` and the like, whose sign stands before the number that follows.
    SignBefore(char),
    /// `dollars` and the like, whose sign stands before the number that they follow.
    SignAfter(char),
    /// `percent`, and `per` before `cent`.
    Percent,
    /// `and`.
    And,
    /// `double` and `triple`.
    Repeat(usize),
    /// `point`.
    Point,
}

const OTHERS: [(&str, Role); 21] = [
    ("o", Role::Zero),
    ("oh", Role::Zero),
    ("zero", Role::Zero),
    ("minus", Role::SignBefore('-')),
    ("negative", Role::SignBefore('-')),
    ("plus", Role::SignBefore('+')),
    ("positive", Role::SignBefore('+')),
    ("pound", Role::SignAfter('£')),
    ("pounds", Role::SignAfter('£')),
    ("euro", Role::SignAfter('€')),
    ("euros", Role::SignAfter('€')),
    ("dollar", Role::SignAfter('$')),
    ("dollars", Role::SignAfter('$')),
    ("cent", Role::SignAfter('¢')),
    ("cents", Role::SignAfter('¢')),
    ("per", Role::Percent),
    ("percent", Role::Percent),
    ("and", Role::And),
    ("double", Role::Repeat(2)),
    ("triple", Role::Repeat(3)),
    ("point", Role::Point),
];

/// What a word does to a number, if it is part of one.
pub(super) fn role(word: &str) -> Option<Role> {
    static ROLES: LazyLock<HashMap<String, Role>> = LazyLock::new(roles);
    ROLES.get(word).copied()
}

fn roles() -> HashMap<String, Role> {
    let mut roles: HashMap<String, Role> =
        OTHERS.into_iter().map(|(word, role)| (word.to_owned(), role)).collect();
    roles.insert("zeroth".to_owned(), Role::OnesEnding(0, "th"));
    for (name, value) in ONES.into_iter().zip(0..).skip(1) {
        let (ordinal, ending) = match value {
            1 => ("first".to_owned(), "st"),
            2 => ("second".to_owned(), "nd"),
            3 => ("third".to_owned(), "rd"),
            5 => ("fifth".to_owned(), "th"),
            12 => ("twelfth".to_owned(), "th"),
            _ if name.ends_with('t') => (format!("{name}h"), "th"),
            _ => (format!("{name}th"), "th"),
        };
        roles.insert(name.to_owned(), Role::Ones(value));
        roles.insert(plural(name), Role::OnesEnding(value, "s"));
        roles.insert(ordinal, Role::OnesEnding(value, ending));
    }
    for (name, value) in TENS.into_iter().zip((20..).step_by(10)) {
        let stem = name.trim_end_matches('y');
        roles.insert(name.to_owned(), Role::Tens(value));
        roles.insert(plural(name), Role::TensEnding(value, "s"));
        roles.insert(format!("{stem}ieth"), Role::TensEnding(value, "th"));
    }
    let thousands = THOUSANDS.into_iter().zip((1..).map(|power| 1000_u128.pow(power)));
    for (name, value) in thousands.chain([("hundred", 100)]) {
        roles.insert(name.to_owned(), Role::Multiplier(value));
        roles.insert(plural(name), Role::MultiplierEnding(value, "s"));
        roles.insert(format!("{name}th"), Role::MultiplierEnding(value, "th"));
    }
    roles
}
