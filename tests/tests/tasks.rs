//! Every method with every kind of task: each trained tensor gets a gradient and moves, and the loss falls.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::collections::BTreeSet;

use conformance::{BACKBONES, backbone, clips, distance, example_of, preset, stir};
use sure_bench::{
    model::{Start, build},
    presets,
};
use sure_data::{Example, HeadLabels, Labels, Target, TaskCard, TaskInput, Written};
use sure_nn::{
    Cx, Input, Seed, State,
    tch::{self, Device, Tensor},
};
use sure_tasks::{Logits, Task, task_for};
use sure_text::{Alphabet, untag};
use sure_train::{AdamW, Model, Regime};

/// A task as the suite has it, with three examples for the clips of [`clips`].
struct Case {
    card: TaskCard,
    labels: Labels,
    targets: [Target; 3],
}

impl Case {
    fn task(&self) -> Box<dyn Task> {
        task_for(&self.card, &self.labels)
    }

    fn examples(&self) -> Vec<Example> {
        // A word each, and its piece behind the token that begins a text.
        let word = |target: &Target| match target {
            Target::Text(tagged) => Written { text: untag(tagged).text, firsts: vec![Some(1)] },
            Target::Class(_) | Target::Classes(_) => Written::new("go"),
        };
        let reads = self.card.input != TaskInput::Speech;
        let example =
            |target: &Target| Example { written: reads.then(|| word(target)), ..example_of(target.clone()) };
        self.targets.iter().map(example).collect()
    }
}

fn texts(texts: [&str; 3]) -> [Target; 3] {
    texts.map(|text| Target::Text(text.to_owned()))
}

/// Every task of the suite that the backbone can do: hear, or read.
fn cases(backbone: &str) -> Vec<Case> {
    let reads = backbone.starts_with("text");
    let can = |case: &Case| !reads || case.card.from_text;
    all_cases().into_iter().filter(can).map(|case| if reads { reading(case) } else { case }).collect()
}

/// The same for a text encoder.
fn reading(case: Case) -> Case {
    let card = case.card.reading(TaskInput::Transcript);
    match case.labels {
        Labels::Tokens(_) => Case { card, labels: Labels::Slots(vec!["way".to_owned()]), ..case },
        _ => Case { card, ..case },
    }
}

fn all_cases() -> Vec<Case> {
    let head = |name: &str, labels: &[&str]| HeadLabels {
        name: name.to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    };
    let case = |name: &str| {
        let card = presets::task(name).unwrap();
        let (labels, targets) = match name {
            "asr" => {
                let said = ["oh no", "ten", "go on"];
                (Labels::Tokens(Alphabet::characters(said).unwrap()), texts(said))
            }
            "pr" => {
                let said = ["OW1 N OW1", "T EH1 N", "G OW1"];
                (Labels::Tokens(Alphabet::phones(said).unwrap()), texts(said))
            }
            "sf" => {
                let said = ["B-way up E-way", "go", "B-way on E-way"];
                (Labels::Tokens(Alphabet::slots(said).unwrap()), texts(said))
            }
            "ic" => {
                let heads = vec![head("action", &["off", "on"]), head("object", &["heat", "lamp", "none"])];
                (
                    Labels::Heads(heads),
                    [[0, 2], [1, 0], [1, 1]].map(|classes| Target::Classes(classes.into())),
                )
            }
            _ => {
                let classes = ["no", "yes", "maybe"].map(str::to_owned).to_vec();
                (Labels::Classes(classes), [0, 2, 1].map(Target::Class))
            }
        };
        Case { card, labels, targets }
    };
    presets::tasks().into_iter().map(case).collect()
}

/// Every method on one backbone, and every backbone under `lora`: `(backbone, method)`.
fn pairs() -> BTreeSet<(&'static str, &'static str)> {
    let methods = presets::methods().into_iter().map(|method| ("speech/wav2vec2-base", method));
    methods.chain(BACKBONES.iter().map(|name| (*name, "lora"))).collect()
}

