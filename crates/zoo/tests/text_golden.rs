//! BERT's and `DistilBERT`'s hidden states and tokens against `transformers` (`tests/golden/text-encoders`).
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::{collections::HashMap, fs, path::PathBuf};

use sure_nn::{
    Backbone, Checkpoint, Cut, Cx, Input, Keep, Modality, NoAdapter, Prepared, Seed,
    tch::{self, Device, Tensor},
};
use sure_zoo::{Compat, LoadOptions, Weights, from_dir};

const MODELS: [&str; 3] = ["bert", "bert-mlm-gamma", "distilbert"];
/// The texts of `generate.py`.
const TEXTS: [&str; 4] = [
    "turn the lights on in the kitchen",
    "Play, 'Été' — by Queen!",
    "no",
    "I'd like a large double-shot latte with 2 sugars, please; and make it quick...",
];

fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/text-encoders")).join(name)
}

fn open(name: &str, weights: Weights) -> Box<dyn Backbone> {
    let options = LoadOptions { weights, device: Device::Cpu, compat: Compat::Sure };
    from_dir(&golden(name), &options).unwrap()
}

fn encode(backbone: &dyn Backbone, texts: &[Prepared]) -> Vec<Tensor> {
    let _guard = tch::no_grad_guard();
    backbone.encode(&Input::collate(texts, Device::Cpu), &NoAdapter, &Cx::eval(), Keep::All).layers
}

fn prepared(backbone: &dyn Backbone) -> Vec<Prepared> {
    TEXTS.iter().map(|text| backbone.preparer().prepare_text(text).unwrap()).collect()
}

/// Largest difference, relative to max(1, max of the reference).
fn distance(ours: &Tensor, theirs: &Tensor) -> f64 {
    assert_eq!(ours.size(), theirs.size());
    let scale = f64::try_from(theirs.abs().max()).unwrap().max(1.0);
    f64::try_from((ours - theirs).abs().max()).unwrap() / scale
}

#[test]
fn tokens_and_hidden_states_equal_transformers() {
    for name in MODELS {
        let backbone = open(name, Weights::Pretrained);
        let reference = Checkpoint::open(&[golden(name).join("reference.safetensors")]).unwrap();
        let tensor = |key: String| reference.tensor(&key).unwrap().unwrap();
        for (index, text) in prepared(&*backbone).into_iter().enumerate() {
            let ids = Vec::<f32>::try_from(tensor(format!("{index}.ids"))).unwrap();
            assert_eq!(text.data, ids, "{name}, text {index}");
            let layers = encode(&*backbone, &[text]);
            assert_eq!(layers.len(), 4);
            for (layer, ours) in layers.iter().enumerate() {
                let theirs = tensor(format!("{index}.hidden.{layer}"));
                let distance = distance(&ours.squeeze_dim(0), &theirs);
                assert!(distance < 1e-4, "{name}, text {index}, layer {layer}: {distance:e}");
            }
        }
    }
}

#[test]
fn a_padded_batch_gives_what_each_text_gives_alone_and_what_transformers_gives() {
    for name in MODELS {
        let backbone = open(name, Weights::Pretrained);
        let texts = prepared(&*backbone);
        let batch = encode(&*backbone, &texts);
        let reference = Checkpoint::open(&[golden(name).join("reference.safetensors")]).unwrap();
        let theirs = reference.tensor("batch.last").unwrap().unwrap();
        for (row, text) in texts.iter().enumerate() {
            let real = |states: &Tensor| states.get(row as i64).narrow(0, 0, text.length as i64);
            assert!(distance(&real(&batch[3]), &real(&theirs)) < 1e-4, "{name}, text {row}");
            for (layer, alone) in encode(&*backbone, std::slice::from_ref(text)).iter().enumerate() {
                let distance = distance(&real(&batch[layer]), &alone.squeeze_dim(0));
                assert!(distance < 1e-5, "{name}, text {row}, layer {layer}: {distance:e}");
            }
        }
    }
}

#[test]
fn the_encoder_splits_at_any_cut() {
    let backbone = open("bert", Weights::Pretrained);
    let _guard = tch::no_grad_guard();
    let input = Input::collate(&prepared(&*backbone), Device::Cpu);
    let whole = backbone.encode(&input, &NoAdapter, &Cx::eval(), Keep::Last);
    for cut in [Cut::Input, Cut::Features, Cut::Block(0), Cut::Block(2), Cut::Output] {
        let state = backbone.encode_until(&input, cut);
        let split = backbone.encode_from(state, cut, &NoAdapter, &Cx::eval(), Keep::Last);
        assert!(split.last().equal(whole.last()), "{cut:?}");
    }
}

#[test]
fn a_thousand_strings_have_the_tokens_that_transformers_gives_them() {
    let text = fs::read_to_string(golden("tokens/cases.json")).unwrap();
    let mut cases: HashMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    let texts: Vec<String> = serde_json::from_value(cases.remove("texts").unwrap()).unwrap();
    assert_eq!(texts.len(), 1000);
    for (kind, expected) in cases {
        let preparer = open(&format!("tokens/{kind}"), Weights::Random(Seed::new(0))).preparer();
        let expected: Vec<Vec<f32>> = serde_json::from_value(expected).unwrap();
        for (text, expected) in texts.iter().zip(expected) {
            assert_eq!(preparer.prepare_text(text).unwrap().data, expected, "{kind}: {text:?}");
        }
    }
}

#[test]
fn every_time_step_knows_where_it_stands() {
    let preparer = open("bert", Weights::Pretrained).preparer();
    let text = "Été lights";
    let pieces = preparer.pieces(text).unwrap();
    let read: Vec<&str> = pieces.iter().map(|piece| &text[piece.clone()]).collect();
    assert_eq!(read.first(), Some(&""));
    assert_eq!(read.last(), Some(&""));
    assert_eq!(read.concat(), "Étélights");
}

#[test]
fn what_cannot_be_read_is_said() {
    let backbone = open("bert", Weights::Pretrained);
    assert_eq!(backbone.modality(), Modality::Text);
    let told = |result: Result<Prepared, sure_nn::NnError>| result.unwrap_err().to_string();
    assert!(told(backbone.preparer().prepare(&vec![0.0; 16_000])).contains("reads text"));
    let long = told(backbone.preparer().prepare_text(&"no ".repeat(47)));
    assert!(long.contains("49 tokens") && long.contains("48 at most"), "{long}");
}

#[test]
fn a_folder_without_a_tokenizer_is_told_what_lacks() {
    let folder = std::env::temp_dir().join(format!("sure-zoo-text-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(golden("bert").join(file), folder.join(file)).unwrap();
    }
    let options = |weights| LoadOptions { weights, device: Device::Cpu, compat: Compat::Sure };
    let error = from_dir(&folder, &options(Weights::Pretrained)).unwrap_err().to_string();
    assert!(error.contains("vocab.txt"), "{error}");
    // Counting needs none.
    assert!(from_dir(&folder, &options(Weights::Blank)).is_ok());
    fs::remove_dir_all(folder).unwrap();
}
