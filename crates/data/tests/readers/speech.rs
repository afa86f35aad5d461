//! LibriSpeech and FLEURS.

use crate::folder::{Folder, assert_recordings_exist, notes, rows, sizes};

fn librispeech() -> Folder {
    let folder = Folder::new();
    for (part, speaker, count) in [("train-clean-100", 103, 3), ("dev-clean", 84, 2), ("test-clean", 61, 1)] {
        let chapter = format!("LibriSpeech/{part}/{speaker}/1240");
        let mut list = String::new();
        for number in 0..count {
            folder.wav(&format!("{chapter}/{speaker}-1240-{number:04}.flac"));
            list += &format!("{speaker}-1240-{number:04} CHAPTER {number} MISSUS RACHEL'S\n");
        }
        folder.text(&format!("{chapter}/{speaker}-1240.trans.txt"), &list);
    }
    folder.text("LibriSpeech/BOOKS.TXT", "");
    folder
}

#[test]
fn librispeech_is_read_from_its_trees() {
    let folder = librispeech();
    folder.folder("LibriSpeech/train-other-500/1");
    let reading = folder.read();
    assert_eq!(reading.manifest.name, "librispeech");
    assert_recordings_exist(&reading, &folder.path().join("LibriSpeech"));
    assert_eq!(sizes(&reading, "split"), [3, 2, 1]);
    assert_eq!(rows(&reading, "split", "text")[4], "84-1240-0001 valid CHAPTER 1 MISSUS RACHEL'S");
    assert_eq!(rows(&reading, "split", "speaker")[5], "61-1240-0000 test 61");
    assert_eq!(notes(&reading), ["1 parts are not read: train-other-500"]);
}

#[test]
fn librispeech_counts_missing_lines_and_missing_recordings() {
    let folder = librispeech();
    folder.text("LibriSpeech/dev-clean/84/1240/84-1240.trans.txt", "84-1240-0000 A\n84-1240-0007 B\n");
    folder.remove("LibriSpeech/test-clean");
    assert_eq!(
        notes(&folder.read_anyway()),
        [
            "1 of 2 recordings in dev-clean have no row in dev-clean/*/*/*.trans.txt and are skipped: 84-1240-0001",
            "1 of 2 rows of dev-clean/*/*/*.trans.txt have no recording and are skipped: 84-1240-0007",
            "test has no recordings: looked for test-clean/*/*/*.flac",
        ]
    );
    assert!(folder.complaint().contains("That is more than 10.0 %"));
}

fn fleurs() -> Folder {
    let folder = Folder::new();
    for (part, count) in [("train", 3), ("dev", 1), ("test", 1)] {
        let mut list = String::new();
        for number in 0..count {
            folder.wav(&format!("data/en_us/audio/{part}/{number}77.wav"));
            list +=
                &format!("9\t{number}77.wav\tA \"quoted, Déjà vu.\ta quoted déjà vu\ta | q\t1600\tMALE\n");
        }
        folder.text(&format!("data/en_us/{part}.tsv"), &list);
    }
    folder
}

#[test]
fn fleurs_is_read_from_its_tables() {
    let folder = fleurs();
    let reading = folder.read();
    assert_recordings_exist(&reading, &folder.path());
    assert_eq!(sizes(&reading, "split"), [3, 1, 1]);
    assert_eq!(rows(&reading, "split", "text")[0], "train/077 train a quoted déjà vu");
    assert_eq!(rows(&reading, "split", "raw_text")[4], "test/077 test A \"quoted, Déjà vu.");
    assert_eq!(notes(&reading), Vec::<String>::new());
}

#[test]
fn fleurs_counts_what_does_not_fit_and_wants_its_archives_unpacked() {
    let folder = fleurs();
    folder.text("data/en_us/dev.tsv", "9\t077.wav\tA\ta\n9\t177.wav\tA\ta\n9\t277.wav\n");
    folder.wav("data/en_us/audio/dev/5.wav");
    assert_eq!(
        notes(&folder.read_anyway()),
        [
            "1 of 3 rows of data/en_us/dev.tsv have no recording and are skipped: 177.wav",
            "1 of 3 in data/en_us/dev.tsv are skipped: they have less than 4 columns: line 3",
            "1 of 2 recordings in data/en_us/audio/dev have no row in data/en_us/dev.tsv and are skipped: 5.wav",
        ]
    );
    folder.remove("data/en_us/audio/test");
    assert_eq!(
        folder.complaint_anyway(),
        "`fleurs` lacks data/data/en_us/audio/test: unpack audio/train.tar.gz, audio/dev.tar.gz and audio/test.tar.gz \
         where they are"
    );
}

#[test]
fn tables_of_common_voice_are_not_taken_for_fleurs() {
    let folder = Folder::new();
    folder.text("train.tsv", "client_id\tpath\tsentence\n");
    folder.wav("clips/a.mp3");
    assert!(folder.complaint().starts_with("data holds no data set that is known"), "{}", folder.complaint());
}
