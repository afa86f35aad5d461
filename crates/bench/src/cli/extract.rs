//! `extract`: hidden states to safetensors, npy or parquet.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};
use serde_json::{Map, json};
use sure_nn::{
    Adapter, Backbone, Modality, NoAdapter,
    tch::{self, Device},
};
use sure_zoo::Compat;

use super::{
    Ended,
    common::{self, DeviceFlag, complain, say, say_json},
};
use crate::{
    backbone::BackboneRef,
    environment,
    extract::{
        Bytes, Clip, Dtype, Format, Inputs, Job, Layers, Meter, Network, Outcome, Report, Taken, Target,
        extract,
    },
    rundir::Opened,
};

/// So many tensors are listed for a person; more are counted.
const LISTED: usize = 40;

/// Write hidden states of recordings to safetensors, npy or parquet.
///
/// One tensor a recording and layer, `<name>/layer.<i>`, `[frames, hidden]`; layer 0 is the input of the first block,
/// the last one the encoder's output. A recording's name is its file's stem; in a folder that was named, its path from
/// there without the ending; in a manifest, its id. A call that was broken off goes on when it is repeated.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask extract --backbone models/whisper-tiny.en --layer all clip.wav --out states.safetensors
  cargo xtask extract --backbone models/hubert-base recordings/ --layer 6,9 --mean --out means.parquet
  cargo xtask extract --backbone nano-hubert --files list.txt --dtype f16 --out states --format npy
  cargo xtask extract --run run clips/*.flac --out states.safetensors     # with the run's adapter in place

Exit codes: 0 done; 1 a recording could not be used (the others are written, the failures listed);
2 wrong usage; 3 the backbone is missing; 130 interrupted, the same command goes on.")]
pub(super) struct Extract {
    /// The pretrained model: a folder, a hub id, or random:FOLDER
    #[arg(long, value_name = "ID|DIR", required_unless_present = "run", conflicts_with = "run")]
    backbone: Option<String>,
    /// A run, or what `import` made: its backbone and adapter are used
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Layers' numbers, or "all" [default: the last one]
    #[arg(long, value_name = "N,M|all")]
    layer: Option<Layers>,
    /// Write the mean over a recording's frames, `[hidden]`, instead of the frames
    #[arg(long)]
    mean: bool,
    /// The precision of what is written
    #[arg(long, value_enum, default_value = "f32")]
    dtype: Dtype,
    /// auto, fp32 or bf16
    #[arg(long, default_value = "auto", value_name = "P")]
    precision: String,
    /// Whose padding rules; "transformers" gives its answers to the last digit that matters
    #[arg(long, value_enum)]
    compat: Option<CompatFlag>,
    #[command(flatten)]
    device: DeviceFlag,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Seconds of padded audio that go through the encoder at once
    #[arg(long, value_name = "S", default_value_t = BATCH_SECONDS)]
    batch_seconds: f64,
    /// Recordings, folders of them, or manifests (.jsonl, .csv)
    #[arg(required_unless_present = "files")]
    audio: Vec<PathBuf>,
    /// A file with such a path a line, "-" for standard input
    #[arg(long, value_name = "LIST")]
    files: Vec<PathBuf>,
    /// The file or folder to write
    #[arg(long, value_name = "F")]
    out: PathBuf,
    /// Its form [default: by the ending of --out]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Begin another safetensors file above so much: 500MB, 5GB [default: one file]
    #[arg(long, value_name = "SIZE")]
    shard_size: Option<Bytes>,
    /// Stop at the first recording that cannot be used
    #[arg(long)]
    strict: bool,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

/// Some ten clips; all layers of a wav2vec 2.0 of base size are 80 MB then.
const BATCH_SECONDS: f64 = 40.0;

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CompatFlag {
    Transformers,
}

/// What the states are taken from.
enum From {
    Backbone(Box<dyn Backbone>),
    Stored(Box<Opened>),
}

impl From {
    fn open(flags: &Extract, device: Device) -> Result<Self> {
        match (&flags.run, &flags.backbone) {
            (Some(_), _) if flags.compat.is_some() => bail!("--compat goes with --backbone, not with --run"),
            (Some(run), _) => Ok(Self::Stored(Box::new(Opened::open(run, device)?))),
            (None, Some(backbone)) => {
                let compat = if flags.compat.is_some() { Compat::Transformers } else { Compat::Sure };
                Ok(Self::Backbone(BackboneRef::find(backbone)?.open(device, compat)?))
            }
            (None, None) => bail!("name a --backbone or a --run"),
        }
    }

    fn network(&self, device: Device) -> Network<'_> {
        let (backbone, adapter): (&dyn Backbone, &dyn Adapter) = match self {
            Self::Backbone(backbone) => (&**backbone, &NoAdapter),
            Self::Stored(run) => (&*run.model.backbone, &*run.model.adapted.adapter),
        };
        Network { backbone, adapter, device }
    }

    /// Stands for the weights and all else that an answer depends on.
    fn identity(&self) -> String {
        match self {
            Self::Backbone(backbone) => backbone.identity(),
            Self::Stored(run) => {
                let (backbone, adapter) = (run.model.backbone.identity(), run.model.adapted.store.hash());
                format!("{backbone} {adapter} {:?}", run.adapter)
            }
        }
    }
}

impl Extract {
    pub(super) fn run(self) -> Result<Ended> {
        common::precision(&self.precision)?;
        ensure!(
            self.batch_seconds > 0.0,
            "--batch-seconds {}: there is nothing so short",
            self.batch_seconds
        );
        let threads = self.threads.unwrap_or_else(environment::cores).max(1);
        tch::set_num_threads(i32::try_from(threads)?);
        let target = Target::of(&self.out, self.format, self.shard_size.map(|Bytes(bytes)| bytes))?;
        let clips = self.clips()?;
        let device = self.device.resolve()?;
        let from = From::open(&self, device)?;
        let network = from.network(device);
        ensure!(
            network.backbone.modality() == Modality::Speech,
            "this backbone reads transcripts; extract is for recordings"
        );
        let layers = self.layer.as_ref().unwrap_or(&Layers::Last).of(network.backbone.blocks())?;
        let job = Job {
            network,
            identity: &from.identity(),
            clips: &clips,
            taken: Taken { layers, mean: self.mean, dtype: self.dtype },
            target: &target,
            batch_seconds: self.batch_seconds,
            may_pad: self.compat.is_none(),
            threads,
            strict: self.strict,
        };
        match extract(&job, &Meter::drawn())? {
            Outcome::Written(report) => self.tell(&report),
            Outcome::Interrupted { done } => {
                let total = clips.len();
                complain(&format!(
                    "interrupted: {done} of {total} recordings are kept; the same command goes on"
                ));
                Ok(Ended::Interrupted)
            }
            Outcome::Stopped(failure) => {
                complain(&format!("failed: {}", failure.reason));
                Ok(Ended::Failed)
            }
        }
    }

    fn clips(&self) -> Result<Vec<Clip>> {
        let inputs = Inputs::gather(&self.audio, &self.files, &unpack_into())?;
        for note in &inputs.notes {
            complain(note);
        }
        Ok(inputs.clips)
    }

    fn tell(&self, report: &Report) -> Result<Ended> {
        for failure in &report.failed {
            complain(&format!("failed: {}", failure.reason));
        }
        let (tensors, took) = (report.tensors.len(), report.took.as_secs_f64());
        if self.json {
            let shapes: Map<_, _> = report.tensors.iter().map(|(name, s)| (name.clone(), json!(s))).collect();
            say_json(&json!({
                "file": self.out, "files": report.files, "tensors": shapes, "failed": report.failed,
            }))?;
        } else if tensors <= LISTED {
            for (name, shape) in &report.tensors {
                say(&format!("{name}\t{shape:?}"));
            }
        } else {
            say(&format!("{tensors} tensors in {}", self.out.display()));
        }
        let failed = match report.failed.len() {
            0 => String::new(),
            failed => format!(", {failed} recordings failed"),
        };
        let rate = report.seconds / took;
        complain(&format!("{:.1} s of audio in {took:.1} s, {rate:.1} a second{failed}", report.seconds));
        Ok(if report.failed.is_empty() { Ended::Done } else { Ended::Failed })
    }
}

/// Where recordings are unpacked that a manifest has inside longer ones.
fn unpack_into() -> PathBuf {
    environment::sure_home().join("data")
}
