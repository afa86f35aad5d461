//! Everything that can move a number, and its hash.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::RecordsError;
use crate::canonical::{canonical_json, sorted, value};
use crate::owner::hex;

/// Everything that can move a number of a run. Two runs with the same cell give the same record.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The suite's name.
    pub suite: String,
    /// Its version; anything that can move a number raises it.
    pub suite_version: u32,
    /// The task's name.
    pub task: String,
    /// The data set's name.
    pub set: String,
    /// The hash of the labelled utterances with their samples.
    pub data_fingerprint: String,
    /// The backbone, as a person names it.
    pub backbone: String,
    /// The hash of its weights.
    pub weights_hash: String,
    /// The method's name.
    pub method: String,
    /// The seed of everything random.
    pub seed: u64,
    /// The precision of the frozen part, for example `fp32`.
    pub precision: String,
    /// `cpu` or `cuda`.
    pub device: String,
    /// How many threads compute.
    pub threads: usize,
    /// The whole resolved configuration: method, task, optimisation.
    #[serde(serialize_with = "serialize_sorted")]
    pub config: Value,
}

impl Cell {
    /// The hash of the cell's canonical JSON.
    pub fn id(&self) -> CellId {
        CellId::of(canonical_json(&value(self)).as_bytes())
    }

    /// `task/set`, as tables and `--tasks` name it.
    pub fn column(&self) -> String {
        format!("{}/{}", self.task, self.set)
    }
}

// Two configurations that differ in the order of their keys alone are the same cell and give the same bytes.
fn serialize_sorted<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    sorted(value).serialize(serializer)
}

/// The name of a cell: the first 32 hexadecimal digits of the sha256 of its canonical JSON.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct CellId(String);

impl CellId {
    const DIGITS: usize = 32;

    fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        Self(hex(&digest[..Self::DIGITS / 2]))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CellId {
    type Err = RecordsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == Self::DIGITS && text.bytes().all(digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RecordsError::CellId { text: text.to_owned() })
        }
    }
}

impl TryFrom<String> for CellId {
    type Error = RecordsError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CellId> for String {
    fn from(id: CellId) -> Self {
        id.0
    }
}

impl fmt::Display for CellId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn cell(method: &str, seed: u64) -> Cell {
        Cell {
            suite: "sure".into(),
            suite_version: 1,
            task: "ks".into(),
            set: "digits".into(),
            data_fingerprint: "d0".into(),
            backbone: "tiny".into(),
            weights_hash: "w0".into(),
            method: method.into(),
            seed,
            precision: "fp32".into(),
            device: "cpu".into(),
            threads: 2,
            config: json!({"optim": {"lr": 0.1, "max_steps": 200}, "method": {"rank": 8}}),
        }
    }

    #[test]
    fn the_id_is_the_hash_of_the_sorted_json() {
        let text = concat!(
            r#"{"backbone":"tiny","config":{"method":{"rank":8},"optim":{"lr":0.1,"max_steps":200}},"#,
            r#""data_fingerprint":"d0","device":"cpu","method":"lora","precision":"fp32","seed":1,"set":"digits","#,
            r#""suite":"sure","suite_version":1,"task":"ks","threads":2,"weights_hash":"w0"}"#
        );
        assert_eq!(cell("lora", 1).id(), CellId::of(text.as_bytes()));
    }

    #[test]
    fn the_order_of_configuration_keys_does_not_change_the_id_but_any_value_does() {
        let first = cell("lora", 1);
        let mut second = first.clone();
        second.config = json!({"method": {"rank": 8}, "optim": {"max_steps": 200, "lr": 0.1}});
        assert_eq!(first.id(), second.id());
        second.config["optim"]["max_steps"] = json!(201);
        assert_ne!(first.id(), second.id());
        assert_ne!(first.id(), cell("lora", 2).id());
    }

    #[test]
    fn the_id_survives_a_round_trip_through_json() {
        let mut odd = cell("lora", u64::MAX);
        odd.config =
            json!({"lr": 1e-3, "small": 1.000_000_000_000_000_2e-300, "third": 1.0 / 3.0, "one": 1.0});
        let text = serde_json::to_string_pretty(&odd).unwrap();
        assert_eq!(serde_json::from_str::<Cell>(&text).unwrap().id(), odd.id());
    }

    #[test]
    fn only_32_lower_case_hexadecimal_digits_are_an_id() {
        let id = cell("lora", 1).id();
        assert_eq!(id.to_string().parse::<CellId>().unwrap(), id);
        for text in [
            "",
            "abc",
            &id.as_str().to_uppercase(),
            &format!("{id}0"),
            &"g".repeat(32),
            "../../../../../../etc/passwd/xxxx",
        ] {
            assert!(text.parse::<CellId>().is_err(), "{text}");
            assert!(serde_json::from_value::<CellId>(json!(text)).is_err(), "{text}");
        }
    }
}
