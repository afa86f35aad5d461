//! A metric's value with its unit and direction.

use serde::{Deserialize, Serialize};

/// One number, with what is needed to read it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// The metric's name in the registry.
    pub name: String,
    /// The number itself.
    pub value: f64,
    /// What the number counts; `ratio` is a share between 0 and 1.
    pub unit: String,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// How many items were scored.
    pub n: usize,
}
