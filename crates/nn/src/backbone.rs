//! What every pretrained backbone offers, split at any cut.

use std::{fmt::Debug, ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use crate::{Adapter, Anatomy, Cx, FrameMask, Hooks, NnError, NoAdapter, Site, Stack, Store, store::hash_of};

/// One clip made ready for a backbone: `data` is `[channels, length]`, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The values, row by row.
    pub data: Vec<f32>,
    /// Rows: mel bins, or 1 for a waveform.
    pub channels: usize,
    /// Columns: mel frames or samples.
    pub length: usize,
}

/// What a backbone takes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modality {
    /// Recordings.
    Speech,
    /// Texts.
    Text,
}

/// Makes clips ready for one backbone, on any thread: no tensor is involved.
///
/// # For implementers
/// Write `prepare` for a backbone that hears; `modality`, `prepare_text` and `pieces` for one that reads.
pub trait Prepare: Debug + Send + Sync {
    /// Which of the two it makes ready.
    fn modality(&self) -> Modality {
        Modality::Speech
    }

    /// A normalised waveform, or a log-mel matrix, of `samples` at the backbone's rate.
    ///
    /// # Errors
    /// When the clip is too short or too long for the backbone, or the backbone reads.
    fn prepare(&self, samples: &[f32]) -> Result<Prepared, NnError>;

    /// The token ids of `text`, one channel: whole numbers, exact in 32 bits.
    ///
    /// # Errors
    /// When the text is too long for the backbone, or the backbone hears.
    fn prepare_text(&self, _text: &str) -> Result<Prepared, NnError> {
        Err(NnError::BadInput { reason: "this backbone hears recordings and reads no text".to_owned() })
    }

    /// Where each time step of `text` stands in it, in bytes; special tokens stand nowhere and are empty.
    ///
    /// # Errors
    /// As [`Prepare::prepare_text`].
    fn pieces(&self, text: &str) -> Result<Vec<Range<usize>>, NnError> {
        self.prepare_text(text).map(|prepared| vec![0..0; prepared.length])
    }
}

/// A padded batch of prepared clips.
#[derive(Debug)]
pub struct Input {
    /// `[batch, channels, length]`, zero behind each clip's own length.
    pub values: Tensor,
    /// Each clip's own length.
    pub lengths: Vec<i64>,
}

impl Input {
    /// Pads `clips` on the right with zeros to the longest of them.
    pub fn collate(clips: &[Prepared], device: Device) -> Self {
        let longest = clips.iter().map(|clip| clip.length).max().unwrap_or(0);
        let channels = clips.first().map_or(1, |clip| clip.channels);
        let mut values = vec![0.0; clips.len() * channels * longest];
        for (clip, target) in clips.iter().zip(values.chunks_exact_mut((channels * longest).max(1))) {
            for (row, target) in clip.data.chunks_exact(clip.length).zip(target.chunks_exact_mut(longest)) {
                target[..clip.length].copy_from_slice(row);
            }
        }
        let shape = [clips.len() as i64, channels as i64, longest as i64];
        let lengths = clips.iter().map(|clip| clip.length as i64).collect();
        Self { values: Tensor::from_slice(&values).view(shape).to_device(device), lengths }
    }

    /// The input as the state at [`Cut::Input`]: with time before channels, as every state has it.
    pub fn to_state(&self) -> State {
        let mask = FrameMask::new(self.lengths.clone(), self.values.size()[2], self.values.device());
        State { hidden: self.values.transpose(1, 2), mask }
    }

    /// The input that [`Input::to_state`] made a state of.
    pub fn of_state(state: &State) -> Self {
        Self { values: state.hidden.transpose(1, 2).contiguous(), lengths: state.mask.lengths().to_vec() }
    }
}

/// The highest point below which nothing is trainable and nothing is random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// Everything may change: only the input itself is constant.
    Input,
    /// The output of the convolutional front end.
    Features,
    /// The input of block `k`.
    Block(usize),
    /// The encoder's output: no trainable part inside.
    Output,
}

impl Cut {
    /// The cut for an adapter that acts at `sites`: the lowest block among them, or the input where it acts inside the
    /// front end.
    pub fn below(sites: &[Site]) -> Self {
        if sites.iter().any(|site| site.stack == Stack::FrontEnd) {
            return Self::Input;
        }
        sites.iter().map(|site| site.block).min().map_or(Self::Output, Self::Block)
    }
}

/// Hidden states on their way through a backbone.
#[derive(Debug)]
pub struct State {
    /// `[batch, time, hidden]`.
    pub hidden: Tensor,
    /// The real frames.
    pub mask: FrameMask,
}

/// Which hidden states a forward pass keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The output only.
    Last,
    /// Every one from the cut on: the input of each block, and the output.
    All,
}

/// What comes out of a backbone.
#[derive(Debug)]
pub struct Encoded {
    /// Hidden states `[batch, time, hidden]`: with [`Keep::All`] the input of each block from the cut on, then the
    /// encoder's output; with [`Keep::Last`] the output alone.
    pub layers: Vec<Tensor>,
    /// The real frames.
    pub mask: FrameMask,
}

