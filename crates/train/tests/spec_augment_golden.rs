//! The frames that `SpecAugment` hides, against the statistics of transformers' draws (`tests/golden/spec-augment`).
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use serde_json::Value;
use sure_nn::{
    FrameMask, Seed,
    tch::{Device, Kind, Tensor},
};
use sure_train::SpecAugment;

const DRAWS: u64 = 20_000;
const TOLERANCE: f64 = 0.015;

fn reference() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/spec-augment/reference.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn hidden_frames_are_distributed_as_in_transformers() {
    for case in reference()["cases"].as_array().unwrap() {
        let whole = |key: &str| case[key].as_u64().unwrap() as usize;
        let augment = SpecAugment {
            share: case["share"].as_f64().unwrap(),
            length: whole("length"),
            min_spans: whole("min_spans"),
        };
        let clips = case["clips"].as_array().unwrap();
        let frames: Vec<i64> = clips.iter().map(|clip| clip["frames"].as_i64().unwrap()).collect();
        let longest = *frames.iter().max().unwrap();
        let mask = FrameMask::new(frames.clone(), longest, Device::Cpu);
        let draws = (0..DRAWS).map(|seed| augment.draw(Seed::new(seed), &mask));
        // `[draws, batch, time]`
        let drawn = Tensor::stack(&draws.collect::<Vec<_>>(), 0).to_kind(Kind::Float);
        for (row, (clip, &frames)) in clips.iter().zip(&frames).enumerate() {
            let hidden = drawn.select(1, row as i64).narrow(1, 0, frames);
            let shares = hidden.mean_dim([1i64].as_slice(), false, Kind::Float);
            let frame = |index: i64| hidden.select(1, index).mean(Kind::Float).double_value(&[]);
            for (key, ours) in [
                ("mean", shares.mean(Kind::Float).double_value(&[])),
                ("deviation", shares.std(false).double_value(&[])),
                ("first", frame(0)),
                ("middle", frame(frames / 2)),
                ("last", frame(frames - 1)),
            ] {
                let theirs = clip[key].as_f64().unwrap();
                assert!((ours - theirs).abs() < TOLERANCE, "{augment:?}, {key}: {ours:.4}, not {theirs:.4}");
            }
        }
    }
}
