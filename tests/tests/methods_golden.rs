//! Every method against a plain PyTorch restatement (`tests/golden/methods`): forward and gradients. The reference sees each
//! clip alone and no mask; ours sees one padded batch.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use conformance::{Golden, distance};
use sure_adapters::{
    AdapterConfig, Anatomy, BottleneckConfig, Built, Conv2022Config, ConvConfig, ExternalAttentionConfig,
    PrefixConfig, TinyAttentionConfig, TinyConformerConfig,
};
use sure_nn::{
    Adapter, Attention, AttentionConfig, BlockId, Blocks, ConvShape, Cx, FrameMask, Hooks, Loading,
    NormOrder, Part, Placement, Source, StackAnatomy, Store,
    tch::{Device, Kind, Tensor},
};

const LENGTHS: [i64; 2] = [20, 13];
const FORWARD: f64 = 1e-5;
const BACKWARD: f64 = 1e-4;

fn golden() -> Golden {
    Golden::open("methods/reference.safetensors")
}

fn get(name: &str) -> Tensor {
    golden().get(name)
}

/// Three blocks of width 32; the second convolution of the front end is the golden file's.
fn anatomy() -> Anatomy {
    let front_end = vec![ConvShape::valid((7, 9), 1, 1), ConvShape::valid((6, 10), 3, 2)];
    Anatomy { front_end, stacks: vec![StackAnatomy::of_encoder_blocks(3, 32, 4, 64, NormOrder::Pre)] }
}

fn at(parts: &[Part], block: usize) -> Placement {
    Placement { parts: parts.to_vec(), blocks: Blocks::Only(vec![block]) }
}

/// The method called `method`, with the golden parameters; `site` is where ours keeps them.
fn build(method: &str, site: &str, config: &AdapterConfig) -> (Built, Store) {
    let (method, site) = (method.to_owned(), site.to_owned());
    let rename = Box::new(move |ours: &str| match ours.strip_prefix(&site) {
        Some(name) => format!("{method}.param.{}", name.trim_start_matches('.')),
        None => ours.to_owned(),
    });
    let source = Source::Checkpoint { checkpoint: golden().checkpoint(), rename };
    let loading = Loading::trainable(source, Device::Cpu);
    let built = config.build(&anatomy(), &loading.root()).unwrap();
    (built, loading.finish(|_| true).unwrap())
}

fn context() -> Cx {
    Cx::eval().with_valid(&FrameMask::new(LENGTHS.to_vec(), 20, Device::Cpu))
}

/// The loss of the reference: the real frames, weighted.
fn loss(out: &Tensor, weights: &Tensor) -> Tensor {
    let rows = LENGTHS.iter().enumerate().map(|(row, &frames)| {
        let real = |all: &Tensor| all.get(row as i64).narrow(0, 0, frames);
        (real(out) * real(weights)).sum(Kind::Float)
    });
    Tensor::stack(&rows.collect::<Vec<_>>(), 0).sum(Kind::Float)
}

/// Compares outputs, the gradient of `y`, and those of all parameters below `site`.
fn compare(method: &str, site: &str, out: &Tensor, y: &Tensor, store: &Store, unused: &[String]) {
    loss(out, &get("w")).backward();
    for (row, &frames) in LENGTHS.iter().enumerate() {
        let real = |all: &Tensor| all.get(row as i64).narrow(0, 0, frames);
        let difference = distance(&real(out), &get(&format!("{method}.out.{row}")));
        assert!(difference < FORWARD, "{method}, clip {row}: {difference:e}");
        let difference = distance(&real(&y.grad()), &get(&format!("{method}.grad_y.{row}")));
        assert!(difference < BACKWARD, "{method}, gradient of clip {row}: {difference:e}");
    }
    for (name, param) in store.iter().filter(|(name, _)| !unused.iter().any(|unused| unused == name)) {
        let short = name.strip_prefix(site).unwrap().trim_start_matches('.');
        let difference = distance(&param.tensor.grad(), &get(&format!("{method}.grad.{short}")));
        assert!(difference < BACKWARD, "{method}, gradient of {short}: {difference:e}");
    }
}

/// The methods that act on the output of a block.
#[test]
fn patches_of_blocks_equal_their_restatements() {
    let placement = at(&[Part::Block], 1);
    let methods = [
        (
            "bottleneck",
            AdapterConfig::Bottleneck(BottleneckConfig { reduction: 2, placement: placement.clone() }),
        ),
        (
            "conv",
            AdapterConfig::Conv(ConvConfig {
                reduction: 2,
                squeeze_reduction: 16,
                masked: true,
                placement: placement.clone(),
            }),
        ),
        (
            "tiny-attention",
            AdapterConfig::TinyAttention(TinyAttentionConfig { dropout: 0.1, placement: placement.clone() }),
        ),
        (
            "external-attention",
            AdapterConfig::ExternalAttention(ExternalAttentionConfig {
                slots: 8,
                placement: placement.clone(),
            }),
        ),
        (
            "tiny-conformer",
            AdapterConfig::TinyConformer(TinyConformerConfig {
                reduction: 4,
                conv_reduction: 2,
                squeeze_reduction: 16,
                dropout: 0.1,
                placement,
            }),
        ),
    ];
    let site = BlockId::encoder(1).site(Part::Block);
    for (method, config) in methods {
        let (built, store) = build(method, &site.to_string(), &config);
        let y = get("y").set_requires_grad(true);
        let out = built.adapter.around(site, &y, y.shallow_clone(), &context());
        compare(method, &site.to_string(), &out, &y, &store, &[]);
    }
}

