//! The cards of the data sets.

use std::error::Error;

use serde_json::json;
use sure_data::{CardLabels as Labels, DatasetCard, Manifest, READERS, Reading, Row, Source, Split};

use crate::folder::Folder;

/// A manifest of one key and its values, so many rows each.
fn manifest(rows: &[(&str, serde_json::Value, Split, usize)]) -> Manifest {
    let mut manifest = Manifest { name: "set".into(), path: "set".into(), rows: Vec::new() };
    for (key, value, split, count) in rows {
        for _ in 0..*count {
            let line = manifest.rows.len() + 1;
            let mut fields = serde_json::Map::new();
            fields.insert("split".into(), split.name().into());
            fields.insert((*key).into(), value.clone());
            manifest.rows.push(Row { id: line.to_string(), audio: "a.wav".into(), line, fields });
        }
    }
    manifest
}

#[test]
fn a_set_is_fetched_whole_or_left_to_a_person() {
    let ways = |name: &str| -> Vec<usize> {
        DatasetCard::named(name).unwrap().ways().iter().map(Vec::len).collect()
    };
    // Three archives, or the files of one repository.
    assert_eq!(ways("librispeech"), [3, 1]);
    assert_eq!(ways("fleurs"), [1, 1]);
    // Another version is no mirror.
    assert_eq!(ways("speech-commands"), [1, 1]);
    assert_eq!(ways("audio-snips"), [1]);
    for name in ["esd", "meld", "iemocap", "vctk", "fluent-speech-commands", "digits", "wake"] {
        assert_eq!(ways(name), Vec::<usize>::new(), "{name}");
        assert!(DatasetCard::named(name).unwrap().page().starts_with("http"), "{name}");
    }
}

#[test]
fn every_card_is_read_and_complete() {
    let cards = DatasetCard::all().unwrap();
    assert_eq!(cards.len(), DatasetCard::names().count());
    for (card, name) in cards.iter().zip(DatasetCard::names()) {
        assert_eq!(card.name, name);
        for text in [&card.title, &card.summary, &card.licence, &card.access] {
            assert!(!text.trim().is_empty(), "{name}");
        }
        assert!(card.homepage.starts_with("https://"), "{name}");
        assert!(!card.sources.is_empty(), "{name}: nowhere to get it");
        assert!(!card.tasks.is_empty(), "{name}: of no use");
        for task in card.tasks.keys() {
            assert!(["ser", "sr", "asr", "pr", "ic", "ks", "sf"].contains(&task.as_str()), "{name}: {task}");
        }
        for source in card.sources.iter().chain(&card.mirrors) {
            let address = match source {
                Source::Hub { repository, revision, .. } => {
                    assert!(!revision.is_empty(), "{name}");
                    repository.contains('/')
                }
                Source::Git { url, commit } => url.starts_with("https://") && commit.len() == 40,
                Source::Url { url, .. } => url.starts_with("http"),
                Source::Manual { url, note } => url.starts_with("http") && !note.is_empty(),
            };
            assert!(address, "{name}: {source:?}");
        }
        for checksum in &card.checksums {
            let digits =
                |sha256: &str| sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(checksum.known().is_none_or(digits), "{name}: {}", checksum.file);
        }
    }
}

#[test]
fn every_reader_has_a_card() {
    for reader in READERS {
        assert_eq!(DatasetCard::named(reader.name()).unwrap().name, reader.name());
    }
}

