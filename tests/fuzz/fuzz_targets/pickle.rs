//! Fuzz target `pickle`: both forms of PyTorch; see `src/weights.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| sure_fuzz::weights::pickle(bytes));
