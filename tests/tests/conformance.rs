//! Every method on every backbone: what must hold of all of them, one generic test each.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::{collections::BTreeSet, fmt::Write as _};

use conformance::{BACKBONES, backbone, clips, distance, example, preset, stir};
use sure_bench::{
    model::{Declared, Start, build},
    presets,
};
use sure_nn::{
    Adapter, Backbone, BlockId, Compose, Cut, Cx, Input, Keep, KvPrefix, NoAdapter, Recorder, Seed, Site,
    State, Visit,
    tch::{self, Device, Tensor},
};
use sure_tasks::{SequenceClassification, Task};
use sure_train::{Adapted, Augment, Model, Regime, SpecAugment};

fn task() -> SequenceClassification {
    SequenceClassification::new(["no", "yes", "maybe"].map(str::to_owned).to_vec())
}

fn seeded(name: &str, method: &str, seed: u64) -> Model {
    let preset = preset(method);
    let regime = Regime::undisturbed(preset.unfreeze);
    build(backbone(name), &preset, &task(), regime, Start::Seeded(Seed::new(seed))).unwrap().0
}

fn model(name: &str, method: &str, regime: impl Fn(Regime) -> Regime) -> (Model, Declared) {
    let preset = preset(method);
    let regime = regime(Regime::undisturbed(preset.unfreeze));
    build(backbone(name), &preset, &task(), regime, Start::Seeded(Seed::new(5))).unwrap()
}

/// Every pair of backbone and method that there is: what acts in the convolutions of a front end needs some.
fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    BACKBONES.iter().flat_map(|name| {
        let fits = move |method: &&str| *method != "conv-2022" || !name.starts_with("text");
        presets::methods().into_iter().filter(fits).map(move |method| (*name, method))
    })
}

/// Calls `check` with every pair of method and backbone.
fn all(check: impl Fn(&str, &Model, Declared)) {
    for (name, method) in pairs() {
        let (model, declared) = model(name, method, |regime| regime);
        check(&format!("{method} on {name}"), &model, declared);
    }
}

#[test]
fn a_method_for_convolutions_is_refused_where_there_are_none() {
    let preset = preset("conv-2022");
    let regime = Regime::undisturbed(preset.unfreeze);
    let start = Start::Seeded(Seed::new(5));
    let error = build(backbone("text-encoders/bert"), &preset, &task(), regime, start).unwrap_err();
    assert!(format!("{error:#}").contains("conv"), "{error:#}");
}

fn state(model: &Model) -> State {
    let input = Input::collate(&clips(&*model.backbone), Device::Cpu);
    model.backbone.encode_until(&input, model.cut)
}

/// The logits in eval mode.
fn answer(model: &Model) -> Tensor {
    model.logits(state(model), &Cx::eval()).values
}

fn loss(model: &Model) -> Tensor {
    let logits = model.logits(state(model), &Cx::train(1));
    let examples = [example(0), example(2), example(1)];
    task().loss(&logits, &examples.iter().collect::<Vec<_>>())
}

/// Every call of an adapter in one forward pass.
fn visits(backbone: &dyn Backbone) -> Vec<Visit> {
    let input = Input::collate(&clips(backbone), Device::Cpu);
    let recorder = Recorder::new(&NoAdapter);
    let _guard = tch::no_grad_guard();
    let _ = backbone.encode(&input, &recorder, &Cx::eval(), Keep::Last);
    recorder.visits()
}

#[test]
fn a_backbone_visits_exactly_the_sites_of_its_anatomy() {
    for name in BACKBONES {
        let backbone = backbone(name);
        let visits = visits(&*backbone);
        let declared = backbone.anatomy().sites();
        assert_eq!(
            visits.iter().map(|(site, ..)| *site).collect::<BTreeSet<_>>(),
            declared.iter().map(|spec| spec.site).collect::<BTreeSet<_>>()
        );
        for (site, x, y) in visits {
            let spec = declared.iter().find(|spec| spec.site == site).unwrap();
            // Channels come last in blocks and second in the front end.
            let width = if spec.conv.is_some() { 1 } else { x.len() - 1 };
            assert_eq!((x[width], y[width]), (spec.in_dim, spec.out_dim), "{name} at {site}");
        }
    }
}

#[test]
fn the_visits_are_those_of_the_snapshot() {
    for name in BACKBONES {
        let mut log = String::new();
        for (site, x, y) in visits(&*backbone(name)) {
            writeln!(log, "{site} {x:?} -> {y:?}").unwrap();
        }
        insta::assert_snapshot!(name.replace('/', "-"), log);
    }
}

