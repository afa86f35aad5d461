//! What the kinds of tasks make of a manifest: joint labels, transcripts, phones, slots.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as it does")]

mod common;

use serde_json::{Value, json};
use sure_data::{
    Applies, DataError, HeadLabels, LabelledSet, Labels, Manifest, SlotTags, Split, Target, TaskCard,
    Vocabulary,
};
use sure_text::Normalizer;

fn card(kind: &str, label: &str) -> TaskCard {
    let text = format!(
        "name = \"task\"\ntitle = \"a task\"\nkind = \"{kind}\"\nlabel = \"{label}\"\nsplit = \"split\"\nmetric = \"m\""
    );
    TaskCard::from_toml("task.toml", &text).unwrap()
}

fn manifest(rows: &[Value]) -> Manifest {
    common::manifest("set", rows)
}

/// One row a split with these values of a key.
fn three(key: &str, [train, valid, test]: [Value; 3]) -> Vec<Value> {
    vec![
        json!({"split": "train", key: train}),
        json!({"split": "valid", key: valid}),
        json!({"split": "test", key: test}),
    ]
}

fn rendered(set: &LabelledSet) -> Vec<String> {
    set.examples().map(|example| set.labels.render(&example.target)).collect()
}

fn head(name: &str, labels: &[&str]) -> HeadLabels {
    HeadLabels { name: name.into(), labels: labels.iter().map(|label| (*label).to_owned()).collect() }
}

#[test]
fn an_intent_of_several_names_has_a_head_for_each() {
    let intent = |action: &str, object: &str| json!({"action": action, "object": object});
    let mut rows = three("intent", [intent("on", "lamp"), intent("off", "lamp"), intent("on", "heat")]);
    rows.push(json!({"split": "train", "intent": {"action": "off", "object": "heat"}}));
    rows.push(json!({"split": "train"}));
    let set = card("joint-classification", "intent").select(&manifest(&rows), None).unwrap();
    assert_eq!(
        set.labels,
        Labels::Heads(vec![head("action", &["off", "on"]), head("object", &["heat", "lamp"])])
    );
    assert_eq!(set.train[0].target, Target::Classes(vec![1, 1]));
    assert_eq!(rendered(&set)[0], "action=on; object=lamp");
    assert_eq!(set.skipped, 1);
    // A cell of a CSV file holds the object as text.
    for row in &mut rows {
        if row["intent"].is_object() {
            row["intent"] = json!(row["intent"].to_string());
        }
    }
    let again = card("joint-classification", "intent").select(&manifest(&rows), None).unwrap();
    assert_eq!(again.labels, set.labels);
}

#[test]
fn the_slots_of_an_order_are_heads_and_what_is_not_said_is_none() {
    let row = |split: &str, slots: Value| json!({"split": split, "intent": "order", "slots": slots});
    let rows = [
        row("train", json!({"drink": "tea", "size": "large"})),
        row("train", json!({"drink": "latte"})),
        row("valid", json!({"drink": "tea"})),
        row("test", json!({"size": "large", "drink": "latte", "milk": 3})),
    ];
    let mut card = card("joint-classification", "intent");
    // Milk is said in no training row, and the intent is always the same: nothing to learn.
    let error = card.select(&manifest(&rows), None).unwrap_err().to_string();
    assert_eq!(error, "set `set`, task `task`: 1 test rows have labels that no training row has: u3 (3)");
    card.heads = vec!["drink".into(), "size".into()];
    let set = card.select(&manifest(&rows), None).unwrap();
    assert_eq!(
        rendered(&set),
        [
            "drink=tea; size=large",
            "drink=latte; size=none",
            "drink=tea; size=none",
            "drink=latte; size=large"
        ]
    );
    let manifest_of_rows = manifest(&rows);
    let (references, notes) = card.references(&manifest_of_rows, &set.labels).unwrap();
    assert!(notes.is_empty());
    let other = manifest(&[row("test", json!({"drink": "cocoa"}))]);
    let (_, notes) = card.references(&other, &set.labels).unwrap();
    assert_eq!(notes, ["1 of 1 right answers hold what the run cannot say, as u0 (drink=cocoa; size=none)"]);
    assert_eq!(references.len(), 1);
    assert_eq!(references[0].reference, "drink=latte; size=large");
    card.heads = vec!["roast".into()];
    let error = card.select(&manifest(&rows), None).unwrap_err().to_string();
    assert_eq!(
        error,
        "set `set` has nothing called `roast` for the task `task`; there are: drink, intent, milk, size"
    );
}