#[test]
fn label_lists_are_those_of_the_reference_in_size_and_order() {
    let labels = |name: &str, task: &str| match DatasetCard::named(name).unwrap().tasks[task].labels.clone() {
        Some(Labels::One(labels)) => labels,
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(labels("esd", "ser"), ["Angry", "Happy", "Neutral", "Surprise", "Sad"]);
    assert_eq!(labels("esd", "sr").len(), 10);
    assert_eq!(labels("meld", "ser").len(), 7);
    assert_eq!(labels("iemocap", "ser").len(), 11);
    assert_eq!(labels("vctk", "sr").len(), 107);
    assert_eq!(labels("speech-commands", "ks")[..3], ["off", "up", "stop"]);
    assert_eq!(labels("audio-snips", "sf").len(), 39);
    let fluent = DatasetCard::named("fluent-speech-commands").unwrap();
    let Some(Labels::Heads(heads)) = &fluent.tasks["ic"].labels else { panic!("{fluent:?}") };
    assert_eq!(fluent.tasks["ic"].heads, ["action", "object", "location"]);
    assert_eq!(fluent.tasks["ic"].heads.iter().map(|head| heads[head].len()).collect::<Vec<_>>(), [6, 14, 4]);
    for list in heads.values() {
        assert!(list.iter().all(|label| list.iter().filter(|other| *other == label).count() == 1));
    }
    let orders = DatasetCard::named("orders").unwrap();
    assert_eq!(orders.tasks["ic"].heads, ["coffeeDrink", "roast", "size", "numberOfShots"]);
}

#[test]
fn sizes_that_differ_are_notes_and_those_that_agree_are_none() {
    let card = DatasetCard::named("esd").unwrap();
    let happy = json!("Happy");
    let whole = [
        ("emotion", happy.clone(), Split::Train, 15_000),
        ("emotion", happy.clone(), Split::Valid, 1000),
        ("emotion", happy.clone(), Split::Test, 1500),
    ];
    assert_eq!(card.check_sizes(&manifest(&whole)), Vec::new());
    let part = [("emotion", happy.clone(), Split::Train, 14), ("emotion", happy, Split::Test, 1500)];
    let notes = card.check_sizes(&manifest(&part));
    let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["train has 14 of 15000 recordings", "valid has 0 of 1000 recordings"]);
    // A card with several sizes is held against the nearest.
    let card = DatasetCard::named("audio-snips").unwrap();
    let superb = [
        ("text", json!("a"), Split::Train, 104_000),
        ("text", json!("a"), Split::Valid, 2800),
        ("text", json!("a"), Split::Test, 2800),
    ];
    let notes = card.check_sizes(&manifest(&superb));
    assert_eq!(
        notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["train has 104000 of about 104672 recordings (8, 4 and 4 voices, the protocol `superb`)"]
    );
    assert_eq!(DatasetCard::named("orders").unwrap().check_sizes(&manifest(&superb)), Vec::new());
}

#[test]
fn sizes_of_a_set_for_speakers_alone_are_counted_by_its_own_key() {
    let folder = Folder::new();
    for number in 0..10 {
        folder.wav(&format!("wav48/p225/p225_{number:03}.wav"));
    }
    let Reading { manifest, .. } = folder.read();
    let notes = DatasetCard::named("vctk").unwrap().check_sizes(&manifest);
    assert_eq!(
        notes[0].to_string(),
        "train has 8 of 35024 recordings (version 0.80 by the protocol `reference`, 107 speakers)"
    );
}

#[test]
fn labels_that_the_card_or_the_data_has_alone_are_notes() {
    let check = |name: &str, rows: &[(&str, serde_json::Value, Split, usize)]| -> Vec<String> {
        let notes = DatasetCard::named(name).unwrap().check_labels(&manifest(rows));
        notes.iter().map(ToString::to_string).collect()
    };
    let emotion = |label: &str| ("emotion", json!(label), Split::Train, 1);
    assert_eq!(
        check("esd", &["Angry", "Happy", "Neutral", "Joyful"].map(emotion)),
        [
            "1 labels of `emotion` are not in the card's list for ser: Joyful",
            "2 labels of the card's list for ser are in no row (`emotion`): Surprise, Sad",
        ]
    );
    assert_eq!(
        check("esd", &["Angry", "Happy", "Neutral", "Sad", "Surprise"].map(emotion)),
        Vec::<String>::new()
    );
    let intent = json!({"action": "bring", "object": "socks", "location": "attic"});
    let notes = check("fluent-speech-commands", &[("intent", intent, Split::Train, 2)]);
    assert!(
        notes.contains(&"1 labels of `intent.location` are not in the card's list for ic: attic".to_owned())
    );
    assert!(
        notes[0].starts_with(
            "5 labels of the card's list for ic are in no row (`intent.action`): change language,"
        )
    );
}

#[test]
fn a_card_with_a_misspelt_key_or_an_unknown_name_is_an_error_that_says_so() {
    let error = DatasetCard::from_toml("own", "name = \"own\"\nlicense = \"MIT\"\n").unwrap_err();
    assert_eq!(error.to_string(), "read the card of the data set `own`");
    assert!(error.source().unwrap().to_string().contains("unknown field `license`"));
    let error = DatasetCard::named("esdd").unwrap_err().to_string();
    assert!(
        error.starts_with("no card of a data set is called `esdd`; there are esd, meld, iemocap, "),
        "{error}"
    );
}
