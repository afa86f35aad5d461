//! Transfers from a hub that misbehaves, through the crate's public face.

#![expect(clippy::unwrap_used, reason = "a test that cannot begin has failed")]

mod faults;
mod refusals;
mod sources;
mod together;
mod world;
