//! What a run was and what it gave: cells, claims, records, tables.
//!
//! A [`Cell`] is everything that can move a number; its hash is the [`CellId`]. A [`Store`] keeps a folder a cell:
//! `record.json` (a [`RunRecord`], byte for byte the same whenever the cell is run again), `cost.json` (a [`Cost`]:
//! times and memory) and `predictions.jsonl` (one [`PredictionRow`] a line). A [`Claim`] lets several processes or
//! machines share the work, and a [`Table`] is built from records alone.

mod atomic;
mod canonical;
mod cell;
mod claim;
mod cost;
mod error;
mod owner;
mod paired;
mod record;
mod store;
mod table;

pub use atomic::write_atomic;
pub use canonical::canonical_json;
pub use cell::{Cell, CellId};
pub use claim::{Claim, ClaimState, HEARTBEAT};
pub use cost::Cost;
pub use error::RecordsError;
pub use paired::{Difference, differences};
pub use record::{
    CheckResult, Counts, CurvePoint, Outcome, PredictionRow, Provenance, RunRecord, SCHEMA_VERSION,
    SplitScore,
};
pub use store::Store;
pub use table::{Column, Entry, Published, Row, RowKind, Section, Table, TableFormat};
