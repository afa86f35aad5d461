//! Commands to a house: action, object and place, in the manner of Fluent Speech Commands (Lugosch et al. 2019) with
//! sentences of our own.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::{Line, Set, in_turn, manner, random};
use crate::{Part, room::Difficulty, voice::voices};

pub(super) const SET: Set = Set {
    name: "commands",
    summary: "intents of three parts (action, object, location) in four wordings each; voices held out",
    rate_hz: 16_000,
    difficulty: Some(Difficulty { snr_db: (12.0, 35.0), reverberant: 0.4, rt60_s: (0.1, 0.3) }),
    has_trials: false,
    lines,
};

/// Action, object, location, and the wordings.
const INTENTS: [([&str; 3], [&str; 4]); 20] = [
    (
        ["start", "lamp", "kitchen"],
        [
            "light up the kitchen",
            "kitchen lamp on please",
            "start the lamp in the kitchen",
            "i need light in the kitchen",
        ],
    ),
    (
        ["stop", "lamp", "kitchen"],
        [
            "make the kitchen dark",
            "kitchen lamp off please",
            "stop the lamp in the kitchen",
            "no more light in the kitchen",
        ],
    ),
    (
        ["start", "lamp", "bedroom"],
        [
            "light up the bedroom",
            "bedroom lamp on please",
            "start the lamp in the bedroom",
            "i need light in the bedroom",
        ],
    ),
    (
        ["stop", "lamp", "bedroom"],
        [
            "make the bedroom dark",
            "bedroom lamp off please",
            "stop the lamp in the bedroom",
            "no more light in the bedroom",
        ],
    ),
    (
        ["start", "radio", "none"],
        ["let me hear the radio", "radio on please", "start the radio", "put the radio on now"],
    ),
    (
        ["stop", "radio", "none"],
        ["silence the radio", "radio off please", "stop the radio", "that is enough radio"],
    ),
    (
        ["raise", "radio", "none"],
        [
            "the radio is too quiet",
            "louder radio please",
            "raise the sound of the radio",
            "i can hardly hear the radio",
        ],
    ),
    (
        ["lower", "radio", "none"],
        [
            "the radio is too loud",
            "softer radio please",
            "lower the sound of the radio",
            "i cannot think with that radio",
        ],
    ),
    (
        ["raise", "heating", "kitchen"],
        [
            "it is cold in the kitchen",
            "more heating in the kitchen",
            "warm up the kitchen",
            "raise the heating in the kitchen",
        ],
    ),
    (
        ["lower", "heating", "kitchen"],
        [
            "it is hot in the kitchen",
            "less heating in the kitchen",
            "cool down the kitchen",
            "lower the heating in the kitchen",
        ],
    ),
    (
        ["raise", "heating", "bedroom"],
        [
            "it is cold in the bedroom",
            "more heating in the bedroom",
            "warm up the bedroom",
            "raise the heating in the bedroom",
        ],
    ),
    (
        ["lower", "heating", "bedroom"],
        [
            "it is hot in the bedroom",
            "less heating in the bedroom",
            "cool down the bedroom",
            "lower the heating in the bedroom",
        ],
    ),
    (
        ["open", "curtains", "none"],
        ["let the sun in", "open the curtains", "draw back the curtains", "curtains open please"],
    ),
    (
        ["close", "curtains", "none"],
        ["keep the sun out", "close the curtains", "pull the curtains together", "curtains closed please"],
    ),
    (
        ["open", "door", "garage"],
        ["let the car out", "open the garage door", "garage open please", "raise the door of the garage"],
    ),
    (
        ["close", "door", "garage"],
        [
            "the car is inside now",
            "close the garage door",
            "garage closed please",
            "shut the door of the garage",
        ],
    ),
    (
        ["bring", "paper", "none"],
        ["where is my paper", "bring me the paper", "fetch the paper please", "i want to read the paper"],
    ),
    (
        ["bring", "slippers", "none"],
        ["where are my slippers", "bring me the slippers", "fetch the slippers please", "my feet are cold"],
    ),
    (
        ["bring", "coffee", "none"],
        ["i could use a coffee", "bring me a coffee", "a cup of coffee please", "coffee for me"],
    ),
    (
        ["stop", "alarm", "none"],
        ["i am awake already", "alarm off please", "stop the alarm", "that is enough alarm"],
    ),
];

/// Clips of each intent.
const fn clips(part: Part) -> usize {
    match part {
        Part::Train => 12,
        Part::Valid => 3,
        Part::Test => 6,
    }
}

fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for part in Part::ALL {
        let mut number = 0;
        for ([action, object, location], wordings) in INTENTS {
            let random = &mut random(&format!("commands/{part}/{action} {object} {location}"));
            for (turn, voice) in in_turn(&voices(part), clips(part), random).into_iter().enumerate() {
                let text = wordings[turn % wordings.len()];
                let line = Line::new("commands", number, part, voice, text).spoken(manner(random));
                let intent = json!({"action": action, "object": object, "location": location});
                lines.push(line.with("intent", intent).with("words", text));
                number += 1;
            }
        }
    }
    lines
}

/// One of the wordings.
pub(super) fn wording(random: &mut ChaCha8Rng) -> &'static str {
    INTENTS[random.random_range(0..INTENTS.len())].1[random.random_range(0..4)]
}
