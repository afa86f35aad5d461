//! Multi-head self-attention with key masks and prefixes.

use tch::Tensor;

use crate::{BlockId, Hooks, Loader, NnError, Part, Projection};

/// The measures of an attention layer.
#[derive(Debug, Clone, Copy)]
pub struct AttentionConfig {
    /// Width of the hidden states.
    pub hidden: i64,
    /// Number of heads; divides `hidden`.
    pub heads: i64,
    /// Whether the key projection has a bias (Whisper's has none).
    pub key_bias: bool,
    /// Dropout of the attention weights in training.
    pub dropout: f64,
}

/// From an attention's own input `[batch, time, hidden]` to what is added to its scores, `[batch, heads, time, time]`.
pub type ScoreBias<'a> = &'a dyn Fn(&Tensor) -> Tensor;

/// Scaled dot-product self-attention. The only place where prefixes are put in front of keys and values, and where
/// masks are turned into what libtorch wants.
#[derive(Debug)]
pub struct Attention {
    query: Projection,
    key: Projection,
    value: Projection,
    out: Projection,
    heads: i64,
    head_dim: i64,
    dropout: f64,
    block: BlockId,
}

impl Attention {
    /// `query`, `key`, `value` and `out` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`], or when the heads do not divide the width.
    pub fn new(loader: &Loader, block: BlockId, config: AttentionConfig) -> Result<Self, NnError> {
        let AttentionConfig { hidden, heads, key_bias, dropout } = config;
        if heads < 1 || hidden % heads != 0 {
            return Err(NnError::Config {
                key: "attention heads",
                value: heads.to_string(),
                reason: format!("must divide the hidden width {hidden}"),
            });
        }
        let projection =
            |name: &str, part, bias| Projection::new(&loader.at(name), (block, part), (hidden, hidden), bias);
        Ok(Self {
            query: projection("query", Part::Query, true)?,
            key: projection("key", Part::Key, key_bias)?,
            value: projection("value", Part::Value, true)?,
            out: projection("out", Part::Out, true)?,
            heads,
            head_dim: hidden / heads,
            dropout,
            block,
        })
    }

    /// `[batch, time, hidden]` to the same shape; keys outside the hooks' frame mask are not seen.
    pub fn forward(&self, x: &Tensor, hooks: &Hooks) -> Tensor {
        self.forward_biased(x, None, hooks)
    }

    /// The same, with `added` on the scores of the block's own keys; a prefix gets none of it.
    pub fn forward_biased(&self, x: &Tensor, added: Option<ScoreBias>, hooks: &Hooks) -> Tensor {
        let query = self.split(&self.query.forward(x, hooks));
        let mut key = self.split(&self.key.forward(x, hooks));
        let mut value = self.split(&self.value.forward(x, hooks));
        let masked = hooks.cx.valid.as_ref().and_then(|valid| valid.key_bias());
        let mut bias = match (added.map(|added| added(x)), masked) {
            // Every head and frame has a number of its own, so the mask is put into these, not beside them.
            (Some(mut added), Some(masked)) => Some(added.g_add_(masked)),
            (added, masked) => added.or_else(|| masked.map(Tensor::shallow_clone)),
        };
        if let Some(prefix) = hooks.kv_prefix(self.block) {
            // The prefix is always visible: as many zero columns in front of the bias, where there is one.
            let width = prefix.key.size()[2];
            key = Tensor::cat(&[prefix.key, key], 2);
            value = Tensor::cat(&[prefix.value, value], 2);
            bias = bias.map(|bias| bias.constant_pad_nd([width, 0]));
        }
        let bias = bias.map(|bias| bias.to_kind(query.kind()));
        let dropout = if hooks.cx.train && hooks.cx.backbone_dropout { self.dropout } else { 0.0 };
        let attend = || {
            let bias = bias.as_ref();
            Tensor::scaled_dot_product_attention(&query, &key, &value, bias, dropout, false, None, false)
        };
        let mixed =
            if dropout > 0.0 { hooks.cx.drawing(self.block.site(Part::Attention), attend) } else { attend() };
        let (batch, time) = (x.size()[0], x.size()[1]);
        let joined = mixed.transpose(1, 2).reshape([batch, time, self.heads * self.head_dim]);
        self.out.forward(&joined, hooks)
    }

    /// The four projections, for access to their frozen weights.
    pub fn projections(&self) -> [&Projection; 4] {
        [&self.query, &self.key, &self.value, &self.out]
    }

