//! More speech of the training voices, for pretraining alone: sentences, commands and words in many manners. It is not
//! kept with the corpus; whoever pretrains makes it.

use std::collections::BTreeSet;

use rand::RngExt as _;

use super::{Line, Set, commands, random, sentences::new_sentence, words};
use crate::{Part, Prosody, room::Difficulty, voice::voices};

/// The set, without its lines.
pub const EXTRA: Set = Set {
    name: "extra",
    summary: "more speech of the training voices, for pretraining alone",
    rate_hz: 16_000,
    difficulty: Some(Difficulty { snr_db: (10.0, 40.0), reverberant: 0.3, rt60_s: (0.1, 0.3) }),
    has_trials: false,
    lines: Vec::new,
};

/// `each` lines of every training voice.
pub fn extra_lines(each: usize) -> Vec<Line> {
    let (mut said, mut lines) = (BTreeSet::new(), Vec::new());
    for voice in voices(Part::Train) {
        let random = &mut random(&format!("extra/{}", voice.name));
        for number in 0..each {
            let text = match random.random_range(0..10) {
                0 | 1 => commands::wording(random).to_owned(),
                2 => [words::word(random), words::word(random), words::word(random)].join(", "),
                _ => new_sentence(&mut said, random),
            };
            let mut around = |middle: i32, width: i32| middle + random.random_range(-width..=width);
            let prosody = Prosody {
                pitch: around(52, 25),
                range: around(50, 35),
                rate: around(180, 50),
                volume: around(100, 25),
            };
            lines.push(Line::new("extra", number, Part::Train, voice, &text).spoken(prosody));
        }
    }
    lines
}
