//! Requests to an assistant with their slots: sentences of the SNIPS voice platform's data (Coucke et al. 2018, arXiv
//! 1805.10190; CC0-1.0, github.com/sonos/nlu-benchmark at b86ac7f, 2017-06), three to seven words, with slots of 17 kinds.

use serde::Deserialize;
use serde_json::Value;

use super::{Line, Set, in_turn, manner, random};
use crate::{Part, room::Difficulty, voice::voices};

pub(super) const SET: Set = Set {
    name: "requests",
    summary: "sentences of SNIPS with their slots; voices held out",
    rate_hz: 16_000,
    difficulty: Some(Difficulty { snr_db: (15.0, 35.0), reverberant: 0.3, rt60_s: (0.1, 0.3) }),
    has_trials: false,
    lines,
};

const SENTENCES: &str = include_str!("../../data/requests.jsonl");

#[derive(Deserialize)]
struct Request {
    text: String,
    /// Kind, first byte, byte behind the last.
    slots: Vec<(String, usize, usize)>,
}

/// Clips of a split; what is left over of the list is for training.
const fn clips(part: Part) -> usize {
    match part {
        Part::Train => usize::MAX,
        Part::Valid => 48,
        Part::Test => 120,
    }
}

fn lines() -> Vec<Line> {
    // A line that is none would be missed by the test below.
    let mut requests = SENTENCES.lines().filter_map(|line| serde_json::from_str::<Request>(line).ok());
    let mut lines = Vec::new();
    for part in [Part::Valid, Part::Test, Part::Train] {
        let taken: Vec<Request> = requests.by_ref().take(clips(part)).collect();
        let random = &mut random(&format!("requests/{part}"));
        let turn = in_turn(&voices(part), taken.len(), random);
        for (number, (request, voice)) in taken.into_iter().zip(turn).enumerate() {
            let line = Line::new("requests", number, part, voice, &request.text).spoken(manner(random));
            let slots = request.slots.into_iter().map(|(kind, start, end)| {
                Value::from(vec![Value::from(kind), Value::from(start), Value::from(end)])
            });
            lines.push(line.with("text", request.text).with("slots", slots.collect::<Vec<_>>()));
        }
    }
    lines.sort_by_key(|line| line.part);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_of_the_list_is_used_and_its_slots_are_whole_words() {
        let lines = lines();
        assert_eq!(lines.len(), SENTENCES.lines().count());
        for line in lines {
            for slot in line.labels["slots"].as_array().unwrap() {
                let (start, end) = (slot[1].as_u64().unwrap() as usize, slot[2].as_u64().unwrap() as usize);
                let value = &line.text[start..end];
                assert_eq!(value.trim(), value);
                assert!(line.text[..start].ends_with(' ') || start == 0, "{}", line.text);
            }
        }
    }
}
