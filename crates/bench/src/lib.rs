//! Wires the names of a run to the crates and runs cells. The binary `sure` is a thin door to this crate.

pub mod backbone;
pub mod cell;
pub mod celldata;
pub mod cli;
pub mod download;
pub mod embedded;
pub mod environment;
pub mod extract;
pub mod interchange;
pub mod model;
pub mod observe;
pub mod perf;
pub mod plan;
pub mod pool;
pub mod predictor;
pub mod presets;
pub mod pretrain;
pub mod progress;
pub mod rundir;
pub mod suite;
