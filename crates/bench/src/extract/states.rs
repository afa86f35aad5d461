//! Which hidden states, and how they come out of a batch.

use std::{collections::BTreeSet, str::FromStr};

use anyhow::{Context, Result, ensure};
use sure_nn::{
    Adapter, Backbone, Cx, FrameMask, Hooks, Input,
    tch::{self, Device, Kind, Tensor},
};

/// Layers as `--layer` names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layers {
    /// The encoder's output.
    Last,
    /// The input of every block, and the output.
    All,
    /// Those with these numbers.
    Some(BTreeSet<usize>),
}

impl FromStr for Layers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let number = |word: &str| word.trim().parse().map_err(|_| format!("{word:?} is no layer's number"));
        Ok(Self::Some(text.split(',').map(number).collect::<Result<_, _>>()?))
    }
}

impl Layers {
    /// Their numbers, sorted, in a backbone of so many blocks: `blocks` is the number of the output.
    ///
    /// # Errors
    /// When the backbone has no such layer.
    pub fn of(&self, blocks: usize) -> Result<Vec<usize>> {
        let chosen: Vec<usize> = match self {
            Self::Last => vec![blocks],
            Self::All => (0..=blocks).collect(),
            Self::Some(numbers) => numbers.iter().copied().collect(),
        };
        let last = chosen.last().context("no layer is named")?;
        ensure!(*last <= blocks, "--layer {last}: this backbone has layers 0 to {blocks}");
        Ok(chosen)
    }
}

/// The precision of what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Dtype {
    /// 32 bits.
    F32,
    /// 16 bits.
    F16,
}

impl Dtype {
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::F32 => Kind::Float,
            Self::F16 => Kind::Half,
        }
    }
}

/// What computes.
#[derive(Debug, Clone, Copy)]
pub struct Network<'a> {
    /// The pretrained network.
    pub backbone: &'a dyn Backbone,
    /// What acts inside it.
    pub adapter: &'a dyn Adapter,
    /// Where it is.
    pub device: Device,
}

/// What is taken of each clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Layers, sorted.
    pub layers: Vec<usize>,
    /// Whether the mean over the real frames is wanted instead of the frames.
    pub mean: bool,
    /// The precision.
    pub dtype: Dtype,
}

/// The states of one clip on the CPU.
#[derive(Debug)]
pub(super) struct States {
    /// Real frames.
    pub(super) frames: i64,
    /// The layers that were asked for, each `[frames, hidden]`, or `[hidden]` for the mean.
    pub(super) layers: Vec<Tensor>,
}

impl States {
    /// The values of a layer, little-endian.
    pub(super) fn bytes(layer: &Tensor) -> Vec<u8> {
        let (layer, count) = (layer.contiguous(), layer.numel());
        let mut bytes = vec![0; count * layer.kind().elt_size_in_bytes()];
        layer.copy_data_u8(&mut bytes, count);
        bytes
    }

    /// Width of the hidden states.
    pub(super) fn hidden(&self) -> i64 {
        self.layers.first().and_then(|layer| layer.size().last().copied()).unwrap_or(0)
    }

    /// Whether a value does not fit into 16 bits.
    fn overflows(&self) -> bool {
        self.layers.iter().any(|layer| layer.isfinite().all().int64_value(&[]) == 0)
    }
}

impl Network<'_> {
    /// The states of each clip of a batch. Nothing above the highest layer is computed, and of the layers between only
    /// those that are wanted are kept.
    pub(super) fn states(&self, input: &Input, taken: &Taken) -> Vec<Result<States, String>> {
        let _guard = tch::no_grad_guard();
        let (backbone, cx) = (self.backbone, Cx::eval());
        let features = backbone.front_end(input, &Hooks::new(self.adapter, &cx));
        let state = backbone.enter(features, &cx);
        let cx = cx.with_valid(&state.mask);
        let hooks = Hooks::new(self.adapter, &cx);
        let mut clips: Vec<States> =
            state.mask.lengths().iter().map(|&frames| States { frames, layers: Vec::new() }).collect();
        let mut wanted = taken.layers.iter().copied().peekable();
        let mut hidden = state.hidden;
        for layer in 0..=backbone.blocks() {
            if layer == backbone.blocks() {
                hidden = backbone.leave(hidden);
            }
            if wanted.next_if_eq(&layer).is_some() {
                keep(&mut clips, &hidden, &state.mask, taken);
            }
            if wanted.peek().is_none() {
                break;
            }
            hidden = backbone.block(layer, &hidden, &hooks);
        }
        let check = |states: States| {
            if taken.dtype == Dtype::F16 && states.overflows() {
                return Err("its states are too large for 16 bits; take --dtype f32".to_owned());
            }
            Ok(states)
        };
        clips.into_iter().map(check).collect()
    }
}

/// Adds a layer, `[batch, time, hidden]`, to each clip.
fn keep(clips: &mut [States], hidden: &Tensor, mask: &FrameMask, taken: &Taken) {
    let layer = if taken.mean { mask.mean(hidden) } else { hidden.shallow_clone() };
    let layer = layer.to_device(Device::Cpu).to_kind(taken.dtype.kind());
    for (row, clip) in clips.iter_mut().enumerate() {
        let of_clip = layer.get(row as i64);
        clip.layers.push(if taken.mean { of_clip } else { of_clip.narrow(0, 0, clip.frames) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_by_numbers_or_all() {
        assert_eq!("3,1, 3".parse::<Layers>().unwrap().of(4).unwrap(), [1, 3]);
        assert_eq!("all".parse::<Layers>().unwrap().of(2).unwrap(), [0, 1, 2]);
        assert_eq!(Layers::Last.of(2).unwrap(), [2]);
        assert!("1,x".parse::<Layers>().unwrap_err().contains("\"x\""));
        assert!("".parse::<Layers>().is_err());
        let error = "5".parse::<Layers>().unwrap().of(4).unwrap_err().to_string();
        assert!(error.contains("0 to 4"), "{error}");
    }
}
