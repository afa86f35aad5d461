//! Speech Commands, Fluent Speech Commands and Audio SNIPS.

use serde_json::json;
use sure_data::{Protocol, SlotTags, Target, TaskCard};

use crate::folder::{Folder, assert_recordings_exist, notes, rows, sizes};

fn speech_commands() -> Folder {
    let folder = Folder::new();
    for word in ["yes", "four", "right", "cat", "visual"] {
        for speaker in ["0a", "0b", "0c", "0d"] {
            folder.wav(&format!("{word}/{speaker}_nohash_0.wav"));
        }
    }
    let list = |speaker: &str| -> String {
        ["yes", "four", "right", "cat", "visual"]
            .map(|word| format!("{word}/{speaker}_nohash_0.wav\n"))
            .concat()
    };
    folder.text("testing_list.txt", &list("0c"));
    folder.text("validation_list.txt", &list("0d"));
    folder.text("LICENSE", "CC BY 4.0");
    folder.text("README.md", "");
    folder.wavs(&["_background_noise_/pink_noise.wav", "_background_noise_/running_tap.wav"]);
    folder
}

#[test]
fn speech_commands_has_eleven_words_and_the_splits_of_its_lists() {
    let folder = speech_commands();
    let reading = folder.read();
    assert_recordings_exist(&reading, &folder.path());
    assert_eq!(sizes(&reading, "split"), [6, 3, 3]);
    assert_eq!(
        rows(&reading, "split", "keyword")[..4],
        [
            "four/0a_nohash_0 train four",
            "four/0b_nohash_0 train four",
            "four/0c_nohash_0 test four",
            "four/0d_nohash_0 valid four",
        ]
    );
    assert_eq!(rows(&reading, "split", "speaker")[11], "yes/0d_nohash_0 valid 0d");
    assert_eq!(
        notes(&reading),
        [
            "this is version 0.02",
            "8 left out: recordings of 2 words that are no classes of `sure`: cat, visual, ...",
        ]
    );
}

#[test]
fn a_copy_of_speech_commands_with_a_few_words_has_whole_lists() {
    let folder = speech_commands();
    for name in ["cat", "visual", "_background_noise_"] {
        folder.remove(name);
    }
    let reading = folder.read();
    assert_eq!(notes(&reading), ["this is version 0.02"], "its lists say so");
    folder.text("testing_list.txt", "yes/0c_nohash_0.wav\nyes/gone.wav\nright/0c_nohash_0.wav\n");
    folder.text("validation_list.txt", "yes/0d_nohash_0.wav\n");
    assert_eq!(
        notes(&folder.read_anyway()),
        [
            "this is version 0.01",
            "1 of 3 rows of testing_list.txt have no recording and are skipped: yes/gone.wav",
            "1 classes of `keyword` are trained and occur in no test row: four",
        ]
    );
}

#[test]
fn superb_has_twelve_classes_and_another_test_set() {
    let folder = speech_commands();
    assert_eq!(
        folder.complaint_as(Protocol::Superb),
        "`speech-commands` lacks data/speech_commands_test_set_v0.01: SUPERB tests on the archive \
         speech_commands_test_set_v0.01.tar.gz; unpack it there, or use the protocol `sure`"
    );
    folder.wavs(&[
        "speech_commands_test_set_v0.01/_silence_/0.wav",
        "speech_commands_test_set_v0.01/_unknown_/0a_nohash_0.wav",
        "speech_commands_test_set_v0.01/yes/0c_nohash_0.wav",
    ]);
    let reading = folder.read_as(Protocol::Superb);
    assert_eq!(sizes(&reading, "split"), [12, 7, 3]);
    let keywords = rows(&reading, "split", "keyword");
    for row in [
        "train/_background_noise_/pink_noise train _silence_",
        "valid/_background_noise_/pink_noise valid _silence_",
        "four/0a_nohash_0 train _unknown_",
        "yes/0d_nohash_0 valid yes",
        "test/_silence_/0 test _silence_",
        "test/yes/0c_nohash_0 test yes",
    ] {
        assert!(keywords.contains(&row.to_owned()), "{row}");
    }
    assert_eq!(
        notes(&reading)[0],
        "`_silence_` is the beginning of each file of noise, where SUPERB draws a second of it at random"
    );
}

