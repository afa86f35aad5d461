//! Fuzz target `archive`: see `src/archive.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().expect("a folder for the fuzzer");
}

fuzz_target!(|bytes: &[u8]| FOLDER.with(|folder| sure_fuzz::archive::archive(bytes, folder.path())));