/// Of the two parts of `conv-2022`, those in front that the golden file does not cover start from seeds.
fn conv_2022(method: &str, site: &str) -> (Box<dyn Adapter + Send>, Store, Vec<String>) {
    let config =
        Conv2022Config { frames: 24, squeeze_reduction: 16, front_width: 4, blocks: Blocks::Only(vec![1]) };
    // Built from a seed, then the golden part is written over it.
    let loading = Loading::trainable(Source::Init(sure_nn::Seed::new(1)), Device::Cpu);
    let built = AdapterConfig::Conv2022(config).build(&anatomy(), &loading.root()).unwrap();
    let store = loading.finish(|_| false).unwrap().select(|name, _| name.starts_with(site));
    let values = store.iter().map(|(name, _)| {
        (name.to_owned(), get(&format!("{method}.param.{}", name[site.len()..].trim_start_matches('.'))))
    });
    store.restore(&values.collect());
    (built.adapter, store, built.unused)
}

#[test]
fn convolutions_over_the_hidden_axis_equal_their_restatement() {
    let site = BlockId::encoder(1).site(Part::Block);
    let (adapter, store, unused) = conv_2022("conv-2022", &site.to_string());
    assert_eq!(unused.len(), 2);
    let y = get("y").set_requires_grad(true);
    let out = adapter.around(site, &y, y.shallow_clone(), &context());
    compare("conv-2022", &site.to_string(), &out, &y, &store, &unused);
}

#[test]
fn branches_of_the_front_end_equal_their_restatement() {
    let site = BlockId::front_end(1).site(Part::Conv);
    let (adapter, store, _) = conv_2022("conv-2022-front", &site.to_string());
    let x = get("conv-2022-front.x").set_requires_grad(true);
    let out = adapter.around(site, &x, get("conv-2022-front.y0"), &Cx::eval());
    assert!(distance(&out, &get("conv-2022-front.out")) < FORWARD);
    (&out * get("conv-2022-front.w")).sum(Kind::Float).backward();
    assert!(distance(&x.grad(), &get("conv-2022-front.grad_x")) < BACKWARD);
    for (name, param) in store.iter() {
        let short = name.strip_prefix("front-end.1.conv.").unwrap();
        let difference = distance(&param.tensor.grad(), &get(&format!("conv-2022-front.grad.{short}")));
        assert!(difference < BACKWARD, "{short}: {difference:e}");
    }
}

#[test]
fn attention_with_a_prefix_equals_its_restatement() {
    let config = PrefixConfig { length: 5, std: 1.0, dropout: 0.1, blocks: Blocks::All };
    let (built, store) = build("prefix", "encoder", &AdapterConfig::Prefix(config));
    let rename = Box::new(|ours: &str| format!("prefix.attention.{ours}"));
    let source = Source::Checkpoint { checkpoint: golden().checkpoint(), rename };
    let loading = Loading::frozen(source, Device::Cpu);
    let config = AttentionConfig { hidden: 32, heads: 4, key_bias: true, dropout: 0.1 };
    let attention = Attention::new(&loading.root(), BlockId::encoder(1), config).unwrap();
    let y = get("y").set_requires_grad(true);
    let out = attention.forward(&y, &Hooks::new(&*built.adapter, &context()));
    compare("prefix", "encoder", &out, &y, &store, &[]);
}

#[test]
fn without_masks_the_released_conv_adapter_sees_the_padding() {
    let placement = at(&[Part::Block], 1);
    let site = BlockId::encoder(1).site(Part::Block);
    let config = ConvConfig { reduction: 2, squeeze_reduction: 16, masked: false, placement };
    let (built, _) = build("conv", &site.to_string(), &AdapterConfig::Conv(config));
    let y = get("y");
    let out = built.adapter.around(site, &y, y.shallow_clone(), &context());
    let row = |all: &Tensor, row: i64, frames: i64| all.get(row).narrow(0, 0, frames);
    assert!(distance(&row(&out, 0, 20), &get("conv.out.0")) < FORWARD, "a full clip has no padding to see");
    assert!(distance(&row(&out, 1, 13), &get("conv.out.1")) > 1e-2);
}