#[test]
fn a_fresh_adapter_is_the_identity_where_it_says_so() {
    all(|pair, model, _| {
        let identity = presets::method(pair.split(' ').next().unwrap()).unwrap().adapter;
        if identity.is_some_and(|adapter| adapter.identity_at_start()) {
            let _guard = tch::no_grad_guard();
            let with = answer(model);
            let without = model.logits_with(&NoAdapter, state(model), &Cx::eval()).values;
            assert!(with.equal(&without), "{pair}");
        }
    });
}

/// Backward from the loss; the names of trained parameters whose gradient is zero.
fn zero_gradients(pair: &str, model: &Model) -> BTreeSet<String> {
    stir(model);
    loss(model).backward();
    for (name, param) in model.backbone.store().iter() {
        let frozen = model.unfrozen.get(name).is_none();
        assert!(!frozen || !param.tensor.grad().defined(), "{pair}: frozen {name} has a gradient");
    }
    let mut zero = BTreeSet::new();
    for (part, store) in model.trained() {
        for (name, param) in store.iter() {
            let (full, grad) = (format!("{part}.{name}"), param.tensor.grad());
            let unused = model.is_unused(&full);
            assert_ne!(grad.defined(), unused, "{pair}: {full} has a gradient, or is unused: one of both");
            if !unused && grad.abs().max().double_value(&[]) == 0.0 {
                zero.insert(full);
            }
        }
    }
    zero
}

#[test]
fn gradients_reach_all_trained_parameters_and_no_others() {
    all(|pair, model, _| {
        let mut zero = zero_gradients(pair, model);
        let (method, name) = pair.split_once(" on ").unwrap();
        // In a gate of two channels both may rest by chance: what stays zero from every start is dead.
        for seed in 6..9 {
            if zero.is_empty() {
                return;
            }
            zero.retain({
                let again = zero_gradients(pair, &seeded(name, method, seed));
                move |name| again.contains(name)
            });
        }
        assert!(zero.is_empty(), "{pair}: no gradient at {zero:?}");
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
        let before = answer(model);
        stir(model);
        assert!(!before.equal(&answer(model)), "{pair}: stirring changed nothing");
        model.restore(&kept).unwrap();
        assert!(before.equal(&answer(model)), "{pair}");
    });
}

#[test]
fn merged_weights_answer_as_the_adapter() {
    all(|pair, model, _| {
        stir(model);
        let Some(deltas) = model.adapted.adapter.weight_deltas() else { return };
        let _guard = tch::no_grad_guard();
        let with = answer(model);
        for (site, delta) in deltas {
            let weight = model.backbone.weight(site).unwrap();
            weight.shallow_clone().copy_(&(weight + delta));
        }
        let merged = model.logits_with(&NoAdapter, state(model), &Cx::eval()).values;
        assert!(distance(&merged, &with) < 1e-5, "{pair}");
    });
}

