//! Archives of all kinds, good and bad, through the public functions.
#![expect(clippy::unwrap_used, reason = "a test may")]

mod good;
mod hostile;
mod make;
