//! Every method on every backbone: what must hold of all of them, one generic test each.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use conformance::{BACKBONES, backbone, clips, distance, example};
use sure_bench::{
    model::{Declared, Start, build},
    presets,
};
use sure_nn::{
    Cut, Cx, Input, Keep, NoAdapter, Recorder, Seed, State,
    tch::{self, Device, Tensor},
};
use sure_tasks::{SequenceClassification, Task};
use sure_train::Model;

fn task() -> SequenceClassification {
    SequenceClassification::new(["no", "yes", "maybe"].map(str::to_owned).to_vec())
}

/// Calls `check` with every pair of method and backbone.
fn all(check: impl Fn(&str, &Model, Declared)) {
    for name in BACKBONES {
        for method in presets::methods() {
            let preset = presets::method(method).unwrap();
            let start = Start::Seeded(Seed::new(5));
            let (model, declared) = build(backbone(name), &preset, &task(), start).unwrap();
            check(&format!("{method} on {name}"), &model, declared);
        }
    }
}

/// Moves every trained parameter away from where it starts, as training would.
fn stir(model: &Model) {
    let _guard = tch::no_grad_guard();
    for (_, store) in model.trained() {
        for (_, param) in store.iter() {
            let count = param.tensor.numel() as i64;
            let wave = Tensor::arange(count, (tch::Kind::Float, Device::Cpu)).sin() * 0.05;
            let moved = &param.tensor + wave.view_as(&param.tensor);
            param.tensor.shallow_clone().copy_(&moved);
        }
    }
}

fn state(model: &Model) -> State {
    let input = Input::collate(&clips(&*model.backbone), Device::Cpu);
    model.backbone.encode_until(&input, model.cut)
}

fn loss(model: &Model) -> Tensor {
    let logits = model.logits(state(model), &Cx::train(1));
    let examples = [example(0), example(2), example(1)];
    task().loss(&logits, &examples.iter().collect::<Vec<_>>())
}

#[test]
fn a_backbone_visits_exactly_the_sites_of_its_anatomy() {
    for name in BACKBONES {
        let backbone = backbone(name);
        let input = Input::collate(&clips(&*backbone), Device::Cpu);
        let recorder = Recorder::new(&NoAdapter);
        let _guard = tch::no_grad_guard();
        let _ = backbone.encode(&input, &recorder, &Cx::eval(), Keep::Last);
        let mut declared: Vec<_> = backbone.anatomy().sites();
        declared.sort_by_key(|spec| spec.site);
        assert_eq!(
            recorder.sites().into_iter().collect::<Vec<_>>(),
            declared.iter().map(|s| s.site).collect::<Vec<_>>()
        );
        for (site, x, y) in recorder.visits() {
            let spec = declared.iter().find(|spec| spec.site == site).unwrap();
            assert_eq!((x.last(), y.last()), (Some(&spec.in_dim), Some(&spec.out_dim)), "{name} at {site}");
        }
    }
}

#[test]
fn a_fresh_adapter_is_the_identity_where_it_says_so() {
    all(|pair, model, _| {
        let identity = presets::method(pair.split(' ').next().unwrap()).unwrap().adapter;
        if identity.is_some_and(|adapter| adapter.identity_at_start()) {
            let _guard = tch::no_grad_guard();
            let with = model.logits(state(model), &Cx::eval());
            let without = model.logits_with(&NoAdapter, state(model), &Cx::eval());
            assert!(with.equal(&without), "{pair}");
        }
    });
}

#[test]
fn gradients_reach_all_trained_parameters_and_no_others() {
    all(|pair, model, _| {
        stir(model);
        loss(model).backward();
        for (part, store) in model.trained() {
            for (name, param) in store.iter() {
                let grad = param.tensor.grad();
                assert!(grad.defined(), "{pair}: {part}.{name} has no gradient");
                assert!(
                    grad.abs().max().double_value(&[]) > 0.0,
                    "{pair}: {part}.{name} has a zero gradient"
                );
            }
        }
        for (name, param) in model.backbone.store().iter() {
            let frozen = model.unfrozen.get(name).is_none();
            assert!(!frozen || !param.tensor.grad().defined(), "{pair}: frozen {name} has a gradient");
        }
    });
}

#[test]
fn the_built_parameters_are_as_many_as_the_formulas_say() {
    all(|pair, model, declared| {
        assert_eq!(model.adapted.store.count(), declared.adapter, "{pair}");
        assert_eq!(model.headed.store.count(), declared.head, "{pair}");
    });
}

#[test]
fn a_snapshot_restores_the_answers() {
    all(|pair, model, _| {
        stir(model);
        let kept = model.snapshot();
        let _guard = tch::no_grad_guard();
        let before = model.logits(state(model), &Cx::eval());
        stir(model);
        assert!(!before.equal(&model.logits(state(model), &Cx::eval())), "{pair}: stirring changed nothing");
        model.restore(&kept).unwrap();
        assert!(before.equal(&model.logits(state(model), &Cx::eval())), "{pair}");
    });
}

#[test]
fn merged_weights_answer_as_the_adapter() {
    all(|pair, model, _| {
        stir(model);
        let Some(deltas) = model.adapted.adapter.weight_deltas() else { return };
        let _guard = tch::no_grad_guard();
        let with = model.logits(state(model), &Cx::eval());
        for (site, delta) in deltas {
            let weight = model.backbone.weight(site).unwrap();
            weight.shallow_clone().copy_(&(weight + delta));
        }
        let merged = model.logits_with(&NoAdapter, state(model), &Cx::eval());
        assert!(distance(&merged, &with) < 1e-5, "{pair}");
    });
}

#[test]
fn a_padded_batch_answers_as_each_clip_alone() {
    all(|pair, model, _| {
        stir(model);
        let _guard = tch::no_grad_guard();
        let batch = model.logits(state(model), &Cx::eval());
        for (row, clip) in clips(&*model.backbone).into_iter().enumerate() {
            let alone = model.logits_of(&Input::collate(&[clip], Device::Cpu), &Cx::eval());
            let distance = distance(&batch.get(row as i64), &alone.get(0));
            assert!(distance < 1e-5, "{pair}, clip {row}: {distance:e}");
        }
    });
}

#[test]
fn a_model_split_at_its_cut_answers_as_the_whole() {
    all(|pair, model, _| {
        stir(model);
        let _guard = tch::no_grad_guard();
        let input = Input::collate(&clips(&*model.backbone), Device::Cpu);
        let split = model.logits(model.backbone.encode_until(&input, model.cut), &Cx::eval());
        assert!(split.equal(&model.logits_of(&input, &Cx::eval())), "{pair}");
    });
}

#[test]
fn the_cut_is_as_high_as_the_method_allows() {
    all(|pair, model, _| {
        let expected = match pair.split(' ').next().unwrap() {
            "linear" => Cut::Output,
            "finetune" => Cut::Features,
            _ => Cut::Block(0),
        };
        assert_eq!(model.cut, expected, "{pair}");
    });
}
