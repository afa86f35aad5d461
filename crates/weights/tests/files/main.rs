//! Files of weights of all forms, good and bad, through the public functions.
#![expect(clippy::unwrap_used, reason = "a test may")]

mod golden;
mod hostile_pickle;
mod hostile_safetensors;
mod hostile_zip;
mod make;