impl Encoded {
    /// The encoder's output, `[batch, time, hidden]`.
    ///
    /// # Panics
    /// Never: there is always at least the output.
    pub fn last(&self) -> &Tensor {
        self.layers.last().expect("an encoding holds at least the output")
    }
}

/// A pretrained network, frozen by construction.
///
/// # For implementers
/// Write the stages; splitting at a cut is provided. A stage must be a pure function of its arguments: below the cut
/// it is run once per clip and stored. Padding must change nothing (see [`FrameMask`]).
pub trait Backbone: Debug + Send {
    /// What it declares of itself.
    fn anatomy(&self) -> &Anatomy;

    /// Its parameters.
    fn store(&self) -> &Store;

    /// The sample rate that it was trained on, in Hz; 0 for one that reads.
    fn rate_hz(&self) -> u32;

    /// What it takes in.
    fn modality(&self) -> Modality {
        self.preparer().modality()
    }

    /// Everything besides the weights that an answer depends on, in words: preprocessing, and the numbers of the
    /// configuration, of which the weights' shapes tell only some.
    fn graph(&self) -> String;

    /// Hash of the weights and of [`Backbone::graph`]: two backbones of one identity answer alike.
    fn identity(&self) -> String {
        hash_of([self.store().hash().as_bytes(), self.graph().as_bytes()])
    }

    /// What makes clips ready for this backbone; loader threads share it.
    fn preparer(&self) -> Arc<dyn Prepare>;

    /// The convolutional front end: `[batch, channels, length]` to `[batch, time, hidden]`.
    fn front_end(&self, input: &Input, hooks: &Hooks) -> State;

    /// From the front end to the first block: projection, `SpecAugment`'s mask (`cx.time_mask`), positions.
    fn enter(&self, state: State, cx: &Cx) -> State;

    /// Number of blocks.
    fn blocks(&self) -> usize {
        self.anatomy().blocks()
    }

    /// Block `index`, `[batch, time, hidden]` to the same shape.
    fn block(&self, index: usize, hidden: &Tensor, hooks: &Hooks) -> Tensor;

    /// From the last block to the output: a final norm, or nothing.
    fn leave(&self, hidden: Tensor) -> Tensor;

    /// The frozen weight at `site`, `[out_dim, in_dim]`, where the site is a linear map.
    fn weight(&self, site: Site) -> Option<&Tensor>;

    /// The name of one of our parameters as the published checkpoints of this family spell it, without the prefix of
    /// a whole model: `layers.0.self_attn.q_proj.weight`.
    fn published_name(&self, ours: &str) -> String;

    /// Names of the parameters of the convolutional front end start with this.
    fn front_end_prefix(&self) -> &'static str;

    /// The part below `cut`, without any adapter and without gradient.
    fn encode_until(&self, input: &Input, cut: Cut) -> State {
        let _guard = tch::no_grad_guard();
        let cx = Cx::eval();
        if cut == Cut::Input {
            return input.to_state();
        }
        let features = self.front_end(input, &Hooks::new(&NoAdapter, &cx));
        let until = match cut {
            Cut::Input | Cut::Features => return features,
            Cut::Block(block) => block,
            Cut::Output => self.blocks(),
        };
        let state = self.enter(features, &cx);
        let cx = cx.with_valid(&state.mask);
        let hooks = Hooks::new(&NoAdapter, &cx);
        let mut hidden = state.hidden;
        for index in 0..until {
            hidden = self.block(index, &hidden, &hooks);
        }
        if cut == Cut::Output {
            hidden = self.leave(hidden);
        }
        State { hidden, mask: state.mask }
    }

    /// The part above `cut`, with `adapter`.
    fn encode_from(&self, state: State, cut: Cut, adapter: &dyn Adapter, cx: &Cx, keep: Keep) -> Encoded {
        let (state, from) = match cut {
            Cut::Input => {
                let features = self.front_end(&Input::of_state(&state), &Hooks::new(adapter, cx));
                (self.enter(features, cx), 0)
            }
            Cut::Features => (self.enter(state, cx), 0),
            Cut::Block(block) => (state, block),
            Cut::Output => return Encoded { layers: vec![state.hidden], mask: state.mask },
        };
        let cx = cx.with_valid(&state.mask);
        let hooks = Hooks::new(adapter, &cx);
        let mut layers = Vec::new();
        let mut hidden = state.hidden;
        for index in from..self.blocks() {
            let next = self.block(index, &hidden, &hooks);
            let passed = std::mem::replace(&mut hidden, next);
            if keep == Keep::All {
                layers.push(passed);
            }
        }
        layers.push(self.leave(hidden));
        Encoded { layers, mask: state.mask }
    }

    /// The whole backbone.
    fn encode(&self, input: &Input, adapter: &dyn Adapter, cx: &Cx, keep: Keep) -> Encoded {
        let features = self.front_end(input, &Hooks::new(adapter, cx));
        self.encode_from(features, Cut::Features, adapter, cx, keep)
    }
}
