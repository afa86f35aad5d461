//! Whisper's hidden states against `transformers` (`tests/golden/whisper`), alone, in a batch, and at 30 seconds.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::path::PathBuf;

use sure_nn::{
    Backbone, Checkpoint, Cut, Cx, Input, Keep, NoAdapter, Prepared,
    tch::{Device, Tensor},
};
use sure_zoo::{Compat, LoadOptions, Weights, from_dir};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/whisper")).join(name)
}

fn reference() -> Checkpoint {
    Checkpoint::open(&[golden("reference.safetensors")]).unwrap()
}

fn tensor(reference: &Checkpoint, name: &str) -> Tensor {
    reference.tensor(name).unwrap().unwrap_or_else(|| panic!("the golden file has no {name}"))
}

fn backbone(compat: Compat) -> Box<dyn Backbone> {
    let options = LoadOptions { weights: Weights::Pretrained, device: Device::Cpu, compat };
    from_dir(&golden(""), &options).unwrap()
}

fn prepare(backbone: &dyn Backbone, reference: &Checkpoint, clip: &str) -> Prepared {
    let wave = Vec::<f32>::try_from(tensor(reference, &format!("wave_{clip}")).view(-1)).unwrap();
    backbone.preparer().prepare(&wave).unwrap()
}

fn encode(backbone: &dyn Backbone, clips: &[Prepared]) -> Vec<Tensor> {
    let _guard = sure_nn::tch::no_grad_guard();
    backbone.encode(&Input::collate(clips, Device::Cpu), &NoAdapter, &Cx::eval(), Keep::All).layers
}

/// Largest difference, relative to max(1, max of the reference).
fn distance(ours: &Tensor, theirs: &Tensor) -> f64 {
    assert_eq!(ours.size(), theirs.size());
    let scale = f64::try_from(theirs.abs().max()).unwrap().max(1.0);
    f64::try_from((ours - theirs).abs().max()).unwrap() / scale
}

#[test]
fn hidden_states_at_real_length_equal_transformers() {
    let (backbone, reference) = (backbone(Compat::Sure), reference());
    for clip in ["a", "b"] {
        let layers = encode(&*backbone, &[prepare(&*backbone, &reference, clip)]);
        assert_eq!(layers.len(), 4);
        for (index, ours) in layers.iter().enumerate() {
            let theirs = tensor(&reference, &format!("{clip}.real.hidden.{index}"));
            let distance = distance(&ours.view_as(&theirs), &theirs);
            assert!(distance < 1e-4, "clip {clip}, layer {index}: {distance:e}");
        }
    }
}

#[test]
fn hidden_states_at_thirty_seconds_equal_transformers() {
    let (backbone, reference) = (backbone(Compat::Transformers), reference());
    let layers = encode(&*backbone, &[prepare(&*backbone, &reference, "a")]);
    for (index, ours) in layers.iter().enumerate() {
        assert_eq!(ours.size()[1], 1500);
        let theirs = tensor(&reference, &format!("a.30s.hidden.{index}"));
        let frames = theirs.size()[theirs.dim() - 2];
        let distance = distance(&ours.narrow(1, 0, frames).view_as(&theirs), &theirs);
        assert!(distance < 1e-4, "layer {index}: {distance:e}");
    }
    let tail = tensor(&reference, "a.30s.last_tail");
    let ours = layers[3].narrow(1, 1496, 4).view_as(&tail);
    assert!(distance(&ours, &tail) < 1e-4);
}

#[test]
fn a_padded_batch_gives_what_each_clip_gives_alone() {
    let (backbone, reference) = (backbone(Compat::Sure), reference());
    let clips = ["a", "b"].map(|clip| prepare(&*backbone, &reference, clip));
    let batch = encode(&*backbone, &clips);
    for (row, clip) in clips.iter().enumerate() {
        let alone = encode(&*backbone, std::slice::from_ref(clip));
        for (index, (batch, alone)) in batch.iter().zip(&alone).enumerate() {
            let frames = alone.size()[1];
            let distance = distance(&batch.narrow(0, row as i64, 1).narrow(1, 0, frames), alone);
            assert!(distance < 1e-5, "row {row}, layer {index}: {distance:e}");
        }
    }
}

#[test]
fn splitting_at_any_cut_changes_nothing() {
    let (backbone, reference) = (backbone(Compat::Sure), reference());
    let clips = ["a", "b"].map(|clip| prepare(&*backbone, &reference, clip));
    let input = Input::collate(&clips, Device::Cpu);
    let _guard = sure_nn::tch::no_grad_guard();
    let whole = backbone.encode(&input, &NoAdapter, &Cx::eval(), Keep::Last);
    for cut in [Cut::Features, Cut::Block(0), Cut::Block(1), Cut::Block(3), Cut::Output] {
        let state = backbone.encode_until(&input, cut);
        let split = backbone.encode_from(state, cut, &NoAdapter, &Cx::eval(), Keep::Last);
        assert!(split.last().equal(whole.last()), "{cut:?}");
    }
}

#[test]
fn a_clip_of_more_than_thirty_seconds_is_an_error_that_says_so() {
    let error = backbone(Compat::Sure).preparer().prepare(&vec![0.1; 31 * 16_000]).unwrap_err();
    assert!(error.to_string().contains("30.0 s"), "{error}");
}
