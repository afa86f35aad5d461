//! Transcripts with the errors of a recogniser, as many and as long as wanted; the same for the same seed.

use sure_metrics::SplitMix64;

/// Different words of the language.
const WORDS: usize = 20_000;
/// The mean length of an utterance: that of LibriSpeech's `test-clean`.
const MEAN_WORDS: usize = 20;

/// References and hypotheses, of which about 7 % of the words are wrong: five substituted, one lost and one put in, of
/// a hundred.
pub(crate) fn pairs(count: usize, seed: u64) -> (Vec<String>, Vec<String>) {
    let mut random = SplitMix64::new(seed);
    let language: Vec<String> = (0..WORDS).map(|rank| word(&mut random, rank)).collect();
    let mut pairs = (Vec::with_capacity(count), Vec::with_capacity(count));
    for _ in 0..count {
        // The sum of two even draws: from 1 to nearly twice the mean, most in the middle.
        let length = 1 + random.below(MEAN_WORDS) + random.below(MEAN_WORDS);
        let reference: Vec<&str> = (0..length).map(|_| drawn(&mut random, &language)).collect();
        let mut hypothesis = Vec::with_capacity(length + 2);
        for &word in &reference {
            match random.below(100) {
                0..5 => hypothesis.push(drawn(&mut random, &language)),
                5 => {}
                6 => hypothesis.extend([word, drawn(&mut random, &language)]),
                _ => hypothesis.push(word),
            }
        }
        pairs.0.push(reference.join(" "));
        pairs.1.push(hypothesis.join(" "));
    }
    pairs
}

/// Frequent words are short, rare ones have up to eleven letters.
fn word(random: &mut SplitMix64, rank: usize) -> String {
    let longest = 2 + (rank + 1).ilog2() as usize * 2 / 3;
    (0..=random.below(longest)).map(|_| char::from(b'A' + random.below(26) as u8)).collect()
}

/// A word by Zipf's law: every doubling of the rank is as likely as the one before.
fn drawn<'a>(random: &mut SplitMix64, language: &'a [String]) -> &'a str {
    let highest = 1_usize << (1 + random.below(language.len().ilog2() as usize));
    &language[(highest / 2 + random.below(highest / 2) - 1).min(language.len() - 1)]
}
