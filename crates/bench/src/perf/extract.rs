//! The rows of `extract`: hidden states of many recordings, from files to a file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use sure_nn::{
    Backbone, NoAdapter,
    tch::{self, Device},
};
use sure_zoo::Compat;

use crate::{
    backbone::BackboneRef,
    extract::{Clip, Dtype, Inputs, Job, Layers, Meter, Network, Outcome, Taken, Target, extract},
};

/// How these rows' names begin.
pub(super) const PREFIX: &str = "extract/";
/// The other side.
pub(super) const PEER: &str = include_str!("../../perf/extract.py");
/// The longest clip that every row takes: Whisper's 30 s.
const LONGEST: f64 = 30.0;
/// So that neither side resamples.
const RATE_HZ: u32 = 16_000;

/// Whether our side of a row follows the padding rules of `transformers`.
fn compat(row: &str) -> Compat {
    if row.ends_with("-30s") { Compat::Transformers } else { Compat::Sure }
}

/// Writes a list of `count` recordings of `folder`, evenly spread over all at 16 kHz that last at most 30 s.
pub(super) fn list(folder: &Path, count: usize, to: &Path) -> Result<()> {
    let clips = Inputs::gather(&[folder.to_owned()], &[], to)?.clips;
    let fits = |clip: &Clip| {
        let stated = sure_audio::stated(&clip.path).ok().filter(|stated| stated.rate_hz == RATE_HZ);
        stated.and_then(|stated| stated.seconds).is_some_and(|seconds| seconds <= LONGEST)
    };
    let clips: Vec<Clip> = clips.into_iter().filter(fits).collect();
    ensure!(!clips.is_empty(), "{} holds no recording at 16 kHz of at most {LONGEST} s", folder.display());
    let count = count.clamp(1, clips.len());
    let chosen = (0..count).map(|place| &clips[place * clips.len() / count].path);
    let lines: Vec<String> = chosen.map(|path| format!("{}\n", path.display())).collect();
    fs::write(to, lines.concat()).with_context(|| format!("writing {}", to.display()))
}

/// Our side of a row.
pub(super) struct Extraction {
    backbone: Box<dyn Backbone>,
    identity: String,
    clips: Vec<Clip>,
    target: Target,
    batch_seconds: f64,
    may_pad: bool,
    threads: usize,
}

impl Extraction {
    pub(super) fn new(
        row: &str,
        backbone: &str,
        list: &Path,
        batch_seconds: f64,
        threads: usize,
    ) -> Result<Self> {
        let compat = compat(row);
        let backbone = BackboneRef::find(backbone)?.open(Device::Cpu, compat)?;
        let lines = fs::read_to_string(list).with_context(|| format!("reading {}", list.display()))?;
        let named =
            |(number, line): (usize, &str)| Clip { name: number.to_string(), path: PathBuf::from(line) };
        Ok(Self {
            identity: backbone.identity(),
            backbone,
            clips: lines.lines().enumerate().map(named).collect(),
            target: Target::of(&list.with_extension("safetensors"), None, None)?,
            batch_seconds,
            may_pad: compat == Compat::Sure,
            threads,
        })
    }

    pub(super) fn once(&self) -> Result<()> {
        tch::set_num_threads(i32::try_from(self.threads)?);
        let job = Job {
            network: Network { backbone: &*self.backbone, adapter: &NoAdapter, device: Device::Cpu },
            identity: &self.identity,
            clips: &self.clips,
            taken: Taken { layers: Layers::Last.of(self.backbone.blocks())?, mean: false, dtype: Dtype::F32 },
            target: &self.target,
            batch_seconds: self.batch_seconds,
            may_pad: self.may_pad,
            threads: self.threads,
            strict: false,
        };
        let Outcome::Written(report) = extract(&job, &Meter::silent())? else {
            anyhow::bail!("interrupted");
        };
        ensure!(report.failed.is_empty(), "{:?}", report.failed);
        Ok(())
    }
}
