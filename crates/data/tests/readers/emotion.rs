//! ESD, MELD and IEMOCAP.

use sure_data::Protocol;

use crate::folder::{Folder, assert_recordings_exist, notes, rows, sizes, wav};

fn esd() -> Folder {
    let folder = Folder::new();
    for speaker in ["0011", "0012"] {
        let mut list = String::new();
        for (emotion, first) in [("Neutral", 1), ("Angry", 351), ("Surprise", 1401)] {
            for (split, number) in [("evaluation", first), ("test", first + 20), ("train", first + 50)] {
                let id = format!("{speaker}_{number:06}");
                folder.wav(&format!("{speaker}/{emotion}/{split}/{id}.wav"));
                list += &format!("{id}\tSentence {number}, it is.\t{emotion}\r\n");
            }
        }
        folder.text(&format!("{speaker}/{speaker}.txt"), &list);
    }
    folder
}

#[test]
fn esd_has_emotion_speaker_and_text_in_the_splits_of_its_folders() {
    let folder = esd();
    let reading = folder.read();
    assert_eq!(reading.manifest.name, "esd");
    assert_recordings_exist(&reading, &folder.path());
    assert_eq!(sizes(&reading, "split"), [6, 6, 6]);
    assert_eq!(sizes(&reading, "sid_split"), [6, 6, 6]);
    let emotions = rows(&reading, "split", "emotion");
    assert_eq!(
        emotions[..3],
        ["0011_000401 train Angry", "0011_000351 valid Angry", "0011_000371 test Angry"]
    );
    assert_eq!(rows(&reading, "split", "text")[1], "0011_000351 valid Sentence 351, it is.");
    assert_eq!(rows(&reading, "sid_split", "speaker")[17], "0012_001421 test 0012");
    assert_eq!(notes(&reading), Vec::<String>::new());
}

#[test]
fn esd_without_folders_for_splits_has_the_same_splits() {
    let folder = esd();
    let expected = rows(&folder.read(), "split", "emotion");
    let flat = Folder::new();
    for row in folder.read().manifest.rows {
        let name = row.fields["audio"].as_str().unwrap().to_owned();
        let parts: Vec<&str> = name.split('/').collect();
        flat.wav(&format!("Emotion Speech Dataset/{}/{}/{}", parts[0], parts[1], parts[3]));
    }
    let reading = flat.read();
    let mut found = rows(&reading, "split", "emotion");
    let mut expected = expected;
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(
        notes(&reading),
        [
            "18 of 18 recordings have no transcript; tasks with text leave them out: 0011_000351, 0011_000371, \
             0011_000401, ...",
            "splits by number, as there are no folders for them: of each 350 utterances the first 20 for valid, the \
             next 30 for test",
        ]
    );
}

#[test]
fn esd_transcripts_may_be_utf_16_and_lack_lines() {
    let folder = esd();
    let list = "\u{feff}0011_000351\tIt’s this.\tAngry\n0011_000371\tIt is that.\tAngry\n";
    let utf16: Vec<u8> = list.encode_utf16().flat_map(u16::to_le_bytes).collect();
    folder.bytes("0011/0011.txt", &utf16);
    let reading = folder.read();
    assert_eq!(rows(&reading, "split", "text")[1], "0011_000351 valid It’s this.");
    assert_eq!(
        notes(&reading),
        [
            "7 of 18 recordings have no transcript; tasks with text leave them out: 0011_000401, 0011_000051, \
             0011_000001, ...",
            "1 text files were read as UTF-16LE: 0011.txt",
        ]
    );
    folder.bytes("0011/0011.txt", b"0011_000351\tIt\x92s this.\tAngry\n");
    let reading = folder.read();
    assert_eq!(rows(&reading, "split", "text")[1], "0011_000351 valid It’s this.");
    assert_eq!(notes(&reading)[1], "1 text files were read as windows-1252: 0011.txt");
    folder.remove("0011/0011.txt");
    assert!(notes(&folder.read())[0].starts_with("9 of 18 recordings have no transcript"));
}

