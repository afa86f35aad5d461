//! JSON with one spelling, for hashing.

use serde::Serialize;
use serde_json::{Map, Value};

const PLAIN: &str = "the types of this crate are plain data with text keys";

/// One of this crate's types as a JSON value.
pub(crate) fn value(plain: &impl Serialize) -> Value {
    serde_json::to_value(plain).expect(PLAIN)
}

/// One of this crate's types as a line of JSON.
pub(crate) fn line(plain: &impl Serialize) -> String {
    serde_json::to_string(plain).expect(PLAIN) + "\n"
}

/// One of this crate's types as an indented JSON file.
pub(crate) fn file(plain: &impl Serialize) -> String {
    serde_json::to_string_pretty(plain).expect(PLAIN) + "\n"
}

/// The one JSON text of a value: no spaces, the keys of every object sorted by their bytes.
pub fn canonical_json(value: &Value) -> String {
    sorted(value).to_string()
}

/// The value with the keys of every object sorted.
pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            Value::Object(
                keys.into_iter().map(|key| (key.clone(), sorted(&fields[key]))).collect::<Map<_, _>>(),
            )
        }
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth_and_lists_keep_their_order() {
        let value = json!({"b": [{"z": 1.0, "a": null}, 2], "a": {"d": "x", "c": true}});
        assert_eq!(canonical_json(&value), r#"{"a":{"c":true,"d":"x"},"b":[{"a":null,"z":1.0},2]}"#);
    }
}
