//! VCTK.

use sure_data::Protocol;

use crate::folder::{Folder, assert_recordings_exist, notes, rows, sizes};

fn vctk() -> Folder {
    let folder = Folder::new();
    for (speaker, count) in [("p225", 12), ("p280", 10), ("s5", 10)] {
        for number in 1..=count {
            folder.wav(&format!("wav48/{speaker}/{speaker}_{number:03}.wav"));
            folder.text(&format!("txt/{speaker}/{speaker}_{number:03}.txt"), "Please call Stella.\n");
        }
    }
    folder
}

#[test]
fn vctk_0_80_is_cut_by_sorted_names() {
    let folder = vctk();
    let reading = folder.read();
    assert_recordings_exist(&reading, &folder.path());
    assert_eq!(sizes(&reading, "sid_split"), [26, 3, 3]);
    assert_eq!(sizes(&reading, "split"), [0, 0, 0], "its texts are no test of speech recognition");
    let speakers = rows(&reading, "sid_split", "speaker");
    assert_eq!(speakers[9..12], ["p225_010 train p225", "p225_011 valid p225", "p225_012 test p225"]);
    assert_eq!(rows(&reading, "sid_split", "text")[0], "p225_001 train Please call Stella.");
    assert_eq!(notes(&reading), ["this is version 0.80"]);
}

#[test]
fn the_reference_lacks_three_speakers() {
    let reading = vctk().read_as(Protocol::Reference);
    assert_eq!(sizes(&reading, "sid_split"), [10, 1, 1]);
    assert_eq!(
        notes(&reading),
        ["this is version 0.80", "2 left out: speakers that the reference does not have: p280, s5"]
    );
}

#[test]
fn vctk_0_92_is_read_from_its_first_microphone() {
    let folder = Folder::new();
    for number in 1..=10 {
        for microphone in 1..=2 {
            // The content tells the kind, not the name.
            folder.wav(&format!("VCTK/wav48_silence_trimmed/p226/p226_{number:03}_mic{microphone}.flac"));
        }
    }
    folder.wav("VCTK/wav48_silence_trimmed/p315/p315_001_mic1.flac");
    folder.text("VCTK/wav48_silence_trimmed/log.txt", "");
    let reading = folder.read();
    assert_eq!(sizes(&reading, "sid_split"), [9, 1, 1]);
    assert_eq!(rows(&reading, "sid_split", "speaker")[9..], ["p226_010 test p226", "p315_001 train p315"]);
    assert_eq!(
        notes(&reading),
        [
            "this is version 0.92",
            "speakers with less than 10 recordings are for training alone: p315",
            "11 of 11 recordings have no transcript; tasks with text leave them out: p226_001, p226_002, p226_003, ...",
        ]
    );
}
