//! Inventories of phones: `ARPAbet` as the CMU dictionary and LibriSpeech's lexicons write it.
//!
//! The order is that of s3prl's `phoneme.txt` (S3PRL toolkit, Yang et al. 2021, arXiv 2105.01051): `SIL` and `SPN`, then
//! all phones sorted by name.

/// Silence, and spoken noise.
const NOISES: [&str; 2] = ["SIL", "SPN"];

/// The 39 phones, sorted, and whether each is a vowel.
const PHONES: [(&str, bool); 39] = [
    ("AA", true),
    ("AE", true),
    ("AH", true),
    ("AO", true),
    ("AW", true),
    ("AY", true),
    ("B", false),
    ("CH", false),
    ("D", false),
    ("DH", false),
    ("EH", true),
    ("ER", true),
    ("EY", true),
    ("F", false),
    ("G", false),
    ("HH", false),
    ("IH", true),
    ("IY", true),
    ("JH", false),
    ("K", false),
    ("L", false),
    ("M", false),
    ("N", false),
    ("NG", false),
    ("OW", true),
    ("OY", true),
    ("P", false),
    ("R", false),
    ("S", false),
    ("SH", false),
    ("T", false),
    ("TH", false),
    ("UH", true),
    ("UW", true),
    ("V", false),
    ("W", false),
    ("Y", false),
    ("Z", false),
    ("ZH", false),
];

/// The 71 symbols of `ARPAbet` with stress: `SIL`, `SPN`, 15 vowels with stress 0, 1 and 2, and 24 consonants.
pub fn arpabet() -> Vec<String> {
    let phones = PHONES.iter().flat_map(|&(phone, vowel)| {
        let stresses: &[&str] = if vowel { &["0", "1", "2"] } else { &[""] };
        stresses.iter().map(move |stress| format!("{phone}{stress}"))
    });
    NOISES.iter().map(|&noise| noise.to_owned()).chain(phones).collect()
}

/// The 41 symbols of `ARPAbet` without stress: `SIL`, `SPN` and 39 phones.
pub fn arpabet_without_stress() -> Vec<String> {
    NOISES.iter().copied().chain(PHONES.iter().map(|&(phone, _)| phone)).map(str::to_owned).collect()
}

/// A phone without the digit of its stress: `AH0` is `AH`.
pub fn without_stress(phone: &str) -> &str {
    phone.trim_end_matches(|last: char| last.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inventories_have_the_published_sizes_and_order() {
        let stressed = arpabet();
        assert_eq!(stressed.len(), 71);
        assert_eq!(stressed[..6], ["SIL", "SPN", "AA0", "AA1", "AA2", "AE0"]);
        assert_eq!(stressed[20..26], ["B", "CH", "D", "DH", "EH0", "EH1"]);
        assert_eq!(stressed[70], "ZH");
        assert!(stressed[2..].is_sorted());
        assert_eq!(arpabet_without_stress().len(), 41);
    }

    #[test]
    fn stress_is_cut_off_vowels_and_nothing_off_consonants() {
        assert_eq!(without_stress("AH0"), "AH");
        assert_eq!(without_stress("ZH"), "ZH");
        let mut bare: Vec<String> = arpabet().iter().map(|phone| without_stress(phone).to_owned()).collect();
        bare.dedup();
        assert_eq!(bare, arpabet_without_stress());
    }
}