fn model(name: &str, method: &str, case: &Case, seed: u64) -> Model {
    let preset = preset(method);
    let (regime, start) = (Regime::undisturbed(preset.unfreeze), Start::Seeded(Seed::new(seed)));
    let (model, declared) = build(backbone(name), &preset, &*case.task(), regime, start).unwrap();
    assert_eq!(model.headed.store.count(), declared.head);
    model
}

fn state(model: &Model) -> State {
    model.backbone.encode_until(&Input::collate(&clips(&*model.backbone), Device::Cpu), model.cut)
}

fn loss(model: &Model, case: &Case) -> Tensor {
    let logits = model.logits(state(model), &Cx::train(1));
    let examples = case.examples();
    case.task().loss(&logits, &examples.iter().collect::<Vec<_>>())
}

/// Trains a little; the tensors that stayed where they were.
fn resting(triple: &str, model: &Model, case: &Case) -> BTreeSet<String> {
    const STEPS: usize = 5;
    let before = model.snapshot();
    let mut optimiser = AdamW::new();
    for (prefix, store) in model.trained() {
        optimiser.add(prefix, store, 2e-3, 0.0);
    }
    let mut losses = Vec::new();
    for step in 0..STEPS {
        optimiser.zero_grad();
        let loss = loss(model, case);
        loss.backward();
        if step == 0 {
            for (name, param) in optimiser.params() {
                assert_ne!(param.grad().defined(), model.is_unused(name), "{triple}: {name} has no gradient");
            }
        }
        losses.push(loss.double_value(&[]));
        optimiser.clip_grad_norm(1.0);
        optimiser.step(1.0);
    }
    assert!(losses[STEPS - 1] < losses[0], "{triple}: {losses:?}");
    let now = model.snapshot().into_iter();
    now.filter(|(name, now)| !model.may_rest(name) && now.equal(&before[name]))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn every_trained_tensor_gets_a_gradient_and_moves_and_the_loss_falls() {
    for (name, method) in pairs() {
        for case in cases(name) {
            let triple = format!("{} with {method} on {name}", case.card.name);
            let rest = |seed| resting(&triple, &model(name, method, &case, seed), &case);
            // In a gate of two channels both may rest by chance: what stays from every start is dead.
            let mut dead = rest(5);
            for seed in 6..9 {
                if !dead.is_empty() {
                    dead = &dead & &rest(seed);
                }
            }
            assert!(dead.is_empty(), "{triple}: {dead:?} never moved");
        }
    }
}

#[test]
fn a_padded_batch_has_the_loss_and_the_answers_of_its_clips() {
    for (name, method) in pairs() {
        // One task of each kind.
        for case in cases(name).into_iter().filter(|case| !["ser", "sr"].contains(&case.card.name.as_str())) {
            let triple = format!("{} with {method} on {name}", case.card.name);
            check_padding(&triple, &model(name, method, &case, 5), &case);
        }
    }
}

fn check_padding(triple: &str, model: &Model, case: &Case) {
    stir(model);
    let _guard = tch::no_grad_guard();
    let (task, examples) = (case.task(), case.examples());
    let batch = model.logits(state(model), &Cx::eval());
    let together = task.loss(&batch, &examples.iter().collect::<Vec<_>>());
    let written: Vec<Option<&Written>> = examples.iter().map(|example| example.written.as_ref()).collect();
    let answers = task.decode(&batch, &written);
    let mut sum = Tensor::from(0.0_f32);
    for (row, clip) in clips(&*model.backbone).into_iter().enumerate() {
        let alone: Logits = model.logits_of(&Input::collate(&[clip], Device::Cpu), &Cx::eval());
        sum += task.loss(&alone, &[&examples[row]]);
        let answer = task.decode(&alone, &written[row..=row]).remove(0);
        assert_eq!(answer.value, answers[row].value, "{triple}, clip {row}");
        assert!((answer.score - answers[row].score).abs() < 1e-4, "{triple}, clip {row}");
    }
    let distance = distance(&(sum / 3.0), &together);
    assert!(distance < 1e-4, "{triple}: {distance:e}");
}
