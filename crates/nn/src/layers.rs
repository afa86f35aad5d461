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
        let weight = loader.param("weight", &[out_dim, in_dim], Role::Weight, Init::Normal { std: STD })?;
        let bias = loader.param("bias", &[out_dim], Role::Bias, Init::Zeros)?;
        Ok(Self { weight, bias: Some(bias) })
    }

    /// `[.., in_dim]` to `[.., out_dim]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, self.bias.as_ref())
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

/// A convolution over time.
#[derive(Debug)]
pub struct Conv1d {
    weight: Tensor,
    bias: Tensor,
    stride: i64,
    padding: i64,
}

impl Conv1d {
    /// `weight` `[out_channels, in_channels, kernel]` and `bias` `[out_channels]` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(
        loader: &Loader,
        (in_channels, out_channels): (i64, i64),
        (kernel, stride, padding): (i64, i64, i64),
    ) -> Result<Self, NnError> {
        let shape = [out_channels, in_channels, kernel];
        let weight = loader.param("weight", &shape, Role::Weight, Init::fan_in(in_channels * kernel))?;
        let bias = loader.param("bias", &[out_channels], Role::Bias, Init::Zeros)?;
        Ok(Self { weight, bias, stride, padding })
    }

    /// `[batch, in_channels, time]` to `[batch, out_channels, time']`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.conv1d(&self.weight, Some(&self.bias), [self.stride], [self.padding], [1], 1)
    }
}
