//! LoRA against Python's peft (`tests/golden/lora`): logits, loss, every gradient, merged weights.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use conformance::{Golden, backbone, distance, example};
use sure_adapters::{AdapterConfig, LoraConfig};
use sure_nn::{
    BlockId, Blocks, Cx, Input, Keep, Loading, NoAdapter, Part, Placement, Prepared, Source, Store,
    tch::{self, Device, Tensor},
};
use sure_tasks::{Head, Logits, SequenceClassification, SequenceClassifier, Task};

const PARTS: [Part; 6] = [Part::Query, Part::Key, Part::Value, Part::Out, Part::Up, Part::Down];

fn config() -> AdapterConfig {
    let placement = Placement { parts: PARTS.to_vec(), blocks: Blocks::All };
    AdapterConfig::Lora(LoraConfig { rank: 4, alpha: 2.0, placement })
}

/// peft's clips, each alone: `[mels, frames]` at its real length.
fn inputs() -> Vec<Input> {
    let golden = Golden::open("whisper/reference.safetensors");
    ["a", "b"]
        .map(|clip| {
            let mel = golden.get(&format!("{clip}.mel"));
            let (channels, length) = (mel.size()[0] as usize, mel.size()[1] as usize);
            let data = Vec::<f32>::try_from(mel.view(-1)).unwrap();
            Input::collate(&[Prepared { data, channels, length }], Device::Cpu)
        })
        .into()
}

fn adapter() -> (sure_adapters::Built, Store) {
    // Our `encoder.0.query.lora_a` is the golden file's `layers.0.query.lora_a`.
    let rename = Box::new(|ours: &str| ours.replacen("encoder.", "layers.", 1));
    let checkpoint = Golden::open("lora/reference.safetensors").checkpoint();
    let loading = Loading::trainable(Source::Checkpoint { checkpoint, rename }, Device::Cpu);
    let built = config().build(backbone("whisper").anatomy(), &loading.root()).unwrap();
    (built, loading.finish(|name| !name.starts_with("layers.")).unwrap())
}

fn head() -> (SequenceClassifier, Store) {
    let source = Source::own_names(Golden::open("lora/reference.safetensors").checkpoint());
    let loading = Loading::trainable(source, Device::Cpu);
    let head = SequenceClassifier::new(&loading.root(), 32, 16, 5).unwrap();
    (head, loading.finish(|name| !name.starts_with("projector") && !name.starts_with("classifier")).unwrap())
}

fn task() -> SequenceClassification {
    SequenceClassification::new((0..5).map(|label| label.to_string()).collect())
}

#[test]
fn logits_loss_and_gradients_equal_peft() {
    let golden = Golden::open("lora/reference.safetensors");
    let (backbone, (built, lora), (head, head_store)) = (backbone("whisper"), adapter(), head());
    let logits: Vec<Tensor> = inputs()
        .iter()
        .map(|input| head.forward(&backbone.encode(input, &*built.adapter, &Cx::train(0), Keep::Last)))
        .collect();
    let logits = Tensor::cat(&logits, 0);
    assert!(distance(&logits, &golden.get("logits")) < 1e-5);
    let (first, second) = (example(1), example(3));
    let logits = Logits { values: logits, frames: vec![1, 1] };
    let loss = task().loss(&logits, &[&first, &second]);
    assert!(distance(&loss, &golden.get("loss")) < 1e-5);
    loss.backward();
    for (name, param) in lora.iter().chain(head_store.iter()) {
        let theirs = golden.get(&format!("grad.{}", name.replacen("encoder.", "layers.", 1)));
        let distance = distance(&param.tensor.grad(), &theirs);
        assert!(distance < 1e-4, "gradient of {name}: {distance:e}");
    }
}

#[test]
fn without_the_adapter_the_logits_are_pefts_with_the_adapter_disabled() {
    let golden = Golden::open("lora/reference.safetensors");
    let (backbone, (head, _)) = (backbone("whisper"), head());
    let _guard = tch::no_grad_guard();
    let logits: Vec<Tensor> = inputs()
        .iter()
        .map(|input| head.forward(&backbone.encode(input, &NoAdapter, &Cx::eval(), Keep::Last)))
        .collect();
    assert!(distance(&Tensor::cat(&logits, 0), &golden.get("logits_without_lora")) < 1e-5);
}

#[test]
fn merged_weights_and_their_logits_equal_pefts() {
    let golden = Golden::open("lora/reference.safetensors");
    let (backbone, (built, _), (head, _)) = (backbone("whisper"), adapter(), head());
    let _guard = tch::no_grad_guard();
    for (site, delta) in built.adapter.weight_deltas().unwrap() {
        let weight = backbone.weight(site).unwrap();
        weight.shallow_clone().copy_(&(weight + delta));
    }
    for (block, part, name) in
        [(0, Part::Query, "merged.layers.0.query.weight"), (1, Part::Up, "merged.layers.1.up.weight")]
    {
        let ours = backbone.weight(BlockId::encoder(block).site(part)).unwrap();
        assert!(distance(ours, &golden.get(name)) < 1e-5, "{name}");
    }
    let logits: Vec<Tensor> = inputs()
        .iter()
        .map(|input| head.forward(&backbone.encode(input, &NoAdapter, &Cx::eval(), Keep::Last)))
        .collect();
    assert!(distance(&Tensor::cat(&logits, 0), &golden.get("logits_merged")) < 1e-5);
}
