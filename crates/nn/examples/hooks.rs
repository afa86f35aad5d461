//! Where an adapter is called inside a block: `cargo run -p sure-nn --example hooks`.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use sure_nn::{
    Activation, AttentionConfig, BlockConfig, BlockId, Cx, DropoutRates, EncoderBlock, Hooks, Loading,
    NnError, NoAdapter, NormOrder, Recorder, Seed, Source,
    tch::{Device, Kind, Tensor},
};

fn main() -> Result<(), NnError> {
    let config = BlockConfig {
        attention: AttentionConfig { hidden: 8, heads: 2, key_bias: true, dropout: 0.0 },
        inner: 16,
        activation: Activation::Gelu,
        norm_order: NormOrder::Pre,
        norm_eps: 1e-5,
        dropout: DropoutRates { hidden: 0.0, activation: 0.0 },
    };
    let loading = Loading::frozen(Source::Init(Seed::new(1)), Device::Cpu);
    let block = EncoderBlock::new(&loading.root(), BlockId::encoder(0), config)?;
    let recorder = Recorder::new(&NoAdapter);
    let cx = Cx::eval();
    let hidden = Tensor::zeros([1, 5, 8], (Kind::Float, Device::Cpu));
    let _ = block.forward(&hidden, &Hooks::new(&recorder, &cx));
    for (site, x, y) in recorder.visits() {
        println!("{:24} {x:?} -> {y:?}", site.to_string());
    }
    println!("{} parameters", loading.finish(|_| false)?.count());
    Ok(())
}
