//! Keywords: ten words, other words, and silence, after Speech Commands (Warden 2018, arXiv 1804.03209).

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::{Line, Set, in_turn, manner, random};
use crate::{Part, room::Difficulty, voice::voices};

pub(super) const SET: Set = Set {
    name: "words",
    summary: "keyword spotting: ten words, other words (`unknown`) and `silence`; voices held out",
    rate_hz: 16_000,
    difficulty: Some(Difficulty { snr_db: (8.0, 30.0), reverberant: 0.4, rt60_s: (0.1, 0.35) }),
    has_trials: false,
    lines,
};

const KEYWORDS: [&str; 10] = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"];
/// Other words; the last four are heard in test alone.
const OTHERS: [&str; 20] = [
    "bed", "bird", "cat", "dog", "happy", "house", "tree", "seven", "nine", "visual", "learn", "forward",
    "follow", "backward", "six", "sheila", "zero", "three", "eight", "five",
];
const SILENCE: &str = "silence";

/// Clips of each class.
const fn clips(part: Part) -> usize {
    match part {
        Part::Train => 30,
        Part::Valid => 8,
        Part::Test => 20,
    }
}

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for part in Part::ALL {
        let voices = voices(part);
        let mut number = 0;
        for class in KEYWORDS.into_iter().chain(["unknown"]) {
            let random = &mut random(&format!("words/{part}/{class}"));
            let others = if part == Part::Test { &OTHERS[..] } else { &OTHERS[..16] };
            for (turn, voice) in in_turn(&voices, clips(part), random).into_iter().enumerate() {
                let word = if class == "unknown" { others[turn % others.len()] } else { class };
                let line = Line::new("words", number, part, voice, word).spoken(manner(random));
                lines.push(line.with("keyword", class));
                number += 1;
            }
        }
        lines.extend((0..clips(part)).map(|turn| silence(part, turn)));
    }
    lines
}

/// A word that is heard in training.
pub(super) fn word(random: &mut ChaCha8Rng) -> &'static str {
    let heard = KEYWORDS.len() + 16;
    KEYWORDS.iter().chain(&OTHERS).nth(random.random_range(0..heard)).copied().unwrap_or(KEYWORDS[0])
}

fn silence(part: Part, number: usize) -> Line {
    let line = Line {
        id: format!("words-{SILENCE}-{part}-{number:04}"),
        voice: None,
        text: String::new(),
        prosody: crate::Prosody::PLAIN,
        gain_db: 0.0,
        part,
        labels: serde_json::Map::new(),
    };
    line.with("keyword", SILENCE)
}
