//! The smallest layers.

use tch::Tensor;

use crate::{BlockId, Hooks, Init, Loader, NnError, Part, Role};

/// Initial spread of linear weights, as transformers draws them (`initializer_range`).
const STD: f64 = 0.02;

/// A plain linear layer, for heads and patches. Backbones use [`Projection`], which adapters can reach.
#[derive(Debug)]
pub struct Dense {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Dense {
    /// `weight` `[out_dim, in_dim]` and `bias` `[out_dim]` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(loader: &Loader, in_dim: i64, out_dim: i64) -> Result<Self, NnError> {
        let bias = loader.param("bias", &[out_dim], Role::Bias, Init::Zeros)?;
        Ok(Self { bias: Some(bias), ..Self::without_bias(loader, in_dim, out_dim)? })
    }

    /// `weight` `[out_dim, in_dim]` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn without_bias(loader: &Loader, in_dim: i64, out_dim: i64) -> Result<Self, NnError> {
        let weight = loader.param("weight", &[out_dim, in_dim], Role::Weight, Init::Normal { std: STD })?;
        Ok(Self { weight, bias: None })
    }

    /// `[.., in_dim]` to `[.., out_dim]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, self.bias.as_ref())
    }
}

/// A table of vectors, looked up by number.
#[derive(Debug)]
pub struct Embedding {
    weight: Tensor,
}

impl Embedding {
    /// `weight` `[rows, width]` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(loader: &Loader, rows: i64, width: i64) -> Result<Self, NnError> {
        let weight = loader.param("weight", &[rows, width], Role::Weight, Init::Normal { std: STD })?;
        Ok(Self { weight })
    }

    /// Whole numbers `[..]` below `rows` to `[.., width]`.
    pub fn forward(&self, numbers: &Tensor) -> Tensor {
        Tensor::embedding(&self.weight, numbers, -1, false, false)
    }
}

/// A linear layer of a backbone. It knows its site and calls the adapter itself, so no backbone can forget to.
#[derive(Debug)]
pub struct Projection {
    weight: Tensor,
    bias: Option<Tensor>,
    block: BlockId,
    part: Part,
}

impl Projection {
    /// `weight` `[out_dim, in_dim]` and, with `bias`, `bias` `[out_dim]` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(
        loader: &Loader,
        (block, part): (BlockId, Part),
        (in_dim, out_dim): (i64, i64),
        bias: bool,
    ) -> Result<Self, NnError> {
        let weight = loader.param("weight", &[out_dim, in_dim], Role::Weight, Init::Normal { std: STD })?;
        let bias = bias.then(|| loader.param("bias", &[out_dim], Role::Bias, Init::Zeros)).transpose()?;
        Ok(Self { weight, bias, block, part })
    }

    /// `[batch, time, in_dim]` to `[batch, time, out_dim]`, with the adapter's patch.
    pub fn forward(&self, x: &Tensor, hooks: &Hooks) -> Tensor {
        hooks.around(self.block, self.part, x, x.linear(&self.weight, self.bias.as_ref()))
    }

    /// The frozen weight, `[out_dim, in_dim]`.
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// The part that this projection is.
    pub fn part(&self) -> Part {
        self.part
    }
}

/// Layer normalisation over the last axis.
#[derive(Debug)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    /// `weight` and `bias`, both `[width]`, at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(loader: &Loader, width: i64, eps: f64) -> Result<Self, NnError> {
        let weight = loader.param("weight", &[width], Role::Norm, Init::Ones)?;
        let bias = loader.param("bias", &[width], Role::Norm, Init::Zeros)?;
        Ok(Self { weight, bias, eps })
    }

    /// `[.., width]` to the same shape.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.layer_norm(self.weight.size(), Some(&self.weight), Some(&self.bias), self.eps, false)
    }
}

/// Normalisation of each channel over its own frames: a group norm with one channel a group.
#[derive(Debug)]
pub struct ChannelNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl ChannelNorm {
    /// `weight` and `bias`, both `[channels]`, at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(loader: &Loader, channels: i64, eps: f64) -> Result<Self, NnError> {
        let LayerNorm { weight, bias, eps } = LayerNorm::new(loader, channels, eps)?;
        Ok(Self { weight, bias, eps })
    }

    /// `[batch, channels, time]` to the same shape; each row over its first frames alone, as many as `lengths` says.
    /// What stands behind them becomes zero.
    pub fn forward(&self, x: &Tensor, lengths: &[i64]) -> Tensor {
        let time = x.size()[2];
        if lengths.iter().all(|&length| length == time) {
            return self.norm(x);
        }
        // Row by row, so that a clip gets the very numbers that it gets alone.
        let rows: Vec<Tensor> = lengths
            .iter()
            .enumerate()
            .map(|(row, &length)| {
                let real = x.narrow(0, row as i64, 1).narrow(2, 0, length);
                self.norm(&real).constant_pad_nd([0, time - length])
            })
            .collect();
        Tensor::cat(&rows, 0)
    }

    fn norm(&self, x: &Tensor) -> Tensor {
        x.group_norm(self.weight.size()[0], Some(&self.weight), Some(&self.bias), self.eps, true)
    }
}