fn fluent() -> Folder {
    let folder = Folder::new();
    for (part, count) in [("train", 3), ("valid", 2), ("test", 2)] {
        let mut list = ",path,speakerId,transcription,action,object,location\n".to_owned();
        for number in 0..count {
            let path = format!("wavs/speakers/2BqVo/{part}{number}.wav");
            folder.wav(&path);
            list += &format!("{number},{path},2BqVo,\"Turn it up, please\",increase,volume,none\n");
        }
        folder.text(&format!("data/{part}_data.csv"), &list);
    }
    folder
}

#[test]
fn fluent_speech_commands_has_intents_of_three_parts() {
    let folder = fluent();
    let reading = folder.read();
    assert_recordings_exist(&reading, &folder.path());
    assert_eq!(sizes(&reading, "split"), [3, 2, 2]);
    let first = &reading.manifest.rows[0];
    assert_eq!(first.id, "train0");
    assert_eq!(first.fields["intent"], json!({"action": "increase", "object": "volume", "location": "none"}));
    assert_eq!(
        (&first.fields["speaker"], &first.fields["text"]),
        (&json!("2BqVo"), &json!("Turn it up, please"))
    );
    assert_eq!(notes(&reading), Vec::<String>::new());
}

#[test]
fn fluent_speech_commands_counts_rows_that_cannot_be_used() {
    let folder = fluent();
    let list = "path,speakerId,transcription,action,object,location\nwavs/gone.wav,a,b,c,d,e\n\
                wavs/speakers/2BqVo/test0.wav,a,b,c,d,e\nwavs/speakers/2BqVo/test1.wav,a,b,c,d\n";
    folder.text("data/test_data.csv", list);
    assert_eq!(
        notes(&folder.read_anyway()),
        [
            "1 of 3 rows of data/test_data.csv have no recording and are skipped: wavs/gone.wav",
            "1 of 3 in data/test_data.csv are skipped: action, object or location is empty: line 4",
        ]
    );
    let list = "path,speakerId,transcription,action,object,location\nwavs/../../other.wav,a,b,c,d,e\n\
                wavs/speakers/2BqVo/test0.wav,a,b,c,d,e\n";
    folder.bytes("../other.wav", &folder.samples(16_000));
    let absolute = folder.path().with_file_name("other.wav").display().to_string();
    folder.text("data/test_data.csv", &format!("{list}{absolute},a,b,c,d,e\n"));
    let reading = folder.read_anyway();
    assert_eq!(sizes(&reading, "split"), [3, 2, 1]);
    assert_eq!(
        notes(&reading),
        [format!(
            "2 of 3 in data/test_data.csv are skipped: the path leads out of the data set: line 2 (wavs/../../other.wav), \
             line 4 ({absolute})"
        )]
    );
    folder.text("data/test_data.csv", "path,speakerId,transcription,action,object\n");
    assert_eq!(
        folder.complaint(),
        "data/data/test_data.csv has no column `location`; it has path, speakerId, transcription, action, object"
    );
    folder.text("data/test_data.csv", "path,speakerId,transcription,action,object,location\n");
    assert_eq!(notes(&folder.read()), ["test has no recordings: looked for the rows of data/test_data.csv"]);
}

const VOICES: [&str; 3] = ["Aditi", "Brian", "Ivy"];

fn snips() -> Folder {
    let folder = Folder::new();
    let mut list = String::new();
    for voice in VOICES {
        for split in ["train", "valid", "test"] {
            folder.wav(&format!("SNIPS/{split}/{voice}-snips-{split}-0.wav"));
            list += &format!(
                "{voice}-snips-{split}-0 BOS PLAY DRUM & BASS BY ÉLAN EOS\tO O genre genre genre O artist PlayMusic\n"
            );
        }
    }
    folder.text("SNIPS/all.iob.snips.txt", &list);
    folder.text("SNIPS/slots.txt", "O\nartist\ngenre\n");
    folder
}

#[test]
fn audio_snips_has_texts_with_slots_and_all_voices_in_each_split() {
    let folder = snips();
    let reading = folder.read();
    assert_recordings_exist(&reading, &folder.path().join("SNIPS"));
    assert_eq!(sizes(&reading, "split"), [3, 3, 3]);
    let first = &reading.manifest.rows[0];
    assert_eq!(first.id, "Aditi-snips-train-0");
    assert_eq!(first.fields["text"], "PLAY DRUM & BASS BY ÉLAN");
    assert_eq!(first.fields["slots"], json!([["genre", 5, 16], ["artist", 20, 25]]));
    assert_eq!(first.fields["speaker"], "Aditi");
    assert_eq!(notes(&reading), Vec::<String>::new());
}

