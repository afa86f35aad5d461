//! Wires the names of a run to the crates, runs cells; the binary sure.
