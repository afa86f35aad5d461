//! Speaking styles: the same sentences in six manners made of pitch, range, rate and energy. They are not emotions; the
//! label has the key `emotion` as that is where the task looks.

use rand::RngExt as _;

use super::{Line, Set, in_turn, random};
use crate::{Part, Prosody, room::Difficulty, voice::voices};

pub(super) const SET: Set = Set {
    name: "styles",
    summary: "six speaking styles in the place of emotions; voices held out",
    rate_hz: 16_000,
    difficulty: Some(Difficulty { snr_db: (12.0, 35.0), reverberant: 0.4, rt60_s: (0.1, 0.3) }),
    has_trials: false,
    lines,
};

/// A style: its name, and pitch, range, rate and volume of its middle, and decibels.
const STYLES: [(&str, [i32; 4], f64); 6] = [
    ("neutral", [50, 50, 165, 100], 0.0),
    ("lively", [72, 95, 200, 110], 2.0),
    ("weary", [28, 20, 115, 85], -4.0),
    ("forceful", [60, 75, 140, 150], 6.0),
    ("hurried", [56, 40, 290, 100], 0.0),
    ("timid", [86, 10, 170, 75], -6.0),
];

const SENTENCES: [&str; 14] = [
    "the letter is on the table",
    "she will come back on friday",
    "they have moved the old piano",
    "we are going to the station",
    "he left the keys in the car",
    "it will be ready in an hour",
    "the children are in the garden",
    "i have seen that film before",
    "you can put the boxes there",
    "the meeting begins at seven",
    "my brother called last night",
    "the shop closes in a minute",
    "there is a light in the window",
    "we need two more chairs",
];

/// Clips of each style.
const fn clips(part: Part) -> usize {
    match part {
        Part::Train => 34,
        Part::Valid => 8,
        Part::Test => 20,
    }
}

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for part in Part::ALL {
        // The second engine has no knob for range.
        let voices: Vec<_> =
            voices(part).into_iter().filter(|voice| voice.engine == crate::Engine::Espeak).collect();
        let mut number = 0;
        for (style, [pitch, range, rate, volume], gain_db) in STYLES {
            let random = &mut random(&format!("styles/{part}/{style}"));
            for (turn, voice) in in_turn(&voices, clips(part), random).into_iter().enumerate() {
                let mut around = |middle: i32, width: i32| middle + random.random_range(-width..=width);
                let prosody = Prosody {
                    pitch: around(pitch, 7),
                    range: around(range, 12),
                    rate: around(rate, 18),
                    volume: around(volume, 8),
                };
                let text = SENTENCES[(turn * 5 + random.random_range(0..SENTENCES.len())) % SENTENCES.len()];
                let mut line = Line::new("styles", number, part, voice, text).spoken(prosody);
                line.gain_db = gain_db + random.random_range(-2.0..=2.0);
                lines.push(line.with("emotion", style));
                number += 1;
            }
        }
    }
    lines
}
