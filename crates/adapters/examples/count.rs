//! A method on the anatomy of wav2vec2-base: its sites and its parameters, without any weights.
//! `cargo run -p sure-adapters --example count`.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use sure_adapters::{AdapterConfig, Anatomy, ConvConfig, LoraConfig};
use sure_nn::{
    Blocks, Loading, NnError, NormOrder, Part, Placement, Seed, Source, StackAnatomy, tch::Device,
};

fn main() -> Result<(), NnError> {
    let stack = StackAnatomy::of_encoder_blocks(12, 768, 12, 3072, NormOrder::Post);
    let anatomy = Anatomy { front_end: Vec::new(), stacks: vec![stack] };
    let place = |parts: &[Part]| Placement { parts: parts.to_vec(), blocks: Blocks::All };
    let lora = LoraConfig { rank: 8, alpha: 1.0, placement: place(&[Part::Query, Part::Value]) };
    let conv =
        ConvConfig { reduction: 2, squeeze_reduction: 16, masked: true, placement: place(&[Part::Block]) };
    for (name, config) in [("lora", AdapterConfig::Lora(lora)), ("conv", AdapterConfig::Conv(conv))] {
        let loading = Loading::trainable(Source::Init(Seed::new(0)), Device::Cpu);
        let built = config.build(&anatomy, &loading.root())?;
        let parameters = loading.finish(|_| false)?.count();
        println!("{name}: {} sites, {parameters} parameters", built.sites.len());
    }
    Ok(())
}
