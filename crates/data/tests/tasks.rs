//! Task cards on manifests: who has which task, and what the selected sets hold.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as it does")]

mod common;

use serde_json::{Value, json};
use sure_data::{Applies, DataError, Example, LabelledSet, Manifest, Reason, Split, Target, TaskCard};

fn card() -> TaskCard {
    let text = r#"
        name = "ks"
        title = "keyword spotting"
        kind = "sequence-classification"
        label = "keyword"
        split = "split"
        metric = "accuracy"
    "#;
    TaskCard::from_toml("ks.toml", text).unwrap()
}

fn manifest(rows: &[Value]) -> Manifest {
    common::manifest("digits", rows)
}

fn row(split: &str, keyword: &str) -> Value {
    json!({"split": split, "keyword": keyword})
}

fn good() -> Vec<Value> {
    vec![
        row("train", "two"),
        row("training", "one"),
        row("dev", "one"),
        row("validation", "two"),
        row("evaluation", "two"),
        row("test", "one"),
    ]
}

fn select(rows: &[Value]) -> Result<LabelledSet, DataError> {
    card().select(&manifest(rows), None)
}

#[test]
fn a_set_is_selected_with_sorted_labels_and_known_spellings_of_splits() {
    let mut rows = good();
    rows.push(json!({"split": "train"}));
    rows.push(json!({"split": null, "keyword": "three"}));
    rows[0]["speaker"] = json!("ann");
    let set = select(&rows).unwrap();
    assert_eq!(set.name(), "ks/digits");
    assert_eq!(set.labels.classes().unwrap(), ["one", "two"]);
    let of = |split| {
        set.split(split)
            .iter()
            .map(|example| (example.id.as_str(), example.target.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(Split::Train), [("u0", Target::Class(1)), ("u1", Target::Class(0))]);
    assert_eq!(of(Split::Valid), [("u2", Target::Class(0)), ("u3", Target::Class(1))]);
    assert_eq!(of(Split::Test), [("u4", Target::Class(1)), ("u5", Target::Class(0))]);
    assert_eq!(set.train[0].speaker.as_deref(), Some("ann"));
    assert_eq!((set.len(), set.skipped), (6, 2));
    assert_eq!(set.examples().count(), 6);
    assert_eq!(card().applies(&manifest(&rows)).unwrap(), Applies::Yes);
}

#[test]
fn labels_may_be_numbers() {
    let mut rows = good();
    for row in &mut rows {
        row["keyword"] = if row["keyword"] == "one" { json!(1) } else { json!(2) };
    }
    assert_eq!(select(&rows).unwrap().labels.classes().unwrap(), ["1", "2"]);
}

#[test]
fn the_order_of_the_manifest_does_not_move_an_example() {
    let mut rows = good();
    for (index, row) in rows.iter_mut().enumerate() {
        row["id"] = json!(format!("id{index}"));
    }
    let ids = |rows: &[Value]| {
        select(rows).unwrap().examples().map(|example| example.id.clone()).collect::<Vec<_>>()
    };
    let forward = ids(&rows);
    rows.reverse();
    assert_eq!(ids(&rows), forward);
}

/// The refusal of a set that does not have the task: only listed where it was not asked for, an error where it was.
fn refusal(rows: &[Value]) -> (Reason, String) {
    let Applies::No(refusal) = card().applies(&manifest(rows)).unwrap() else { panic!("it applies") };
    let message = select(rows).unwrap_err().to_string();
    assert_eq!(message, refusal.to_string());
    (refusal.reason, message)
}

#[test]
fn a_set_without_the_task_is_refused_by_name() {
    let without = |key: &str| {
        let mut rows = good();
        for row in &mut rows {
            row.as_object_mut().unwrap().shift_remove(key);
        }
        rows
    };
    let (reason, message) = refusal(&without("keyword"));
    assert_eq!(reason, Reason::NoSuchKey { key: "keyword".into() });
    assert_eq!(message, "set `digits` has no task `ks`: no row has the key `keyword`");
    let (reason, _) = refusal(&without("split"));
    assert_eq!(reason, Reason::NoSuchKey { key: "split".into() });

    let one_class: Vec<Value> = ["train", "valid", "test"].map(|split| row(split, "yes")).into();
    let (reason, message) = refusal(&one_class);
    assert_eq!(reason, Reason::OneClass { label: "yes".into() });
    assert_eq!(
        message,
        "set `digits` has no task `ks`: all training rows are of one class, `yes`, and two are needed"
    );

    for (kept, split) in [(2..6, Split::Train), (0..2, Split::Valid), (0..4, Split::Test)] {
        let (reason, message) = refusal(&good()[kept]);
        assert_eq!(reason, Reason::MissingSplit { split, key: "split".into() });
        let expected = format!(
            "set `digits` has no task `ks`: no row with a label is in the split `{split}` (key `split`)"
        );
        assert_eq!(message, expected);
    }
}

#[test]
fn a_set_that_has_the_task_but_is_broken_is_an_error_either_way() {
    let broken = |rows: Vec<Value>| {
        let (asked, listed) = (select(&rows).unwrap_err(), card().applies(&manifest(&rows)).unwrap_err());
        let message = |error: &DataError| error.to_string().rsplit("digits/").next().unwrap().to_owned();
        assert_eq!(message(&asked), message(&listed));
        message(&asked)
    };
    let with = |index: usize, key: &str, value: Value| {
        let mut rows = good();
        rows[index][key] = value;
        rows
    };
    assert_eq!(
        broken(with(2, "split", json!("held-out"))),
        "manifest.jsonl, line 3: `split` is `held-out`; a split is train or training, valid or validation or dev, \
         test or evaluation"
    );
    assert_eq!(
        broken(with(1, "keyword", json!({"word": "one"}))),
        "manifest.jsonl, line 2: `keyword` must be text or a number, not {\"word\":\"one\"}"
    );
    let mut rows = good();
    rows.extend((0..5).map(|_| row("test", "three")));
    assert_eq!(
        broken(rows),
        "set `digits`, task `ks`: 5 test rows have labels that no training row has: u6 (three), u7 (three), \
         u8 (three), ..."
    );
    assert_eq!(
        broken(with(3, "keyword", json!("three"))),
        "set `digits`, task `ks`: 1 valid rows have labels that no training row has: u3 (three)"
    );
}

#[test]
fn a_limit_cuts_each_split_and_keeps_the_classes() {
    let words = ["zero", "one", "two", "three"];
    let rows: Vec<Value> =
        (0..120).map(|index| row(["train", "valid", "test"][index % 3], words[index % 4])).collect();
    let manifest = manifest(&rows);
    let set = card().select(&manifest, Some(8)).unwrap();
    for split in Split::ALL {
        let class = |example: &Example| match example.target {
            Target::Class(class) => class,
            Target::Classes(_) | Target::Text(_) => panic!("no class"),
        };
        let mut labels: Vec<usize> = set.split(split).iter().map(class).collect();
        labels.sort_unstable();
        assert_eq!(labels, [0, 0, 1, 1, 2, 2, 3, 3], "{split}");
    }
    // Fewer than there are classes: the classes are still all known.
    let small = card().select(&manifest, Some(2)).unwrap();
    assert_eq!((small.train.len(), small.labels.outputs()), (2, 4));
    assert_eq!(card().select(&manifest, Some(1000)).unwrap(), card().select(&manifest, None).unwrap());
    assert!(matches!(card().select(&manifest, Some(0)), Err(DataError::ZeroLimit)));
}
