//! What a forward pass carries along besides the tensors.

use std::fmt::Display;

use tch::{Device, Kind, Tensor};

use crate::{Seed, seed::draw_from};

/// Which frames of a padded batch are real.
#[derive(Debug)]
pub struct FrameMask {
    lengths: Vec<i64>,
    time: i64,
    valid: Tensor,
    key_bias: Option<Tensor>,
}

impl FrameMask {
    /// A mask for clips of `lengths` frames, padded on the right to `time` frames.
    pub fn new(lengths: Vec<i64>, time: i64, device: Device) -> Self {
        let position = Tensor::arange(time, (Kind::Int64, device)).unsqueeze(0);
        let valid = position.lt_tensor(&Tensor::from_slice(&lengths).to_device(device).unsqueeze(1));
        let full = lengths.iter().all(|&length| length == time);
        let key_bias = (!full).then(|| {
            let zeros = Tensor::zeros([lengths.len() as i64, 1, 1, time], (Kind::Float, device));
            zeros.masked_fill(&valid.logical_not().unsqueeze(1).unsqueeze(1), f64::NEG_INFINITY)
        });
        Self { lengths, time, valid, key_bias }
    }

    /// Real frames of each clip.
    pub fn lengths(&self) -> &[i64] {
        &self.lengths
    }

    /// Frames of the padded batch.
    pub fn time(&self) -> i64 {
        self.time
    }

    /// Whether no frame is padding.
    pub fn is_full(&self) -> bool {
        self.key_bias.is_none()
    }

    /// `[batch, time]`, true = real.
    pub fn valid(&self) -> &Tensor {
        &self.valid
    }

    /// `[batch, 1, 1, time]`: 0 at real keys, minus infinity at padding; `None` when every frame is real.
    pub fn key_bias(&self) -> Option<&Tensor> {
        self.key_bias.as_ref()
    }

    /// Sets the padded frames of `hidden` `[batch, time, hidden]` to zero.
    pub fn zero_padding(&self, hidden: &Tensor) -> Tensor {
        if self.is_full() {
            return hidden.shallow_clone();
        }
        hidden.masked_fill(&self.valid.logical_not().unsqueeze(-1), 0.0)
    }

    /// Sets the padded frames of `hidden` `[batch, channels, time]` to zero.
    pub fn zero_channels(&self, hidden: &Tensor) -> Tensor {
        if self.is_full() {
            return hidden.shallow_clone();
        }
        hidden.masked_fill(&self.valid.logical_not().unsqueeze(1), 0.0)
    }

    /// Mean over the real frames: `[batch, time, hidden]` to `[batch, hidden]`.
    pub fn mean(&self, hidden: &Tensor) -> Tensor {
        let sum = self.zero_padding(hidden).sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
        let count = Tensor::from_slice(&self.lengths).to_device(hidden.device()).to_kind(Kind::Float);
        sum / count.unsqueeze(1)
    }
}

impl Clone for FrameMask {
    fn clone(&self) -> Self {
        Self {
            lengths: self.lengths.clone(),
            time: self.time,
            valid: self.valid.shallow_clone(),
            key_bias: self.key_bias.as_ref().map(Tensor::shallow_clone),
        }
    }
}

/// The context of one forward pass.
#[derive(Debug)]
pub struct Cx {
    /// The real frames; set by the backbone before its blocks run, `None` at `Conv` sites.
    pub valid: Option<FrameMask>,
    /// `[batch, time]`, true = hidden by `SpecAugment` in this step.
    pub time_mask: Option<Tensor>,
    /// Whether this is a training step.
    pub train: bool,
    /// Whether the backbone's own dropout acts in this step.
    pub backbone_dropout: bool,
    /// The step's own seed.
    pub step_seed: u64,
    /// The precision in which adapters compute.
    pub compute: Kind,
}

impl Cx {
    /// Inference in 32-bit precision.
    pub fn eval() -> Self {
        Self {
            valid: None,
            time_mask: None,
            train: false,
            backbone_dropout: false,
            step_seed: 0,
            compute: Kind::Float,
        }
    }

    /// A training step in 32-bit precision.
    pub fn train(step_seed: u64) -> Self {
        Self { train: true, step_seed, ..Self::eval() }
    }

    /// The same context with the frame mask of this batch.
    pub fn with_valid(&self, valid: &FrameMask) -> Self {
        Self {
            valid: Some(valid.clone()),
            time_mask: self.time_mask.as_ref().map(Tensor::shallow_clone),
            ..*self
        }
    }

    /// Dropout of a method or a head at `rate`; the identity outside training. What is dropped is a function of the
    /// step and of `place`, so a pass that runs twice drops the same.
    pub fn dropout(&self, x: Tensor, rate: f64, place: impl Display) -> Tensor {
        if !self.train || rate <= 0.0 {
            return x;
        }
        self.drawing(place, || x.dropout(rate, true))
    }

    /// Dropout of the backbone's own, where this step has it on.
    pub fn backbone_dropout_of(&self, x: Tensor, rate: f64, place: impl Display) -> Tensor {
        if self.backbone_dropout { self.dropout(x, rate, place) } else { x }
    }

    /// What `draw` draws at `place` in this step.
    pub(crate) fn drawing<T>(&self, place: impl Display, draw: impl FnOnce() -> T) -> T {
        draw_from(Seed::new(self.step_seed).derive(&place.to_string()), draw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_ignores_padding() {
        let mask = FrameMask::new(vec![2, 3], 3, Device::Cpu);
        let hidden = Tensor::from_slice(&[1.0f32, 3.0, 99.0, 1.0, 2.0, 3.0]).view([2, 3, 1]);
        let mean = Vec::<f32>::try_from(mask.mean(&hidden).view(-1)).unwrap();
        assert_eq!(mean, [2.0, 2.0]);
    }

    #[test]
    fn a_batch_without_padding_has_no_key_bias() {
        assert!(FrameMask::new(vec![3, 3], 3, Device::Cpu).is_full());
        assert!(!FrameMask::new(vec![2, 3], 3, Device::Cpu).is_full());
    }
}
