//! `extract`: hidden states to a safetensors file.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use serde_json::json;
use sure_nn::{
    Adapter, Backbone, Checkpoint, Cx, Input, Keep, NoAdapter,
    tch::{self, Device, Tensor},
};
use sure_records::write_atomic;
use sure_zoo::Compat;

use super::{
    Ended,
    common::{self, DeviceFlag, say, say_json},
};
use crate::{backbone::BackboneRef, rundir::Opened};

/// Write hidden states of recordings to a safetensors file.
///
/// One tensor a file and layer, `<file stem>/layer.<i>`, `[frames, hidden]`; layer 0 is the input of the first block,
/// the last one the encoder's output.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask extract --backbone models/whisper-tiny.en --layer all clip.wav --out states.safetensors
  cargo xtask extract --run run clips/*.flac --out states.safetensors     # with the run's adapter in place")]
pub(super) struct Extract {
    /// The pretrained model: a folder, a hub id, or random:FOLDER
    #[arg(long, value_name = "ID|DIR", required_unless_present = "run", conflicts_with = "run")]
    backbone: Option<String>,
    /// A run, or what `import` made: its backbone and adapter are used
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// A layer's number, or "all" [default: the last one]
    #[arg(long, value_name = "N|all")]
    layer: Option<String>,
    /// auto, fp32 or bf16
    #[arg(long, default_value = "auto", value_name = "P")]
    precision: String,
    /// Whose padding rules; "transformers" gives its answers to the last digit that matters
    #[arg(long, value_enum)]
    compat: Option<CompatFlag>,
    #[command(flatten)]
    device: DeviceFlag,
    /// The recordings
    #[arg(required = true)]
    audio: Vec<PathBuf>,
    /// The file to write
    #[arg(long, value_name = "F")]
    out: PathBuf,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CompatFlag {
    Transformers,
}

/// What the states are taken from.
enum From {
    Backbone(Box<dyn Backbone>),
    Stored(Box<Opened>),
}

impl Extract {
    pub(super) fn run(self) -> Result<Ended> {
        common::precision(&self.precision)?;
        let device = self.device.resolve()?;
        let from = match (&self.run, &self.backbone) {
            (Some(_), _) if self.compat.is_some() => bail!("--compat goes with --backbone, not with --run"),
            (Some(run), _) => From::Stored(Box::new(Opened::open(run, device)?)),
            (None, Some(backbone)) => {
                let compat = if self.compat.is_some() { Compat::Transformers } else { Compat::Sure };
                From::Backbone(BackboneRef::find(backbone)?.open(device, compat)?)
            }
            (None, None) => bail!("name a --backbone or a --run"),
        };
        let (backbone, adapter): (&dyn Backbone, &dyn Adapter) = match &from {
            From::Backbone(backbone) => (&**backbone, &NoAdapter),
            From::Stored(run) => (&*run.model.backbone, &*run.model.adapted.adapter),
        };
        let mut tensors = BTreeMap::new();
        for audio in &self.audio {
            let stem = audio.file_stem().context("a recording has a name")?.to_string_lossy().into_owned();
            for (layer, states) in self.states(backbone, adapter, audio, device)? {
                let name = format!("{stem}/layer.{layer}");
                ensure!(!tensors.contains_key(&name), "two recordings are called {stem}");
                tensors.insert(name, states);
            }
        }
        write_atomic(&self.out, &Checkpoint::to_bytes(&tensors, None)?)?;
        let shapes: BTreeMap<&String, Vec<i64>> = tensors.iter().map(|(name, t)| (name, t.size())).collect();
        if self.json {
            say_json(&json!({"file": self.out, "tensors": shapes}))?;
        } else {
            for (name, shape) in shapes {
                say(&format!("{name}\t{shape:?}"));
            }
        }
        Ok(Ended::Done)
    }

    /// The chosen layers of one recording, each `[frames, hidden]`.
    fn states(
        &self,
        backbone: &dyn Backbone,
        adapter: &dyn Adapter,
        audio: &Path,
        device: Device,
    ) -> Result<Vec<(usize, Tensor)>> {
        let wave = sure_audio::load(audio, backbone.rate_hz())?;
        let prepared = backbone.preparer().prepare(&wave.samples);
        let prepared = prepared.with_context(|| format!("reading {}", audio.display()))?;
        let _guard = tch::no_grad_guard();
        let encoded = backbone.encode(&Input::collate(&[prepared], device), adapter, &Cx::eval(), Keep::All);
        let last = encoded.layers.len() - 1;
        let wanted = match self.layer.as_deref() {
            None => last..=last,
            Some("all") => 0..=last,
            Some(number) => {
                let number: usize = number.parse().with_context(|| format!("--layer {number}"))?;
                ensure!(number <= last, "--layer {number}: this backbone has layers 0 to {last}");
                number..=number
            }
        };
        Ok(wanted.map(|layer| (layer, encoded.layers[layer].squeeze_dim(0))).collect())
    }
}
