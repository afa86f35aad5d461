use serde_json::{Map, Value};

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