#[test]
fn esd_leaves_mandarin_and_junk_out_by_name() {
    let folder = esd();
    folder.wav("0001/Happy/train/0001_000751.wav");
    folder.wav("notes/a.wav");
    folder.text("0011/Angry/train/._0011_000401.wav", "a resource fork");
    folder.folder("__MACOSX/0011");
    let reading = folder.read();
    assert_eq!(sizes(&reading, "split"), [6, 6, 6]);
    assert_eq!(notes(&reading), ["1 left out: speakers of Mandarin: 0001", "1 parts are not read: notes"]);
}

#[test]
fn an_empty_split_is_named_with_the_place_that_was_looked_at() {
    let folder = esd();
    for speaker in ["0011", "0012"] {
        for emotion in ["Neutral", "Angry", "Surprise"] {
            folder.remove(&format!("{speaker}/{emotion}/evaluation"));
        }
    }
    assert_eq!(notes(&folder.read()), ["valid has no recordings: looked for */*/evaluation/*.wav"]);
    let empty = Folder::new();
    empty.folder("0011/Angry/train");
    assert_eq!(
        empty.complaint(),
        "no recording of `esd` in data\n  train has no recordings: looked for */*/train/*.wav\n  valid has no \
         recordings: looked for */*/evaluation/*.wav\n  test has no recordings: looked for */*/test/*.wav"
    );
}

#[test]
fn a_recording_in_two_splits_is_an_error_that_names_both() {
    let folder = esd();
    folder.wav("0011/Angry/test/0011_000401.wav");
    assert_eq!(
        folder.complaint(),
        "two recordings are called `0011_000401`: data/0011/Angry/train/0011_000401.wav and \
         data/0011/Angry/test/0011_000401.wav; remove one of them"
    );
}

const MELD: &str = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season\n";

/// As many utterances a split as named.
fn meld(sizes: [usize; 3]) -> Folder {
    let folder = Folder::new();
    for (split, size) in ["train", "dev", "test"].into_iter().zip(sizes) {
        let mut list = MELD.to_owned();
        for number in 0..size {
            folder.wav(&format!("{split}/dia{number}_utt{number}.wav"));
            list += &format!(
                "{number},\"Oh, my, {number}!\",Joey,{},x,{number},{number},8\n",
                ["joy", "anger"][number % 2]
            );
        }
        folder.text(&format!("{split}_sent_emo.csv"), &list);
    }
    folder
}

#[test]
fn meld_is_read_by_dialogue_and_utterance() {
    let folder = meld([3, 2, 1]);
    let reading = folder.read();
    assert_recordings_exist(&reading, &folder.path());
    assert_eq!(
        rows(&reading, "split", "emotion"),
        [
            "train_dia0_utt0 train joy",
            "train_dia1_utt1 train anger",
            "train_dia2_utt2 train joy",
            "valid_dia0_utt0 valid joy",
            "valid_dia1_utt1 valid anger",
            "test_dia0_utt0 test joy",
        ]
    );
    assert_eq!(rows(&reading, "speaker", "text")[0], "train_dia0_utt0 Joey Oh, my, 0!");
    assert_eq!(notes(&reading), Vec::<String>::new());
}

#[test]
fn meld_counts_recordings_without_rows_and_rows_without_recordings() {
    let folder = meld([3, 2, 40]);
    folder.wavs(&["test/dia7_utt99.wav", "test/final_videos_testdia0_utt0.wav"]);
    folder.remove("test/dia5_utt5.wav");
    let reading = folder.read();
    assert_eq!(sizes(&reading, "split"), [3, 2, 39]);
    assert_eq!(
        notes(&reading),
        [
            "1 of 40 rows of test_sent_emo.csv have no recording and are skipped: dia5_utt5",
            "2 of 41 recordings in test have no row in test_sent_emo.csv and are skipped: dia7_utt99, \
             final_videos_testdia0_utt0",
        ]
    );
}

