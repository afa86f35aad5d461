//! Numbers as they are said: `23` as `twenty three`.

use crate::numerals::{ONES, TENS, THOUSANDS, plural};

const CURRENCIES: [(char, &str, &str); 3] =
    [('$', "dollar", "dollars"), ('£', "pound", "pounds"), ('€', "euro", "euros")];

/// The words of a number: digits, maybe with commas between thousands, a fraction, a currency before it, and a per cent
/// sign or the ending of an ordinal or a plural behind it. Nothing when the text is no number.
///
/// Four digits of 1100 to 1999 and of 2010 to 2099 are read as a year. Digits after a leading zero, and more than 15 of
/// them, are read one by one.
pub(crate) fn number_words(text: &str) -> Option<Vec<String>> {
    let currency = CURRENCIES.into_iter().find(|(sign, ..)| text.starts_with(*sign));
    let rest = currency.map_or(text, |(sign, ..)| &text[sign.len_utf8()..]);
    let end = rest.trim_end_matches(|last: char| !last.is_ascii_digit()).len();
    let (number, ending) = rest.split_at(end);
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let digits = ungrouped(whole)?;
    if !fraction.is_none_or(|fraction| !fraction.is_empty() && all_digits(fraction)) {
        return None;
    }
    let plain = currency.is_none() && fraction.is_none() && !whole.contains(',');
    let mut words = integer(&digits, plain && matches!(ending, "" | "s"));
    if let Some(fraction) = fraction {
        words.push("point".to_owned());
        words.extend(fraction.bytes().map(digit));
    }
    match ending {
        "" => {}
        "%" => words.push("percent".to_owned()),
        "s" if plain => end_last(&mut words, plural),
        "st" | "nd" | "rd" | "th" if plain => end_last(&mut words, ordinal),
        _ => return None,
    }
    if let Some((_, one, more)) = currency {
        words.push(if number == "1" { one } else { more }.to_owned());
    }
    Some(words)
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits without the commas between thousands.
fn ungrouped(text: &str) -> Option<String> {
    let mut groups = text.split(',');
    let first = groups.next()?;
    let grouped = text.contains(',');
    let right = !first.is_empty()
        && all_digits(first)
        && (!grouped || first.len() <= 3)
        && groups.all(|group| group.len() == 3 && all_digits(group));
    right.then(|| text.replace(',', ""))
}

fn digit(byte: u8) -> String {
    ONES[usize::from(byte.saturating_sub(b'0')) % 10].to_owned()
}

fn integer(digits: &str, year: bool) -> Vec<String> {
    if digits.len() > 15 || (digits.len() > 1 && digits.starts_with('0')) {
        return digits.bytes().map(digit).collect();
    }
    let number: u64 = digits.bytes().fold(0, |number, byte| number * 10 + u64::from(byte - b'0'));
    let mut words = Vec::new();
    if year && matches!(number, 1100..2000 | 2010..2100) {
        below_hundred(number / 100, &mut words);
        match number % 100 {
            0 => words.push("hundred"),
            ones @ 1..10 => words.extend(["oh", ONES[ones as usize]]),
            rest => below_hundred(rest, &mut words),
        }
    } else if number == 0 {
        words.push(ONES[0]);
    }
    if words.is_empty() {
        for power in (0..5).rev() {
            let part = number / 1000_u64.pow(power as u32) % 1000;
            if part >= 100 {
                words.extend([ONES[(part / 100) as usize], "hundred"]);
            }
            below_hundred(part % 100, &mut words);
            if part > 0 && power > 0 {
                words.push(THOUSANDS[power - 1]);
            }
        }
    }
    words.into_iter().map(str::to_owned).collect()
}

/// Nothing for zero.
fn below_hundred(number: u64, words: &mut Vec<&'static str>) {
    let number = number as usize % 100;
    if number >= 20 {
        words.push(TENS[number / 10 - 2]);
        words.extend(Some(number % 10).filter(|&ones| ones > 0).map(|ones| ONES[ones]));
    } else if number > 0 {
        words.push(ONES[number]);
    }
}

fn end_last(words: &mut [String], ending: fn(&str) -> String) {
    if let Some(last) = words.last_mut() {
        *last = ending(last);
    }
}

fn ordinal(word: &str) -> String {
    match word {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        _ => match word.strip_suffix('y') {
            Some(stem) => format!("{stem}ieth"),
            None => format!("{word}th"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_they_are_meant() {
        for (text, said) in [
            ("0", "zero"),
            ("23", "twenty three"),
            ("100", "one hundred"),
            ("1,000", "one thousand"),
            ("3418", "three thousand four hundred eighteen"),
            ("1,000,020", "one million twenty"),
            (
                "999999999999999",
                "nine hundred ninety nine trillion nine hundred ninety nine billion nine hundred \
              ninety nine million nine hundred ninety nine thousand nine hundred ninety nine",
            ),
            ("1995", "nineteen ninety five"),
            ("1,995", "one thousand nine hundred ninety five"),
            ("1905", "nineteen oh five"),
            ("1900", "nineteen hundred"),
            ("2000", "two thousand"),
            ("2021", "twenty twenty one"),
            ("1960s", "nineteen sixties"),
            ("007", "zero zero seven"),
            (
                "1234567890123456",
                "one two three four five six seven eight nine zero one two three four five six",
            ),
            ("3.14", "three point one four"),
            ("1st", "first"),
            ("20th", "twentieth"),
            ("112th", "one hundred twelfth"),
            ("$1", "one dollar"),
            ("£2,500", "two thousand five hundred pounds"),
            ("$1995", "one thousand nine hundred ninety five dollars"),
            ("5%", "five percent"),
        ] {
            assert_eq!(number_words(text).unwrap().join(" "), said, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_read_as_one() {
        for text in
            ["", "$", "a", "1a", "1,00", "12,34,567", "1.", ".5", "1.2.3", "1,", "5.5th", "٣", "-5", "1 2"]
        {
            assert_eq!(number_words(text), None, "{text}");
        }
    }
}
