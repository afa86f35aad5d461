//! The CTC task against torch and transformers (`tests/golden/ctc`): targets, loss, gradient and answers.

use std::{fs, path::PathBuf};

use serde_json::Value;
use sure_data::{Decoding, Example, Target};
use sure_nn::{Checkpoint, tch::Tensor};
use sure_tasks::{Ctc, Logits, Task};
use sure_text::{Alphabet, Normalizer};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/ctc")).join(name)
}

fn assert_close(ours: &Tensor, theirs: &Tensor, what: &str) {
    let scale = theirs.abs().max().double_value(&[]).max(1.0);
    let distance = (ours - theirs).abs().max().double_value(&[]) / scale;
    assert!(distance < 1e-5, "{what}: {distance:e}");
}

#[test]
fn targets_loss_gradient_and_answers_equal_those_of_transformers() {
    let case: Value = serde_json::from_str(&fs::read_to_string(golden("case.json")).unwrap()).unwrap();
    let texts: Vec<String> = serde_json::from_value(case["texts"].clone()).unwrap();
    let tokens: Vec<String> = serde_json::from_value(case["tokens"].clone()).unwrap();
    let targets: Vec<Vec<usize>> = serde_json::from_value(case["targets"].clone()).unwrap();
    let frames: Vec<i64> = serde_json::from_value(case["frames"].clone()).unwrap();
    let answers: Vec<String> = serde_json::from_value(case["answers"].clone()).unwrap();

    let alphabet = Alphabet::characters(texts.iter().map(String::as_str)).unwrap();
    assert_eq!(alphabet.tokens(), tokens);
    for (text, target) in texts.iter().zip(&targets) {
        assert_eq!(&alphabet.encode(text).ids, target, "{text}");
    }

    let reference = Checkpoint::open(&[golden("reference.safetensors")]).unwrap();
    let get = |name: &str| reference.tensor(name).unwrap().unwrap();
    let values = get("logits").set_requires_grad(true);
    let logits = Logits { values: values.shallow_clone(), frames };
    let example = |text: &String| Example {
        id: text.clone(),
        audio: PathBuf::new(),
        target: Target::Text(text.clone()),
        written: None,
        speaker: None,
    };
    let examples: Vec<Example> = texts.iter().map(example).collect();
    let examples: Vec<&Example> = examples.iter().collect();
    let task = Ctc::new(alphabet, Decoding::Greedy, Normalizer::None);
    let loss = task.loss(&logits, &examples);
    loss.backward();
    assert_close(&loss.detach(), &get("loss"), "loss");
    assert_close(&values.grad(), &get("grad.logits"), "gradient");
    assert_eq!(task.too_short(&logits, &examples), 2);
    let ours: Vec<String> = task.decode(&logits, &[]).into_iter().map(|answer| answer.value).collect();
    assert_eq!(ours, answers);
}
