//! The optimiser and a schedule on a toy: a line through points. `cargo run -p sure-train --example fit`.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use sure_nn::{
    Init, Loading, NnError, Role, Source,
    tch::{Device, Kind, Tensor},
};
use sure_train::{AdamW, Schedule, Warmup};

fn main() -> Result<(), NnError> {
    let loading = Loading::trainable(Source::Init(sure_nn::Seed::new(1)), Device::Cpu);
    let slope = loading.root().param("slope", &[1], Role::Weight, Init::Zeros)?;
    let offset = loading.root().param("offset", &[1], Role::Bias, Init::Zeros)?;
    let store = loading.finish(|_| false)?;
    let mut optimiser = AdamW::new();
    optimiser.add("line", &store, 0.1, 0.0);
    let schedule = Schedule::Linear { warmup: Warmup::Ratio(0.1) };

    let x = Tensor::arange(20, (Kind::Float, Device::Cpu)) / 10.0;
    let y = &x * 3.0 - 1.0;
    for step in 0..200 {
        optimiser.zero_grad();
        let loss = (&x * &slope + &offset - &y).square().mean(Kind::Float);
        loss.backward();
        optimiser.step(schedule.factor(step, 200));
        if step % 50 == 49 {
            println!("step {:3}  loss {:.5}", step + 1, loss.double_value(&[]));
        }
    }
    println!("y = {:.2} x {:+.2}", slope.double_value(&[0]), offset.double_value(&[0]));
    Ok(())
}
