//! The corpus of the fuzzer through the function that it calls: nothing of it panics, or takes more memory than it may.

use std::{fs, path::Path};

#[expect(unreachable_pub, reason = "it is a module of the fuzz package too, and public there")]
#[path = "../../../tests/fuzz/src/audio.rs"]
mod audio;

#[test]
fn every_recording_of_the_corpus_is_decoded_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/audio");
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut count = 0;
    for entry in fs::read_dir(corpus).expect("the corpus is there") {
        let bytes = fs::read(entry.expect("the corpus is there").path()).expect("a file of the corpus");
        audio::audio(&bytes, folder.path());
        count += 1;
    }
    assert!(count > 5, "{count} files");
    if let Some(peak) = sure_sys::peak_memory_bytes() {
        assert!(peak < 512 << 20, "{peak} bytes were taken");
    }
}
