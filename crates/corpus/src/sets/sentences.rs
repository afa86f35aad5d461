//! Plain sentences of a small grammar, for speech and phone recognition with voices held out, and by the key `sid_split`
//! for telling speakers apart with sentences held out: no sentence is said twice.

use std::collections::BTreeSet;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::{Line, Set, manner, random};
use crate::{Engine, Part, room::Difficulty, voice::voices};

pub(super) const SET: Set = Set {
    name: "sentences",
    summary: "sentences of a small grammar for asr and pr (voices held out) and sr (sentences held out, `sid_split`)",
    rate_hz: 16_000,
    difficulty: Some(Difficulty { snr_db: (12.0, 35.0), reverberant: 0.4, rt60_s: (0.1, 0.3) }),
    has_trials: true,
    lines,
};

const WHO: [&str; 18] = [
    "the old man",
    "a young woman",
    "my sister",
    "his uncle",
    "the doctor",
    "a farmer",
    "the teacher",
    "her neighbour",
    "the captain",
    "a small child",
    "our cook",
    "the painter",
    "their cousin",
    "the driver",
    "a stranger",
    "the king",
    "the baker",
    "my friend",
];
const DID: [&str; 18] = [
    "found", "carried", "sold", "painted", "washed", "dropped", "kept", "bought", "lost", "opened", "hid",
    "broke", "wanted", "moved", "cleaned", "took", "saw", "pushed",
];
const WHAT: [&str; 24] = [
    "a green basket",
    "the heavy box",
    "an old clock",
    "two silver spoons",
    "the blue boat",
    "a loaf of bread",
    "the broken chair",
    "a pair of shoes",
    "three apples",
    "the yellow book",
    "a wooden horse",
    "the little key",
    "some fresh fish",
    "a glass of milk",
    "the long ladder",
    "six red roses",
    "a paper hat",
    "the black umbrella",
    "a bag of sugar",
    "the garden gate",
    "a bright lantern",
    "four eggs",
    "the winter coat",
    "a map",
];
const WHERE: [&str; 20] = [
    "by the river",
    "in the morning",
    "before dinner",
    "near the church",
    "behind the house",
    "for his mother",
    "with great care",
    "on the bridge",
    "last summer",
    "at the market",
    "without a word",
    "after the storm",
    "in the kitchen",
    "under the table",
    "for nothing",
    "near the school",
    "this evening",
    "on monday",
    "in the dark",
    "at the harbour",
];

/// The sentences of each voice.
const fn clips(part: Part, engine: Engine) -> usize {
    match (part, engine) {
        (Part::Train, _) => 14,
        (Part::Test, Engine::Espeak) => 9,
        (Part::Valid, _) | (Part::Test, Engine::Flite) => 8,
    }
}

/// The split for telling speakers apart: of ten sentences of a speaker six, one and three.
const SPEAKER_PARTS: [Part; 10] = [
    Part::Train,
    Part::Train,
    Part::Test,
    Part::Train,
    Part::Valid,
    Part::Train,
    Part::Test,
    Part::Train,
    Part::Train,
    Part::Test,
];

fn lines() -> Vec<Line> {
    let mut said = BTreeSet::new();
    let mut lines = Vec::new();
    for part in Part::ALL {
        for voice in voices(part) {
            let random = &mut random(&format!("sentences/{}", voice.name));
            for number in 0..clips(part, voice.engine) {
                let text = new_sentence(&mut said, random);
                let line = Line::new("sentences", number, part, voice, &text).spoken(manner(random));
                let speaker_part = SPEAKER_PARTS[number % SPEAKER_PARTS.len()];
                lines.push(line.with("sid_split", speaker_part.name()).with("text", text));
            }
        }
    }
    lines
}

/// A sentence that nobody has said.
pub(super) fn new_sentence(said: &mut BTreeSet<String>, random: &mut ChaCha8Rng) -> String {
    loop {
        let text = sentence(random);
        if said.insert(text.clone()) {
            return text;
        }
    }
}

fn sentence(random: &mut ChaCha8Rng) -> String {
    let mut one_of = |words: &[&'static str]| words[random.random_range(0..words.len())];
    let (who, did, what, place) = (one_of(&WHO), one_of(&DID), one_of(&WHAT), one_of(&WHERE));
    match random.random_range(0..4) {
        0 => format!("{who} {did} {what}"),
        1 => format!("{place} {who} {did} {what}"),
        _ => format!("{who} {did} {what} {place}"),
    }
}

#[cfg(test)]
mod tests {
    use sure_text::Pronouncer;

    use super::*;

    #[test]
    fn every_word_is_in_the_dictionary() {
        let pronouncer = Pronouncer::cmudict();
        for line in lines() {
            assert!(pronouncer.pronounce(&line.text).guessed.is_empty(), "{}", line.text);
        }
    }

    #[test]
    fn no_sentence_is_said_twice() {
        let lines = lines();
        let texts: BTreeSet<_> = lines.iter().map(|line| &line.text).collect();
        assert_eq!(texts.len(), lines.len());
    }
}