#[test]
fn meld_as_published_passes_and_one_that_lacks_more_does_not() {
    // 137 of 2747 recordings of the published test folder have no row: 5 in 100.
    let folder = meld([1, 1, 95]);
    for number in 0..5 {
        folder.wav(&format!("test/extra{number}.wav"));
    }
    assert!(notes(&folder.read())[0].starts_with("5 of 100 recordings in test have no row"));
    for number in 5..12 {
        folder.wav(&format!("test/extra{number}.wav"));
    }
    assert_eq!(
        folder.complaint(),
        "data: 12 of 107 recordings in test have no row in test_sent_emo.csv and are skipped: extra0, extra1, extra10, \
         .... That is more than 10.0 %: complete the copy"
    );
    assert_eq!(sizes(&folder.read_anyway(), "split"), [1, 1, 95]);
}

#[test]
fn meld_lists_may_be_windows_1252_and_have_empty_emotions() {
    let folder = meld([20, 1, 1]);
    let mut list = MELD.as_bytes().to_vec();
    for number in 0..20 {
        let emotion = if number == 3 { "" } else { "joy" };
        let number = if number == 19 { 18 } else { number };
        list.extend(format!("{number},That").bytes());
        list.push(0x92);
        list.extend(format!("s it.,Joey,{emotion},x,{number},{number},8\n").bytes());
    }
    folder.bytes("train_sent_emo.csv", &list);
    let reading = folder.read();
    assert_eq!(rows(&reading, "split", "text")[0], "train_dia0_utt0 train That’s it.");
    assert_eq!(
        notes(&reading),
        [
            "1 of 20 in train_sent_emo.csv are skipped: the utterance is in it before: line 21 (dia18_utt18)",
            "1 of 20 in train_sent_emo.csv are skipped: the emotion is empty: line 5",
            "1 of 19 recordings in train have no row in train_sent_emo.csv and are skipped: dia19_utt19",
            "1 text files were read as windows-1252: train_sent_emo.csv",
        ]
    );
}

#[test]
fn meld_without_a_column_or_a_list_says_so() {
    let folder = meld([1, 1, 1]);
    folder.text("dev_sent_emo.csv", "Utterance,Speaker,Dialogue_ID,Utterance_ID\nOh,Joey,0,0\n");
    assert_eq!(
        folder.complaint(),
        "data/dev_sent_emo.csv has no column `Emotion`; it has Utterance, Speaker, Dialogue_ID, Utterance_ID"
    );
    folder.remove("dev_sent_emo.csv");
    assert_eq!(
        folder.complaint(),
        "`meld` lacks data/dev_sent_emo.csv: it comes with MELD.Raw.tar.gz, and from github.com/declare-lab/MELD"
    );
}

#[test]
fn meld_videos_are_named_with_the_command_that_converts_them() {
    let folder = meld([1, 1, 0]);
    folder.text("test_sent_emo.csv", &format!("{MELD}0,Oh,Joey,joy,x,0,0,8\n1,Oh,Joey,joy,x,1,1,8\n"));
    folder.bytes("output_repeated_splits_test/dia0_utt0.mp4", b"\0\0\0\x20ftypisom");
    assert_eq!(
        folder.complaint(),
        "data: 1 of 1 in output_repeated_splits_test are skipped: they are videos; make a wav file of each: ffmpeg -i \
         X.mp4 -ac 1 -ar 16000 X.wav: dia0_utt0.mp4. That is more than 10.0 %: complete the copy"
    );
    // Wav files that kept the name of the video are recordings.
    folder.bytes("output_repeated_splits_test/dia0_utt0.mp4", &wav(16_000, 500));
    folder.bytes("output_repeated_splits_test/dia1_utt1.mp4.wav", &wav(16_000, 501));
    assert_eq!(sizes(&folder.read(), "split"), [1, 1, 2]);
}

