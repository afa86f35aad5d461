//! The corpus of the fuzzer through the functions that it calls: nothing of it panics, or takes more memory than it may.

use std::{fs, path::Path};

#[expect(unreachable_pub, reason = "it is a module of the fuzz package too, and public there")]
#[path = "../../../tests/fuzz/src/weights.rs"]
mod weights;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the corpus is there") {
        check(&fs::read(entry.expect("the corpus is there").path()).expect("a file of the corpus"));
        count += 1;
    }
    assert!(count > 5, "{target} has {count} files");
    if let Some(peak) = sure_sys::peak_memory_bytes() {
        assert!(peak < 512 << 20, "{target} took {peak} bytes");
    }
}

#[test]
fn every_pickle_of_the_corpus_is_read_or_refused() {
    replay("pickle", weights::pickle);
}

#[test]
fn every_safetensors_file_of_the_corpus_is_read_or_refused() {
    replay("safetensors", weights::file);
}
