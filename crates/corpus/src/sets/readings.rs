//! Eight voices that read sentences in a quiet room, for text-to-speech: 22.05 kHz, with the times of the phones.

use std::collections::BTreeSet;

use super::{Line, Set, random, sentences::new_sentence};
use crate::{
    Part, Prosody,
    voice::{READERS, VOICES},
};

pub(super) const SET: Set = Set {
    name: "readings",
    summary: "eight voices reading, 22.05 kHz, clean, with phone times: for text-to-speech; sentences held out",
    rate_hz: 22_050,
    difficulty: None,
    has_trials: false,
    lines,
};

/// Sentences of each voice.
const SENTENCES: usize = 20;

fn lines() -> Vec<Line> {
    let mut said = BTreeSet::new();
    let mut lines = Vec::new();
    for voice in VOICES.iter().filter(|voice| READERS.contains(&voice.name)) {
        let random = &mut random(&format!("readings/{}", voice.name));
        for number in 0..SENTENCES {
            let text = written(&new_sentence(&mut said, random));
            let part = match number % 10 {
                4 => Part::Valid,
                9 => Part::Test,
                _ => Part::Train,
            };
            let line = Line::new("readings", number, part, *voice, &text).spoken(Prosody::PLAIN);
            lines.push(line.with("text", text));
        }
    }
    lines
}

/// With a capital and a full stop.
fn written(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