#[test]
fn the_reference_spells_the_ampersand_out_and_superb_parts_the_voices() {
    let folder = snips();
    let reading = folder.read_as(Protocol::Reference);
    assert_eq!(sizes(&reading, "split"), [3, 3, 3]);
    assert_eq!(reading.manifest.rows[0].fields["slots"], json!([["genre", 5, 18], ["artist", 22, 27]]));
    assert_eq!(
        notes(&reading),
        [
            "9 words are changed: `&` is AND in the protocol `reference`: Aditi-snips-train-0, Brian-snips-train-0, \
             Ivy-snips-train-0, ..."
        ]
    );
    let reading = folder.read_as(Protocol::Superb);
    assert_eq!(
        rows(&reading, "split", "speaker"),
        ["Ivy-snips-train-0 train Ivy", "Aditi-snips-valid-0 valid Aditi", "Brian-snips-test-0 test Brian"]
    );
    assert_eq!(
        notes(&reading)[0],
        "6 left out: spoken by voices that SUPERB has in another split: Aditi-snips-train-0, Brian-snips-train-0, \
         Brian-snips-valid-0, ..."
    );
}

#[test]
fn slots_parted_by_punctuation_stay_two_in_the_target_of_the_reference() {
    let folder = Folder::new();
    let mut list = String::new();
    for split in ["train", "valid", "test"] {
        folder.wav(&format!("{split}/Amy-snips-{split}-0.wav"));
        list += &format!("Amy-snips-{split}-0 BOS PLAY A , B EOS\tO O x O x X\n");
    }
    folder.text("all.iob.snips.txt", &list);
    let card = "name = \"sf\"\ntitle = \"x\"\nkind = \"slots\"\nlabel = \"slots\"\nsplit = \"split\"\n\
                metric = \"slot-type-f1\"";
    let mut card = TaskCard::from_toml("sf", card).unwrap();
    card.tags = SlotTags::Words;
    let set = card.select(&folder.read_as(Protocol::Reference).manifest, None).unwrap();
    assert_eq!(set.train[0].target, Target::Text("PLAY B-x A E-x B-x B E-x".to_owned()));
}

#[test]
fn audio_snips_counts_what_does_not_fit() {
    let folder = snips();
    let list = "Aditi-snips-train-0 BOS PLAY EOS\tO O X\nAditi-snips-train-0 BOS STOP EOS\tO O X\n\nBrian-snips-train-0 BOS PLAY IT . EOS\tO O song O X\n\
                Ivy-snips-train-0 BOS PLAY EOS\tO O\nIvy-snips-train-1 BOS PLAY EOS\tO O X\nAditi-snips-test-0\n";
    folder.text("SNIPS/all.iob.snips.txt", list);
    let reading = folder.read_anyway();
    assert_eq!(rows(&reading, "split", "text")[0], "Aditi-snips-train-0 train PLAY", "the first line of two");
    assert_eq!(
        notes(&reading),
        [
            "5 of 9 recordings in train, valid, test have no row in all.iob.snips.txt and are skipped: \
             Aditi-snips-valid-0, Brian-snips-valid-0, Ivy-snips-valid-0, ...",
            "1 of 6 rows of all.iob.snips.txt have no recording and are skipped: Ivy-snips-train-1",
            "1 of 6 in all.iob.snips.txt are skipped: the utterance is in it before: Aditi-snips-train-0",
            "1 labels of `slots` are not in the card's list for sf: song",
            "1 of 6 in all.iob.snips.txt are skipped: they are not of the form `utterance BOS words EOS`, a tab, tags \
             and the intent: Aditi-snips-test-0",
            "1 of 6 in all.iob.snips.txt are skipped: there are not as many tags as words: Ivy-snips-train-0",
            "1 words are changed: words that are punctuation are left out: Brian-snips-train-0",
            "valid has no recordings: looked for valid/*.wav",
            "test has no recordings: looked for test/*.wav",
        ]
    );
}
