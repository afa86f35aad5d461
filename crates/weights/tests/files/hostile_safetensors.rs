//! Headers of safetensors files that lie: each is refused with the reason.

use sure_weights::WeightsError;

use crate::make::{open, refused};

/// A file with that header and 24 bytes of elements.
fn file(header: &str) -> Vec<u8> {
    with_length(header.len() as u64, header)
}

fn with_length(length: u64, header: &str) -> Vec<u8> {
    [&length.to_le_bytes()[..], header.as_bytes(), &[1; 24]].concat()
}

#[test]
fn a_good_file_made_the_same_way_is_taken() {
    let bytes =
        file(r#"{"__metadata__":{"note":"kept"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#);
    let file = open(&bytes).unwrap();
    assert_eq!((file.metadata("note"), file.metadata("else")), (Some("kept"), None));
    assert_eq!(file.get("a").unwrap().unwrap().data.len(), 24);
    assert!(file.skipped().is_empty());
}

#[test]
fn headers_that_lie_about_ranges_are_refused() {
    let one = |info: &str| format!(r#"{{"a":{info}}}"#);
    let two = |first: &str, second: &str| format!(r#"{{"a":{first},"b":{second}}}"#);
    for header in [
        // Shapes and ranges that disagree, and products that cannot be counted.
        one(r#"{"dtype":"F32","shape":[7],"data_offsets":[0,24]}"#),
        one(r#"{"dtype":"F64","shape":[2,3],"data_offsets":[0,24]}"#),
        one(r#"{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,24]}"#),
        one(r#"{"dtype":"F32","shape":[18446744073709551615,3],"data_offsets":[0,24]}"#),
        one(r#"{"dtype":"F32","shape":[-6],"data_offsets":[0,24]}"#),
        one(r#"{"dtype":"F32","shape":[6.5],"data_offsets":[0,24]}"#),
        // Ranges that leave the file, run backwards, or leave a rest.
        one(r#"{"dtype":"F32","shape":[7],"data_offsets":[0,28]}"#),
        one(r#"{"dtype":"F32","shape":[6],"data_offsets":[24,0]}"#),
        one(r#"{"dtype":"F32","shape":[5],"data_offsets":[4,24]}"#),
        one(r#"{"dtype":"F32","shape":[5],"data_offsets":[0,20]}"#),
        one(r#"{"dtype":"F32","shape":[6],"data_offsets":[18446744073709551592,18446744073709551615]}"#),
        one(r#"{"dtype":"U8","shape":[18446744073709551600],"data_offsets":[0,18446744073709551600]}"#),
        // Overlaps and holes.
        two(
            r#"{"dtype":"F32","shape":[4],"data_offsets":[0,16]}"#,
            r#"{"dtype":"F32","shape":[4],"data_offsets":[8,24]}"#,
        ),
        two(
            r#"{"dtype":"F32","shape":[6],"data_offsets":[0,24]}"#,
            r#"{"dtype":"F32","shape":[6],"data_offsets":[0,24]}"#,
        ),
        two(
            r#"{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#,
            r#"{"dtype":"F32","shape":[2],"data_offsets":[16,24]}"#,
        ),
        one(r#"{"dtype":"F31","shape":[6],"data_offsets":[0,24]}"#),
        one(r#"{"shape":[6],"data_offsets":[0,24]}"#),
        "{}".to_owned(),
        "{".to_owned(),
        format!("{}{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000)),
    ] {
        let error = refused(&file(&header));
        assert!(matches!(error, WeightsError::Safetensors { .. }), "{error}");
    }
}

#[test]
fn headers_that_lie_about_their_length_are_refused() {
    let header = r#"{"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]}}"#;
    for length in [1, header.len() as u64 - 1, header.len() as u64 + 1, 1000, u64::from(u32::MAX)] {
        let error = refused(&with_length(length, header));
        assert!(matches!(error, WeightsError::Safetensors { .. }), "{error}");
    }
    // Longer than any header that is read.
    for length in [1 << 32, u64::MAX] {
        assert!(matches!(refused(&with_length(length, header)), WeightsError::Form { .. }));
    }
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    let info = r#"{"dtype":"F32","shape":[6],"data_offsets":[0,24]}"#;
    let error = refused(&file(&format!(r#"{{"a":{info},"\u0061":{info}}}"#)));
    assert!(matches!(error, WeightsError::Duplicate { .. }), "{error}");
}

#[test]
fn a_type_that_is_not_read_is_named() {
    let error = refused(&file(r#"{"a":{"dtype":"F8_E4M3","shape":[24],"data_offsets":[0,24]}}"#));
    assert!(matches!(error, WeightsError::Dtype { .. }) && error.to_string().contains("F8_E4M3"), "{error}");
}
