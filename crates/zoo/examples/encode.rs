//! Hidden states of a recording: `cargo run -p sure-zoo --example encode -- BACKBONE AUDIO`.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::{error::Error, path::Path};

use sure_nn::{
    Cx, Input, Keep, NoAdapter,
    tch::{self, Device},
};
use sure_zoo::{Compat, LoadOptions, Weights, from_dir};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [folder, audio] = arguments.as_slice() else {
        println!("name a folder with config.json and model.safetensors, and a recording");
        return Ok(());
    };
    let options = LoadOptions { weights: Weights::Pretrained, device: Device::Cpu, compat: Compat::Sure };
    let backbone = from_dir(Path::new(folder), &options)?;
    let wave = sure_audio::load(Path::new(audio), backbone.rate_hz())?;
    let input = Input::collate(&[backbone.preparer().prepare(&wave.samples)?], Device::Cpu);
    let _guard = tch::no_grad_guard();
    for (layer, hidden) in
        backbone.encode(&input, &NoAdapter, &Cx::eval(), Keep::All).layers.iter().enumerate()
    {
        println!(
            "layer {layer:2}  {:?}  mean {:+.4}",
            hidden.size(),
            hidden.mean(tch::Kind::Float).double_value(&[])
        );
    }
    Ok(())
}