#[test]
fn a_padded_batch_answers_as_each_clip_alone() {
    all(|pair, model, _| {
        stir(model);
        let _guard = tch::no_grad_guard();
        let batch = answer(model);
        for (row, clip) in clips(&*model.backbone).into_iter().enumerate() {
            let alone = model.logits_of(&Input::collate(&[clip], Device::Cpu), &Cx::eval()).values;
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
        let split = model.logits(model.backbone.encode_until(&input, model.cut), &Cx::eval()).values;
        assert!(split.equal(&model.logits_of(&input, &Cx::eval()).values), "{pair}");
    });
}

#[test]
fn the_cut_is_as_high_as_the_method_allows() {
    all(|pair, model, _| {
        let expected = match pair.split(' ').next().unwrap() {
            "linear" => Cut::Output,
            "finetune" => Cut::Features,
            "conv-2022" => Cut::Input,
            _ => Cut::Block(0),
        };
        assert_eq!(model.cut, expected, "{pair}");
    });
}

/// Two adapters, one written after the other by hand.
#[derive(Debug)]
struct Then(Box<dyn Adapter + Send>, Box<dyn Adapter + Send>);

impl Adapter for Then {
    fn around(&self, at: Site, x: &Tensor, y: Tensor, cx: &Cx) -> Tensor {
        let first = self.0.around(at, x, y, cx);
        self.1.around(at, x, first, cx)
    }

    fn kv_prefix(&self, at: BlockId, cx: &Cx) -> Option<KvPrefix> {
        self.0.kv_prefix(at, cx).or_else(|| self.1.kv_prefix(at, cx))
    }
}

#[test]
fn composed_adapters_answer_as_one_after_the_other() {
    let pairs =
        [("lora", "conv"), ("bottleneck", "prefix"), ("tiny-conformer", "bottleneck"), ("prefix", "lora")];
    for name in BACKBONES {
        let input = Input::collate(&clips(&*backbone(name)), Device::Cpu);
        for (first, second) in pairs {
            let adapters = || {
                let adapter = |method: &str| {
                    let (model, _) = model(name, method, |regime| regime);
                    stir(&model);
                    model.adapted
                };
                let (Adapted { adapter: a, .. }, Adapted { adapter: b, .. }) =
                    (adapter(first), adapter(second));
                (a, b)
            };
            let _guard = tch::no_grad_guard();
            let encode = |adapter: &dyn Adapter| {
                backbone(name).encode(&input, adapter, &Cx::eval(), Keep::Last).last().shallow_clone()
            };
            let (a, b) = adapters();
            let alone = encode(&*a);
            let composed = encode(&Compose::new(vec![a, b]));
            let (a, b) = adapters();
            assert!(composed.equal(&encode(&Then(a, b))), "{first} then {second} on {name}");
            assert!(distance(&composed, &alone) > 1e-3, "{second} after {first} on {name} does nothing");
        }
    }
}

#[test]
fn two_updates_of_one_weight_add_up_when_merged() {
    let (first, _) = model("whisper", "lora", |regime| regime);
    let (second, _) = model("whisper", "lora", |regime| regime);
    stir(&first);
    stir(&second);
    let input = Input::collate(&clips(&*first.backbone), Device::Cpu);
    let both = Compose::new(vec![first.adapted.adapter, second.adapted.adapter]);
    let _guard = tch::no_grad_guard();
    let with = first.backbone.encode(&input, &both, &Cx::eval(), Keep::Last).last().shallow_clone();
    for (site, delta) in both.weight_deltas().unwrap() {
        let weight = first.backbone.weight(site).unwrap();
        weight.shallow_clone().copy_(&(weight + delta));
    }
    let merged = first.backbone.encode(&input, &NoAdapter, &Cx::eval(), Keep::Last);
    assert!(distance(merged.last(), &with) < 1e-5);
}

/// The disturbances of the SURE paper's training: two spans or more of ten frames, and the backbone's dropout.
fn disturbed(regime: Regime) -> Regime {
    let augment = Augment::SpecAugment(SpecAugment { share: 0.05, length: 10, min_spans: 2 });
    Regime { augment, backbone_dropout: true, ..regime }
}

#[test]
fn a_disturbed_step_is_a_function_of_its_seed_and_leaves_evaluation_alone() {
    for (name, method) in pairs() {
        let (model, _) = model(name, method, disturbed);
        assert!(model.cut <= Cut::Features, "{method} on {name}");
        let _guard = tch::no_grad_guard();
        let step = |seed| model.logits(state(&model), &model.training_cx(Seed::new(seed))).values;
        let eval = || answer(&model);
        let first = step(1);
        assert!(first.equal(&step(1)), "{method} on {name}: the same seed, another answer");
        assert!(!first.equal(&step(2)), "{method} on {name}: the seed changes nothing");
        let (plain, _) = self::model(name, method, |regime| regime);
        assert!(distance(&eval(), &answer(&plain)) < 1e-5);
    }
}

#[test]
fn the_backbones_own_dropout_acts_where_it_is_switched_on() {
    // The tiny Whisper's rates are zero.
    for name in BACKBONES.iter().filter(|name| **name != "whisper") {
        for method in ["lora", "finetune"] {
            let (model, _) = model(name, method, |regime| Regime { backbone_dropout: true, ..regime });
            let _guard = tch::no_grad_guard();
            let step = |seed| model.logits(state(&model), &model.training_cx(Seed::new(seed))).values;
            let eval = answer(&model);
            let first = step(1);
            assert!(distance(&first, &eval) > 1e-3, "{method} on {name}: nothing is dropped");
            assert!(first.equal(&step(1)), "{method} on {name}: the same seed, another answer");
            assert!(!first.equal(&step(2)), "{method} on {name}: the seed changes nothing");
        }
    }
}

#[test]
fn full_fine_tuning_trains_the_mask_vector_only_where_frames_are_hidden() {
    for name in BACKBONES.iter().filter(|name| name.starts_with("speech")) {
        let (plain, _) = model(name, "finetune", |regime| regime);
        assert!(plain.unfrozen.get("mask_vector").is_none(), "{name}");
        let (model, _) = model(name, "finetune", disturbed);
        let logits = model.logits(state(&model), &model.training_cx(Seed::new(1)));
        let examples = [example(0), example(2), example(1)];
        task().loss(&logits, &examples.iter().collect::<Vec<_>>()).backward();
        for (part, store) in model.trained() {
            for (name, param) in store.iter() {
                assert!(param.tensor.grad().defined(), "{part}.{name} has no gradient");
            }
        }
        let grad = model.unfrozen.get("mask_vector").unwrap().tensor.grad();
        assert!(grad.abs().max().double_value(&[]) > 0.0, "{name}");
    }
}