#[test]
fn an_alphabet_is_that_of_the_training_texts_alone_and_the_rest_is_counted() {
    let mut card = card("characters", "text");
    card.normalizer = Normalizer::Sure;
    let said = "The quick brown fox jumps over the lazy dog!";
    let long = said.repeat(6);
    let rows = three("text", [json!(said), json!(long), json!(long)]);
    let set = card.select(&manifest(&rows), None).unwrap();
    assert_eq!(rendered(&set)[0], "the quick brown fox jumps over the lazy dog");
    let Labels::Tokens(alphabet) = &set.labels else { panic!("no tokens") };
    assert_eq!(alphabet.len(), 26 + 3);
    assert!(set.notes.is_empty(), "{:?}", set.notes);

    let rare = three("text", [json!(said), json!(long), json!(format!("{long} ö"))]);
    let set = card.select(&manifest(&rare), None).unwrap();
    assert!(
        set.notes[0].starts_with("1 of 260 test tokens occur in no training text, as in u2 (the quick"),
        "{:?}",
        set.notes
    );
    card.vocabulary = Vocabulary::Reference;
    let set = card.select(&manifest(&rare), None).unwrap();
    assert_eq!((set.notes.len(), set.labels.outputs()), (0, 26 + 4));

    card.vocabulary = Vocabulary::Training;
    let foreign = three("text", [json!("abc"), json!("abc"), json!("xyz a")]);
    let error = card.select(&manifest(&foreign), None).unwrap_err();
    assert!(matches!(error, DataError::UnknownTokens { unknown: 3, total: 5, split: Split::Test, .. }));
    assert!(
        error.to_string().ends_with("as in u2 (xyz a); more than one in a hundred cannot be scored honestly")
    );
}

#[test]
fn a_text_without_words_is_left_out_and_counted() {
    let mut rows = three("text", [json!("ab"), json!("a"), json!("b")]);
    rows.push(json!({"split": "train", "text": "?!"}));
    rows.push(json!({"split": "train", "text": ""}));
    let mut card = card("characters", "text");
    card.normalizer = Normalizer::Sure;
    let set = card.select(&manifest(&rows), None).unwrap();
    assert_eq!((set.train.len(), set.skipped), (1, 2));
    assert_eq!(set.notes, ["2 rows have an empty transcript and are left out"]);
}

#[test]
fn phones_stand_in_the_manifest_or_are_looked_up_and_a_guess_is_said_to_be_one() {
    let mut card = card("phones", "phones");
    let rows = three("text", [json!("zero one"), json!("one"), json!("zero brillig")]);
    assert!(matches!(card.applies(&manifest(&rows)).unwrap(), Applies::No(_)), "nothing to fall back on");
    card.fallback = Some("text".into());
    let set = card.select(&manifest(&rows), None).unwrap();
    assert_eq!(rendered(&set)[..2], ["Z IH1 R OW0 W AH1 N", "W AH1 N"]);
    assert_eq!(set.labels.outputs(), 73, "ARPAbet with stress, [UNK], [PAD]");
    assert_eq!(
        set.notes,
        ["1 words are not in the pronouncing dictionary, and their phones were guessed: brillig"]
    );
    let mut rows = rows;
    rows[0]["phones"] = json!("Z  IY1 R OW0");
    assert_eq!(rendered(&card.select(&manifest(&rows), None).unwrap())[0], "Z IY1 R OW0");
    card.vocabulary = Vocabulary::Reference;
    assert_eq!(card.select(&manifest(&rows), None).unwrap().labels.outputs(), 74);
}

#[test]
fn slots_are_tags_around_their_spans() {
    let mut card = card("slots", "slots");
    card.normalizer = Normalizer::Sure;
    let row = |split: &str, text: &str, slots: Value| json!({"split": split, "text": text, "slots": slots});
    let mut rows = vec![
        row("train", "Play Jazz, please", json!([["genre", 5, 10]])),
        row("valid", "Play jazz", json!([["genre", 5, 9]])),
        row("test", "please", json!([])),
    ];
    let set = card.select(&manifest(&rows), None).unwrap();
    assert_eq!(rendered(&set), ["play B-genre jazz E-genre please", "play B-genre jazz E-genre", "please"]);

    // The tag that stands on punctuation is lost in the reference's way.
    card.tags = SlotTags::Words;
    card.normalizer = Normalizer::None;
    rows[0] = row("train", "PLAY JAZZ ;", json!([["genre", 5, 11]]));
    let set = card.select(&manifest(&rows), None);
    assert!(matches!(set, Err(DataError::UnknownTokens { .. })), "no training row has E-genre: {set:?}");

    rows[0] = row("train", "Play Jazz", json!([["genre", 5, 40]]));
    let error = card.select(&manifest(&rows), None).unwrap_err().to_string();
    assert!(error.contains("manifest.jsonl, line 1:") && error.contains("genre"), "{error}");
    rows[0] = row("train", "Play Jazz", json!([["genre", 5]]));
    let error = card.select(&manifest(&rows), None).unwrap_err().to_string();
    assert!(error.contains("`slots` must be a list of [kind, start byte, end byte]"), "{error}");
    for row in &mut rows {
        row["slots"] = json!({"genre": "jazz"});
    }
    let Applies::No(refusal) = card.applies(&manifest(&rows)).unwrap() else { panic!("it applies") };
    assert_eq!(
        refusal.to_string(),
        "set `set` has no task `task`: no row's `slots` is a list of [kind, start byte, end byte] beside the `text` that they are in"
    );
}

#[test]
fn a_limit_takes_some_of_the_texts() {
    let mut rows = Vec::new();
    for split in ["train", "valid", "test"] {
        rows.extend((0..20).map(|_| json!({"split": split, "text": "ab"})));
    }
    let set = card("characters", "text").select(&manifest(&rows), Some(5)).unwrap();
    assert_eq!((set.train.len(), set.valid.len(), set.test.len()), (5, 5, 5));
}
