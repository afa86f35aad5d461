//! Planted faults: each run must end with the name of the tensor at fault and `outcome = error`.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

#[expect(dead_code, reason = "planted faults need no second process")]
mod common;
#[path = "common/planned.rs"]
mod planned;

use std::{fs, path::Path};

use common::spoken;
use planned::{planned, planned_on};
use sure_bench::cell::{CellOptions, Tamper, run_cell};
use sure_nn::{
    Adapter, Checkpoint, Cx, Role, Site,
    tch::{Device, Kind, Tensor},
};
use sure_records::Outcome;
use sure_train::{Model, Silent};

/// Plans a short cell, runs it with a fault, and returns kind and tensor of its error.
fn run_with(method: &str, options: &CellOptions) -> (String, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let run = planned(method, folder.path(), Some(4));
    let cell = folder.path().join("cell");
    run.write(&cell).unwrap();
    let record = run_cell(&cell, options, &mut Silent).unwrap();
    let stored = fs::read_to_string(cell.join("record.json")).unwrap();
    assert_eq!(stored, record.to_json());
    match record.outcome {
        Outcome::Error { kind, tensor, .. } => (kind, tensor),
        Outcome::Ok => panic!("the fault went unnoticed"),
    }
}

fn tampered(method: &str, tamper: Tamper) -> (String, Option<String>) {
    run_with(method, &CellOptions { tamper: Some(tamper), after_save: None })
}

#[test]
fn an_adapter_that_is_never_called_is_a_dead_parameter() {
    /// An adapter with parameters that it does not use.
    #[derive(Debug)]
    struct Deaf;
    impl Adapter for Deaf {}

    let (kind, tensor) = tampered("lora", &|model| model.adapted.adapter = Box::new(Deaf));
    assert_eq!(kind, "dead-parameter");
    assert_eq!(tensor.as_deref(), Some("adapter.encoder.0.down.lora_a"));
}

/// Everything between the adapter and the head is computed without a gradient, as it was in the reference's runs of
/// speech and phoneme recognition: a checkpointed block whose input asks for none. Only the head learns there.
#[test]
fn an_adapter_behind_which_the_gradient_stops_is_a_dead_parameter_in_every_ctc_task() {
    #[derive(Debug)]
    struct Stopped(Box<dyn Adapter + Send>);

    impl Adapter for Stopped {
        fn around(&self, at: Site, x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
            self.0.around(at, x, y, cx).detach()
        }
    }

    let stop = |model: &mut Model| {
        let inner = std::mem::replace(&mut model.adapted.adapter, Box::new(sure_nn::NoAdapter));
        model.adapted.adapter = Box::new(Stopped(inner));
    };
    let corpus = tempfile::tempdir().unwrap();
    let data = spoken(corpus.path());
    for task in ["asr", "pr", "sf"] {
        let folder = tempfile::tempdir().unwrap();
        planned_on(&data, task, "conv", Some(4)).write(folder.path()).unwrap();
        let options = CellOptions { tamper: Some(&stop), after_save: None };
        let record = run_cell(folder.path(), &options, &mut Silent).unwrap();
        let Outcome::Error { kind, tensor, .. } = record.outcome else { panic!("{task}: unnoticed") };
        assert_eq!(kind, "dead-parameter", "{task}");
        assert_eq!(tensor.as_deref(), Some("adapter.encoder.0.block.conv1.weight"), "{task}");
    }
}

#[test]
fn a_frozen_weight_that_changes_is_named() {
    /// Moves a frozen weight of the backbone a little at every visit.
    #[derive(Debug)]
    struct Leak(Box<dyn Adapter + Send>, Tensor);

    impl Adapter for Leak {
        fn around(&self, at: Site, x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
            if cx.train && at.block == 0 {
                let _guard = sure_nn::tch::no_grad_guard();
                let _ = self.1.shallow_clone().g_mul_scalar_(0.999);
            }
            self.0.around(at, x, y, cx)
        }
    }

    let leak = |model: &mut Model| {
        let frozen = model.backbone.store().get("norm.weight").unwrap().tensor.shallow_clone();
        let inner = std::mem::replace(&mut model.adapted.adapter, Box::new(sure_nn::NoAdapter));
        model.adapted.adapter = Box::new(Leak(inner, frozen));
    };
    let (kind, tensor) = tampered("lora", &leak);
    assert_eq!((kind.as_str(), tensor.as_deref()), ("frozen-changed", Some("norm.weight")));
}

#[test]
fn a_head_that_is_not_saved_is_named() {
    let drop_head = |folder: &Path| {
        let path = folder.join("model.safetensors");
        let mut tensors = Checkpoint::open(std::slice::from_ref(&path)).unwrap().read_all().unwrap();
        tensors.retain(|name, _| !name.starts_with("head.projector"));
        fs::write(&path, Checkpoint::to_bytes(&tensors, None).unwrap()).unwrap();
    };
    let (kind, tensor) = run_with("lora", &CellOptions { tamper: None, after_save: Some(&drop_head) });
    assert_eq!((kind.as_str(), tensor.as_deref()), ("missing-tensor", Some("head.projector.bias")));
}

#[test]
fn a_head_that_is_saved_wrong_is_named() {
    let spoil = |folder: &Path| {
        let path = folder.join("model.safetensors");
        let tensors = Checkpoint::open(std::slice::from_ref(&path)).unwrap().read_all().unwrap();
        let _ = tensors["head.classifier.weight"].shallow_clone().g_mul_scalar_(1.5);
        fs::write(&path, Checkpoint::to_bytes(&tensors, None).unwrap()).unwrap();
    };
    let (kind, tensor) = run_with("linear", &CellOptions { tamper: None, after_save: Some(&spoil) });
    assert_eq!((kind.as_str(), tensor.as_deref()), ("reload-differs", Some("head.classifier.weight")));
}

#[test]
fn a_parameter_beyond_the_formula_is_noticed() {
    let extra = |model: &mut Model| {
        let tensor = Tensor::zeros([3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        model.adapted.store.insert("stray", tensor, Role::Weight).unwrap();
    };
    assert_eq!(tampered("lora", &extra).0, "count-differs");
}
