//! A checkpoint is the same backbone in every form that PyTorch has had, whole or in shards, in either spelling of weight
//! norm (`tests/golden/weights`).
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use sure_nn::{Backbone, tch::Device};
use sure_zoo::{Compat, LoadOptions, Weights, ZooError, from_dir};

fn golden(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(folder)
}

fn open(folder: &Path) -> Result<Box<dyn Backbone>, ZooError> {
    let options = LoadOptions { weights: Weights::Pretrained, device: Device::Cpu, compat: Compat::Sure };
    from_dir(folder, &options)
}

/// A folder with the configuration of a network of `speech`, and weights from elsewhere.
fn repository(name: &str, weights: &[(PathBuf, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "preprocessor_config.json"] {
        fs::copy(golden("speech").join(name).join(file), folder.path().join(file)).unwrap();
    }
    for (from, to) in weights {
        fs::copy(from, folder.path().join(to)).unwrap();
    }
    folder
}

/// Every parameter equals that of the safetensors file, to the bit.
fn same(name: &str, folder: &Path) {
    let (found, expected) = (open(folder).unwrap(), open(&golden("speech").join(name)).unwrap());
    assert!(expected.store().count() > 10_000);
    assert_eq!(found.store().hash(), expected.store().hash());
    assert_eq!(found.identity(), expected.identity());
}

#[test]
fn a_file_of_pytorch_in_either_form_gives_the_same_parameters() {
    for form in ["zip.bin", "legacy.bin"] {
        let weights = [(golden("weights/hubert-base").join(form), "pytorch_model.bin")];
        same("hubert-base", repository("hubert-base", &weights).path());
    }
}

#[test]
fn shards_of_pytorch_give_the_same_parameters() {
    let names = [
        "pytorch_model.bin.index.json",
        "pytorch_model-00001-of-00002.bin",
        "pytorch_model-00002-of-00002.bin",
    ];
    let weights = names.map(|name| (golden("weights/wav2vec2-large").join(name), name));
    same("wav2vec2-large", repository("wav2vec2-large", &weights).path());
    let short = repository("wav2vec2-large", &weights[..2]);
    assert!(matches!(open(short.path()), Err(ZooError::Build { .. })));
}

#[test]
fn tensors_that_nobody_asked_for_are_listed_in_these_forms_too() {
    let weights = [(golden("weights").join("net.legacy.bin"), "pytorch_model.bin")];
    let folder = repository("hubert-base", &weights);
    let error = open(folder.path()).err().unwrap();
    assert!(matches!(error, ZooError::Build { .. }), "{error}");
}

#[test]
fn a_file_that_would_run_something_is_refused() {
    let mut bytes = fs::read(golden("weights/hubert-base/legacy.bin")).unwrap();
    let name = b"ccollections\nOrderedDict\n";
    let place = bytes.windows(name.len()).position(|window| window == name).unwrap();
    bytes.splice(place..place + name.len(), *b"cos\nsystem\n");
    let folder = repository("hubert-base", &[]);
    fs::write(folder.path().join("pytorch_model.bin"), bytes).unwrap();
    let error = open(folder.path()).err().unwrap().to_string();
    assert!(error.contains("os.system"), "{error}");
}
