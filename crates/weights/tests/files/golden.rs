//! What PyTorch wrote, held against the same tensors as safetensors; see `tests/golden/weights`.

use std::path::{Path, PathBuf};

use sure_weights::{Dtype, Form, TensorFile};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/weights").join(name)
}

fn same(name: &str, form: Form, expected: &TensorFile) {
    let file = TensorFile::open(&path(name)).unwrap();
    assert_eq!(file.form(), form);
    assert_eq!(file.names().collect::<Vec<_>>(), expected.names().collect::<Vec<_>>(), "{name}");
    for tensor in expected.names() {
        let (found, expected) = (file.get(tensor).unwrap().unwrap(), expected.get(tensor).unwrap().unwrap());
        assert_eq!(found, expected, "{tensor} of {name}");
        assert_eq!((file.shape(tensor), file.dtype(tensor)), (Some(found.shape), Some(found.dtype)));
        assert_eq!(found.data.len(), found.shape.iter().product::<usize>() * found.dtype.size());
    }
    assert!(file.get("not there").unwrap().is_none() && file.shape("not there").is_none());
}

#[test]
fn both_forms_of_pytorch_hold_the_tensors_of_the_safetensors_file() {
    for name in ["tensors", "net", "parameters", "nested"] {
        let expected = TensorFile::open(&path(&format!("{name}.safetensors"))).unwrap();
        assert_eq!(expected.form(), Form::Safetensors);
        assert!(expected.names().count() > 3);
        same(&format!("{name}.zip.bin"), Form::TorchZip, &expected);
        same(&format!("{name}.legacy.bin"), Form::TorchLegacy, &expected);
    }
}

#[test]
fn every_type_of_elements_is_told_apart() {
    let file = TensorFile::open(&path("tensors.legacy.bin")).unwrap();
    for (name, dtype) in [
        ("f64", Dtype::F64),
        ("f32", Dtype::F32),
        ("f16", Dtype::F16),
        ("bf16", Dtype::BF16),
        ("i64", Dtype::I64),
        ("i32", Dtype::I32),
        ("i16", Dtype::I16),
        ("i8", Dtype::I8),
        ("u8", Dtype::U8),
        ("bool", Dtype::Bool),
    ] {
        assert_eq!(file.dtype(name), Some(dtype));
    }
    assert_eq!((file.shape("number").unwrap(), file.shape("empty").unwrap()), (&[][..], &[0, 7][..]));
}

#[test]
fn what_is_no_tensor_is_listed() {
    for name in ["nested.zip.bin", "nested.legacy.bin"] {
        let file = TensorFile::open(&path(name)).unwrap();
        let mut skipped: Vec<_> =
            file.skipped().iter().map(|skipped| (skipped.name.as_str(), skipped.what)).collect();
        skipped.sort_unstable();
        assert_eq!(
            skipped,
            [
                ("best", "number"),
                ("betas", "tuple"),
                ("big", "whole number"),
                ("done", "truth value"),
                ("dtype", "type of elements"),
                ("epoch", "whole number"),
                ("list", "list"),
                ("name", "text"),
                ("negative", "whole number"),
                ("nothing", "None"),
                ("optimizer.param_groups", "list"),
            ]
        );
    }
}

#[test]
fn every_cut_of_a_good_file_is_refused_or_complete() {
    for name in ["net.zip.bin", "net.legacy.bin", "net.safetensors"] {
        let bytes = std::fs::read(path(name)).unwrap();
        for length in 0..bytes.len() {
            let cut = TensorFile::from_bytes(Path::new(name), bytes[..length].to_vec());
            assert!(cut.is_err(), "{name} of {length} bytes was taken");
        }
    }
}

#[test]
fn no_changed_byte_makes_it_panic() {
    for name in ["parameters.zip.bin", "parameters.legacy.bin", "parameters.safetensors"] {
        let bytes = std::fs::read(path(name)).unwrap();
        for place in 0..bytes.len() {
            for change in [1, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[place] ^= change;
                if let Ok(file) = TensorFile::from_bytes(Path::new(name), changed) {
                    for tensor in file.names() {
                        // A wrong checksum is found here; other forms have none.
                        let _ = file.get(tensor);
                    }
                }
            }
        }
    }
}
