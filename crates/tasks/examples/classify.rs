//! A fresh head on made-up hidden states: logits, loss and answers. `cargo run -p sure-tasks --example classify`.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::path::PathBuf;

use sure_data::{Example, Target};
use sure_nn::{
    Encoded, FrameMask, Loading, NnError, Seed, Source,
    tch::{Device, Kind, Tensor},
};
use sure_tasks::{Logits, SequenceClassification, Task};

fn main() -> Result<(), NnError> {
    let task = SequenceClassification::new(["yes", "no", "stop"].map(str::to_owned).to_vec());
    let loading = Loading::trainable(Source::Init(Seed::new(1)), Device::Cpu);
    let head = task.head(16, &loading.root())?;
    let hidden = Tensor::arange(2 * 9 * 16, (Kind::Float, Device::Cpu)).sin().view([2, 9, 16]);
    // The second clip has five real frames; what stands behind them changes nothing.
    let encoded = Encoded { layers: vec![hidden], mask: FrameMask::new(vec![9, 5], 9, Device::Cpu) };
    let logits = Logits::of(&*head, &encoded);
    let example = |class| {
        let target = Target::Class(class);
        Example { id: String::new(), audio: PathBuf::new(), written: None, target, speaker: None }
    };
    let (first, second) = (example(0), example(2));
    println!("loss {:.4}", task.loss(&logits, &[&first, &second]).double_value(&[]));
    for answer in task.decode(&logits, &[]) {
        println!("{} with probability {:.3}", answer.value, answer.score);
    }
    Ok(())
}