    /// `[batch, time, heads * head_dim]` to `[batch, heads, time, head_dim]`.
    fn split(&self, x: &Tensor) -> Tensor {
        let (batch, time) = (x.size()[0], x.size()[1]);
        x.view([batch, time, self.heads, self.head_dim]).transpose(1, 2)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::{Adapter, Cx, FrameMask, KvPrefix, Loading, NoAdapter, Seed, Source};

    #[derive(Debug)]
    struct Prefix;

    impl Adapter for Prefix {
        fn kv_prefix(&self, _at: BlockId, _cx: &Cx) -> Option<KvPrefix> {
            let ones = || Tensor::ones([2, 1, 3, 4], (Kind::Float, Device::Cpu));
            Some(KvPrefix { key: ones() * 0.5, value: ones() * 2.0 })
        }
    }

    fn attention() -> Attention {
        let loading = Loading::frozen(Source::Init(Seed::new(1)), Device::Cpu);
        let config = AttentionConfig { hidden: 4, heads: 1, key_bias: true, dropout: 0.0 };
        Attention::new(&loading.root(), BlockId::encoder(0), config).unwrap()
    }

    fn input() -> Tensor {
        Tensor::arange(2 * 5 * 4, (Kind::Float, Device::Cpu)).view([2, 5, 4]).sin() * 20.0
    }

    /// Textbook attention of one head: `softmax(q k^T / sqrt(d)) v`.
    fn plain(query: &Tensor, key: &Tensor, value: &Tensor) -> Tensor {
        let scale = (query.size()[1] as f64).sqrt();
        (query.matmul(&key.tr()) / scale).softmax(-1, Kind::Float).matmul(value)
    }

    fn close(a: &Tensor, b: &Tensor) -> bool {
        f64::try_from((a - b).abs().max()).unwrap() < 1e-5
    }

    #[test]
    fn masked_keys_change_nothing() {
        let (attention, x) = (attention(), input());
        let cx = Cx::eval().with_valid(&FrameMask::new(vec![5, 3], 5, Device::Cpu));
        let masked = attention.forward(&x, &Hooks::new(&NoAdapter, &cx));
        let alone =
            attention.forward(&x.narrow(0, 1, 1).narrow(1, 0, 3), &Hooks::new(&NoAdapter, &Cx::eval()));
        assert!(close(&masked.narrow(0, 1, 1).narrow(1, 0, 3), &alone));
    }

    #[test]
    fn a_bias_is_added_to_the_scores_of_own_keys_alone() {
        let (attention, x) = (attention(), input());
        let cx = Cx::eval().with_valid(&FrameMask::new(vec![5, 3], 5, Device::Cpu));
        // A function of the input, as gates are: clip, query and key all matter.
        let scores = |x: &Tensor| (x.matmul(&x.transpose(1, 2)) * 0.01).unsqueeze(1);
        let ours = attention.forward_biased(&x, Some(&scores), &Hooks::new(&Prefix, &cx));
        let clip = x.get(1).narrow(0, 0, 3);
        let linear = |p: &Projection| clip.linear(p.weight(), None::<&Tensor>);
        let [query, key, value, out] = attention.projections();
        let front = |fill: f64| Tensor::ones([3, 4], (Kind::Float, Device::Cpu)) * fill;
        let keys = Tensor::cat(&[front(0.5), linear(key)], 0);
        let values = Tensor::cat(&[front(2.0), linear(value)], 0);
        let bias = scores(&clip.unsqueeze(0)).view([3, 3]).constant_pad_nd([3, 0]);
        let theirs = (linear(query).matmul(&keys.tr()) / 2.0 + bias)
            .softmax(-1, Kind::Float)
            .matmul(&values)
            .linear(out.weight(), None::<&Tensor>);
        assert!(close(&ours.get(1).narrow(0, 0, 3), &theirs));
    }

    #[test]
    fn a_prefix_stands_in_front_of_keys_and_values_and_is_always_seen() {
        let (attention, x) = (attention(), input());
        let cx = Cx::eval().with_valid(&FrameMask::new(vec![5, 3], 5, Device::Cpu));
        let ours = attention.forward(&x, &Hooks::new(&Prefix, &cx));
        let clip = x.get(1).narrow(0, 0, 3);
        let linear = |p: &Projection| clip.linear(p.weight(), None::<&Tensor>);
        let [query, key, value, out] = attention.projections();
        let front = |fill: f64| Tensor::ones([3, 4], (Kind::Float, Device::Cpu)) * fill;
        let keys = Tensor::cat(&[front(0.5), linear(key)], 0);
        let values = Tensor::cat(&[front(2.0), linear(value)], 0);
        let theirs = plain(&linear(query), &keys, &values).linear(out.weight(), None::<&Tensor>);
        assert!(close(&ours.get(1).narrow(0, 0, 3), &theirs));
    }
}
