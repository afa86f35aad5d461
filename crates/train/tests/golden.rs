//! AdamW, gradient clipping and schedules against torch and `transformers` (`tests/golden/adamw`, `.../schedules`).
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;
use sure_nn::{
    Checkpoint, Role, Store,
    tch::{self, Tensor},
};
use sure_train::{AdamW, Schedule, Warmup};

const NAMES: [&str; 3] = ["cube", "matrix", "vector"];

fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden")).join(name)
}

struct Reference(Checkpoint);

impl Reference {
    fn open() -> Self {
        Self(Checkpoint::open(&[golden("adamw/reference.safetensors")]).unwrap())
    }

    fn get(&self, name: &str) -> Tensor {
        self.0.tensor(name).unwrap().unwrap_or_else(|| panic!("the golden file has no {name}"))
    }

    /// The three parameters with their initial values; weights decay, the vector is a bias.
    fn store(&self) -> Store {
        let mut store = Store::default();
        for name in NAMES {
            let role = if name == "vector" { Role::Bias } else { Role::Weight };
            let tensor = self.get(&format!("initial.{name}")).set_requires_grad(true);
            store.insert(name, tensor, role).unwrap();
        }
        store
    }
}

/// Gives every parameter exactly the gradient that `grads` names.
fn backward(store: &Store, grads: &BTreeMap<&str, Tensor>) {
    let mut loss = Tensor::from(0.0f32);
    for (name, grad) in grads {
        loss += (&store.get(name).unwrap().tensor * grad).sum(tch::Kind::Float);
    }
    loss.backward();
}

fn assert_close(ours: &Tensor, theirs: &Tensor, what: &str) {
    let scale = theirs.abs().max().double_value(&[]).max(1.0);
    let distance = (ours.detach() - theirs).abs().max().double_value(&[]) / scale;
    assert!(distance < 1e-5, "{what}: {distance:e}");
}

/// The parameters to compare at `step`. In steps 20 to 24 torch was given no gradient for the cube, which leaves it where
/// it is; libtorch from Rust cannot unset a gradient, only zero it, so the cube is compared up to there.
fn compared(step: usize) -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().filter(move |name| step < 20 || *name != "cube")
}

#[test]
fn fifty_steps_equal_torch_optim_adamw() {
    let reference = Reference::open();
    let store = reference.store();
    let rates = Vec::<f32>::try_from(reference.get("lr")).unwrap();
    let mut optimiser = AdamW::new();
    // A rate of one: the schedule's factor is then the rate itself.
    optimiser.add("p", &store, 1.0, 0.01);
    for (step, &rate) in rates.iter().enumerate() {
        let grads = NAMES
            .into_iter()
            .map(|name| (name, reference.get(&format!("grad.{name}")).get(step as i64)))
            .collect();
        optimiser.zero_grad();
        backward(&store, &grads);
        optimiser.step(f64::from(rate));
        if let 1 | 10 | 50 = step + 1 {
            for name in compared(step) {
                let theirs = reference.get(&format!("after.{}.{name}", step + 1));
                let ours = &store.get(name).unwrap().tensor;
                assert_close(ours, &theirs, &format!("{name} after {} steps", step + 1));
            }
        }
    }
    let state = optimiser.state();
    for name in compared(rates.len()) {
        assert_close(&state[&format!("mean.p.{name}")], &reference.get(&format!("exp_avg.{name}")), name);
        assert_close(
            &state[&format!("square.p.{name}")],
            &reference.get(&format!("exp_avg_sq.{name}")),
            name,
        );
    }
}

#[test]
fn a_saved_state_continues_to_the_bit() {
    let reference = Reference::open();
    let step = |store: &Store, optimiser: &mut AdamW, step: i64| {
        let grads =
            NAMES.into_iter().map(|name| (name, reference.get(&format!("grad.{name}")).get(step))).collect();
        optimiser.zero_grad();
        backward(store, &grads);
        optimiser.step(0.01);
    };
    let through = reference.store();
    let mut optimiser = AdamW::new();
    optimiser.add("p", &through, 1.0, 0.01);
    (0..6).for_each(|index| step(&through, &mut optimiser, index));

    let first = reference.store();
    let mut before = AdamW::new();
    before.add("p", &first, 1.0, 0.01);
    (0..3).for_each(|index| step(&first, &mut before, index));
    let mut after = AdamW::new();
    after.add("p", &first, 1.0, 0.01);
    assert!(after.restore(&before.state()));
    (3..6).for_each(|index| step(&first, &mut after, index));
    assert_eq!(through.hash(), first.hash());
}

#[test]
fn clipping_equals_torch() {
    let reference = Reference::open();
    for case in ["large", "small"] {
        let store = reference.store();
        let mut optimiser = AdamW::new();
        optimiser.add("p", &store, 1.0, 0.0);
        let grads = NAMES
            .into_iter()
            .map(|name| (name, reference.get(&format!("clip.{case}.input.{name}"))))
            .collect();
        backward(&store, &grads);
        let norm = optimiser.clip_grad_norm(1.0);
        let theirs = reference.get(&format!("clip.{case}.norm")).double_value(&[]);
        assert!((norm - theirs).abs() < 1e-5 * theirs.max(1.0), "{case}: {norm} and {theirs}");
        for name in NAMES {
            let ours = store.get(name).unwrap().tensor.grad();
            assert_close(&ours, &reference.get(&format!("clip.{case}.output.{name}")), name);
        }
    }
}

#[test]
fn schedules_equal_transformers() {
    #[derive(Deserialize)]
    struct Linear {
        total: u64,
        warmup: u64,
        factors: Vec<f64>,
    }
    #[derive(Deserialize)]
    struct TriStage {
        total: u64,
        warmup: u64,
        warmup_ratio: f64,
        factors: Vec<f64>,
    }
    #[derive(Deserialize)]
    struct All {
        linear: Vec<Linear>,
        tri_stage: Vec<TriStage>,
    }
    let text = std::fs::read_to_string(golden("schedules/reference.json")).unwrap();
    let all: All = serde_json::from_str(&text).unwrap();
    let check = |schedule: Schedule, total: u64, factors: &[f64]| {
        assert_eq!(factors.len() as u64, total + 1);
        for (step, theirs) in factors.iter().enumerate() {
            let ours = schedule.factor(step as u64, total);
            assert!((ours - theirs).abs() < 1e-12, "{schedule:?}, step {step} of {total}: {ours}, {theirs}");
        }
    };
    for case in &all.linear {
        check(Schedule::Linear { warmup: Warmup::Steps(case.warmup) }, case.total, &case.factors);
    }
    for case in &all.tri_stage {
        let schedule = Schedule::TriStage { warmup_steps: case.warmup, warmup_ratio: case.warmup_ratio };
        check(schedule, case.total, &case.factors);
    }
    let ratio = Schedule::Linear { warmup: Warmup::Ratio(0.1) };
    let steps = Schedule::Linear { warmup: Warmup::Steps(10) };
    assert!((0..=100).all(|step| ratio.factor(step, 100) == steps.factor(step, 100)));
}
