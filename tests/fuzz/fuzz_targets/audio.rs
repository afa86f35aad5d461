//! Fuzz target `audio`: see `src/audio.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().expect("a folder for the fuzzer");
}

fuzz_target!(
    // The decoding library panics on some damaged headers, which `decode` turns into errors. Without the fuzzer's hook
    // only a panic that gets out of `decode` ends the run.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| FOLDER.with(|folder| sure_fuzz::audio::audio(bytes, folder.path()))
);
