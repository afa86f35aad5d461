//! Opens a backbone, puts LoRA into it, and prints what changed.

use std::{error::Error, path::Path};

use sure_adapters::{AdapterConfig, LoraConfig};
use sure_nn::{
    Blocks, Cx, Input, Keep, Loading, Part, Placement, Seed, Source,
    tch::{self, Device},
};
use sure_zoo::{Compat, LoadOptions, Weights, from_dir};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("name a folder with config.json and model.safetensors")?;
    let options = LoadOptions { weights: Weights::Pretrained, device: Device::Cpu, compat: Compat::Sure };
    let backbone = from_dir(Path::new(&folder), &options)?;

    let placement = Placement { parts: vec![Part::Query, Part::Value], blocks: Blocks::All };
    let lora = AdapterConfig::Lora(LoraConfig { rank: 8, alpha: 16.0, placement });
    let loading = Loading::trainable(Source::Init(Seed::new(0)), Device::Cpu);
    let built = lora.build(backbone.anatomy(), &loading.root())?;
    let trained = loading.finish(|_| false)?.count();

    let second: Vec<f32> = (0..backbone.rate_hz()).map(|n| (n as f32 * 0.05).sin()).collect();
    let input = Input::collate(&[backbone.preparer().prepare(&second)?], Device::Cpu);
    let _guard = tch::no_grad_guard();
    let encoded = backbone.encode(&input, &*built.adapter, &Cx::eval(), Keep::Last);
    println!("{trained} of {} parameters trained", trained + backbone.store().count());
    println!("hidden states {:?}", encoded.last().size());
    Ok(())
}