#[test]
fn meld_takes_the_wav_files_before_the_videos_that_they_are_made_of() {
    let folder = meld([2, 1, 1]);
    for name in
        ["train_splits/dia0_utt0.mp4", "dev_splits_complete/dia0_utt0.mp4", "train_splits/dia1_utt1.mp4"]
    {
        folder.bytes(name, b"\0\0\0\x20ftypisom");
    }
    let reading = folder.read();
    assert_recordings_exist(&reading, &folder.path());
    assert_eq!(sizes(&reading, "split"), [2, 1, 1]);
    assert_eq!(notes(&reading), Vec::<String>::new());
    // An empty folder does not stand in the way either.
    folder.remove("train");
    folder.folder("train");
    folder.wavs(&["train/train_splits/dia0_utt0.wav", "train/train_splits/dia1_utt1.wav"]);
    assert_eq!(sizes(&folder.read(), "split"), [2, 1, 1]);
}

#[test]
fn meld_counts_further_recordings_of_an_utterance() {
    let folder = meld([20, 1, 1]);
    folder.wav("train/dia0_utt0.mp4.wav");
    let reading = folder.read();
    assert_eq!(reading.manifest.rows[0].audio, folder.path().join("train/dia0_utt0.wav"));
    assert_eq!(
        notes(&reading),
        ["1 of 21 in train are skipped: another recording of the same utterance is taken: dia0_utt0.mp4.wav"]
    );
}

fn iemocap() -> Folder {
    let folder = Folder::new();
    for session in 1..=5 {
        let dialogue = format!("Ses0{session}F_impro01");
        let mut list = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n".to_owned();
        for (turn, emotion) in [("F000", "neu"), ("M001", "xxx")] {
            folder.wav(&format!("Session{session}/sentences/wav/{dialogue}/{dialogue}_{turn}.wav"));
            list += &format!(
                "[6.2901 - 8.2357]\t{dialogue}_{turn}\t{emotion}\t[2.5000, 2.5000, 2.5000]\nC-E2:\tNeutral;\t()\n"
            );
        }
        folder.text(&format!("Session{session}/dialog/EmoEvaluation/{dialogue}.txt"), &list);
    }
    folder
}

#[test]
fn iemocap_is_split_by_session_and_knows_who_speaks() {
    let folder = iemocap();
    let reading = folder.read();
    assert_recordings_exist(&reading, &folder.path());
    assert_eq!(sizes(&reading, "split"), [6, 2, 2]);
    assert_eq!(
        rows(&reading, "split", "emotion")[..2],
        ["Ses01F_impro01_F000 train neu", "Ses01F_impro01_M001 train xxx"]
    );
    assert_eq!(rows(&reading, "split", "speaker")[9], "Ses05F_impro01_M001 test Ses05M");
    assert_eq!(notes(&reading), Vec::<String>::new());
    assert_eq!(folder.read_as(Protocol::Reference).manifest, reading.manifest);
}

#[test]
fn iemocap_counts_what_does_not_fit() {
    let folder = iemocap();
    folder.remove("Session2/sentences/wav/Ses02F_impro01/Ses02F_impro01_M001.wav");
    folder.wav("Session5/sentences/wav/Ses05F_impro01/Ses05F_impro01_F009.wav");
    assert_eq!(
        notes(&folder.read_anyway()),
        [
            "1 of 2 rows of Session2/dialog/EmoEvaluation/*.txt have no recording and are skipped: Ses02F_impro01_M001",
            "1 of 3 recordings in Session5/sentences/wav have no row in Session5/dialog/EmoEvaluation/*.txt and are \
             skipped: Ses05F_impro01_F009",
        ]
    );
    folder.remove("Session1/dialog");
    assert!(
        folder.complaint().starts_with("list data/Session1/dialog/EmoEvaluation"),
        "{}",
        folder.complaint()
    );
}
