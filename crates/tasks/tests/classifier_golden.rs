//! The classification head against plain torch (`tests/golden/classifier`): logits, loss and gradients.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::path::PathBuf;

use sure_data::{Example, Target};
use sure_nn::{
    Checkpoint, Encoded, FrameMask, Loading, Source,
    tch::{Device, Tensor},
};
use sure_tasks::{Logits, SequenceClassification, SequenceClassifier, Task};

fn reference() -> Checkpoint {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/classifier/reference.safetensors");
    Checkpoint::open(&[PathBuf::from(path)]).unwrap()
}

fn assert_close(ours: &Tensor, theirs: &Tensor, what: &str) {
    assert_eq!(ours.size(), theirs.size(), "{what}");
    let scale = theirs.abs().max().double_value(&[]).max(1.0);
    let distance = (ours - theirs).abs().max().double_value(&[]) / scale;
    assert!(distance < 1e-5, "{what}: {distance:e}");
}

#[test]
fn logits_loss_and_gradients_equal_torch() {
    let golden = reference();
    let get = |name: &str| golden.tensor(name).unwrap().unwrap_or_else(|| panic!("no {name}"));
    let whole = |name: &str| Vec::<f32>::try_from(get(name)).unwrap();
    let loading = Loading::trainable(Source::own_names(reference()), Device::Cpu);
    let head = SequenceClassifier::new(&loading.root(), 12, 6, 4).unwrap();
    let store =
        loading.finish(|name| !name.starts_with("projector") && !name.starts_with("classifier")).unwrap();

    let hidden = get("hidden").set_requires_grad(true);
    let lengths = whole("lengths").iter().map(|&length| length as i64).collect();
    let mask = FrameMask::new(lengths, hidden.size()[1], Device::Cpu);
    let logits = Logits::of(&head, &Encoded { layers: vec![hidden.shallow_clone()], mask });
    let task = SequenceClassification::new((0..4).map(|label| label.to_string()).collect());
    let examples: Vec<Example> = whole("labels")
        .iter()
        .map(|&label| Example {
            id: String::new(),
            audio: PathBuf::new(),
            target: Target::Class(label as usize),
            written: None,
            speaker: None,
        })
        .collect();
    let loss = task.loss(&logits, &examples.iter().collect::<Vec<_>>());
    loss.backward();

    assert_close(&logits.values.detach(), &get("logits"), "logits");
    assert_close(&loss.detach(), &get("loss"), "loss");
    assert_close(&hidden.grad(), &get("grad.hidden"), "gradient of the hidden states");
    for (name, param) in store.iter() {
        assert_close(&param.tensor.grad(), &get(&format!("grad.{name}")), name);
    }
}
