//! Tasks for text encoders: which text stands in the place of a recording.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as it does")]

mod common;

use serde_json::{Value, json};
use sure_data::{Applies, LabelledSet, Labels, TaskCard, TaskInput, TaskKind};

fn card(kind: &str, label: &str, input: TaskInput) -> TaskCard {
    let text = format!(
        "name = \"task\"\ntitle = \"a task\"\nkind = \"{kind}\"\nlabel = \"{label}\"\nsplit = \"split\"\n\
         metric = \"m\"\nnormalizer = \"sure\"\ncut_seconds = 2.5\nmax_seconds = 20.0\n"
    );
    TaskCard::from_toml("task.toml", &text).unwrap().reading(input)
}

fn rows() -> Vec<Value> {
    let row = |split: &str, text: &str, heard: &str, slots: Value, emotion: &str| json!({"split": split, "text": text, "recognised": heard, "slots": slots, "emotion": emotion});
    vec![
        row("train", "Play JAZZ!", "played as", json!([["genre", 5, 9]]), "joy"),
        row("train", "Play it now.", "play it now", json!([["when", 8, 11]]), "anger"),
        row("valid", "Jazz, please.", "Jas, please", json!([["genre", 0, 4]]), "joy"),
        row("test", "Now jazz.", "", json!([["when", 0, 3], ["genre", 4, 8]]), "anger"),
    ]
}

fn texts(set: &LabelledSet) -> Vec<&str> {
    set.examples().map(|example| example.written.as_ref().unwrap().text.as_str()).collect()
}

#[test]
fn what_concerns_recordings_leaves_the_card() {
    let card = card("slots", "slots", TaskInput::Transcript);
    assert_eq!((card.kind, card.cut_seconds, card.max_seconds), (TaskKind::Tags, None, None));
    // A record tells the two apart.
    assert_eq!(serde_json::to_value(&card).unwrap()["input"], "transcript");
    let heard = TaskCard { input: TaskInput::Speech, ..card };
    assert!(serde_json::to_value(&heard).unwrap().get("input").is_none());
}

#[test]
fn slots_are_looked_for_in_the_words_that_the_speech_side_writes() {
    let manifest = common::manifest("set", &rows());
    let set = card("slots", "slots", TaskInput::Transcript).select(&manifest, None).unwrap();
    assert_eq!(set.labels, Labels::Slots(vec!["genre".to_owned(), "when".to_owned()]));
    assert_eq!(set.labels.outputs(), 5);
    assert_eq!(texts(&set), ["play jazz", "play it now", "jazz please", "now jazz"]);
    assert_eq!(set.labels.render(&set.test[0].target), "B-when now E-when B-genre jazz E-genre");
}

#[test]
fn what_was_recognised_is_read_where_nothing_is_learnt_and_what_is_right_stays() {
    let manifest = common::manifest("set", &rows());
    let card = card("slots", "slots", TaskInput::Recognised);
    let set = card.select(&manifest, None).unwrap();
    // A recogniser may write nothing.
    assert_eq!(texts(&set), ["play jazz", "play it now", "jas please", ""]);
    assert_eq!(set.labels.render(&set.valid[0].target), "B-genre jazz E-genre please");
    let (references, _) = card.references(&manifest, &set.labels).unwrap();
    assert_eq!(references[0].written.as_ref().unwrap().text, "");
}

#[test]
fn a_label_of_the_whole_is_read_in_the_text_as_it_stands() {
    let manifest = common::manifest("set", &rows());
    let set =
        card("sequence-classification", "emotion", TaskInput::Transcript).select(&manifest, None).unwrap();
    assert_eq!(texts(&set), ["Play JAZZ!", "Play it now.", "Jazz, please.", "Now jazz."]);
}

#[test]
fn a_set_without_the_text_is_refused_by_the_key_and_a_row_without_it_is_skipped() {
    let without = |key: &str, from: usize| {
        let mut rows = rows();
        for row in &mut rows[from..] {
            row.as_object_mut().unwrap().remove(key);
        }
        rows.push(
            json!({"split": "test", "text": "jazz", "recognised": "jazz", "slots": [], "emotion": "joy"}),
        );
        common::manifest("set", &rows)
    };
    let card = card("sequence-classification", "emotion", TaskInput::Recognised);
    let set = card.select(&without("recognised", 3), None).unwrap();
    assert_eq!((set.test.len(), set.skipped), (1, 1));
    let mut none = rows();
    for row in &mut none {
        row.as_object_mut().unwrap().remove("recognised");
    }
    let Applies::No(refusal) = card.applies(&common::manifest("set", &none)).unwrap() else {
        panic!("it applies")
    };
    assert!(refusal.to_string().contains("no row has the key `recognised`"), "{refusal}");
}
