//! The paired harness: ours and Python's side of a row, each a process of its own, measured in turns.
//!
//! Both sides speak the same protocol over standard input and output, a JSON object a line: `{"op": "setup", ...}`,
//! `{"op": "run", "n": 3}` answered by `{"seconds": [...], "peak_bytes": ...}`, `{"op": "exit"}`. Turns A B A B spread a
//! machine's moods over both sides; what counts is the ratio of medians.

mod extract;

use std::{
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sure_data::{Example, Labels, Target};
use sure_nn::{
    Cx, Input, Keep, NoAdapter, Seed,
    tch::{self, Device, Kind, Tensor},
};
use sure_tasks::{Task, task_for};
use sure_train::{AdamW, Model, Regime};
use sure_zoo::Compat;

use self::extract::Extraction;
use crate::{
    backbone::BackboneRef,
    model::{Start, build},
    presets,
};

/// A row's measures.
#[derive(Debug, Clone, Copy)]
struct Bench {
    name: &'static str,
    /// Clips in a batch.
    batch: i64,
    /// Samples of a clip.
    samples: usize,
    /// The configuration of a network with random weights; without one, the row wants a folder.
    geometry: Option<&'static str>,
    /// Padded seconds in a batch, where recordings are read: the row wants a folder of them.
    batch_seconds: Option<f64>,
}

const WAV2VEC2_BASE: Option<&str> = Some(include_str!("../perf/wav2vec2-base.json"));
/// Whisper takes 30 s, whatever a clip holds.
const WHISPER: Bench =
    Bench { name: "whisper", batch: 4, samples: 16_000, geometry: None, batch_seconds: None };
const WAV2VEC2: Bench =
    Bench { name: "wav2vec2-base", batch: 8, samples: 64_000, geometry: WAV2VEC2_BASE, batch_seconds: None };
/// Whisper's 30 s four times; the same for all, so that both sides have a batch worth the name.
const EXTRACT: Bench = Bench { batch: 0, batch_seconds: Some(120.0), ..WHISPER };

/// Every row.
const ROWS: &[Bench] = &[
    Bench { name: "whisper/forward", ..WHISPER },
    Bench { name: "whisper/lora-step", ..WHISPER },
    Bench { name: "wav2vec2-base/forward", ..WAV2VEC2 },
    Bench { name: "wav2vec2-base/lora-step", ..WAV2VEC2 },
    Bench { name: "extract/whisper", ..EXTRACT },
    Bench { name: "extract/whisper-30s", ..EXTRACT },
    Bench { name: "extract/wav2vec2-base", geometry: WAV2VEC2_BASE, batch_seconds: Some(40.0), ..EXTRACT },
];

/// Runs in a turn.
const RUNS: usize = 2;
/// The recordings of a row, in a folder that goes with the row.
const LIST: &str = "recordings.txt";

const PEER: &str = include_str!("../perf/peer.py");

/// How to measure.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The Python with the peer's packages.
    pub python: PathBuf,
    /// A Whisper folder; rows that want one are left out without it.
    pub backbone: Option<PathBuf>,
    /// Turns of each side.
    pub rounds: usize,
    /// Threads on either side.
    pub threads: usize,
    /// A folder of recordings; rows that want one are left out without it.
    pub audio: Option<PathBuf>,
    /// So many of them.
    pub clips: usize,
}

/// A measured row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Our median, in seconds.
    pub ours_s: f64,
    /// Python's median, in seconds.
    pub peer_s: f64,
    /// Python's median over ours: our speed, in units of Python's.
    pub ratio: f64,
    /// The smallest ratio of a round's medians.
    pub ratio_min: f64,
    /// The largest ratio of a round's medians.
    pub ratio_max: f64,
    /// Our process's largest memory.
    pub ours_peak_bytes: u64,
    /// Python's.
    pub peer_peak_bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Asked {
    Setup { row: String, backbone: PathBuf, batch: i64, threads: usize, audio: PathBuf, batch_seconds: f64 },
    Run { n: usize },
    Exit,
}

#[derive(Debug, Serialize, Deserialize)]
struct Measured {
    seconds: Vec<f64>,
    peak_bytes: u64,
}

/// Measures the rows whose names contain `filter`.
///
/// # Errors
/// When a side cannot be started or fails.
pub fn compare(setting: &Setting, filter: &str) -> Result<Vec<Row>> {
    let rows: Vec<_> = ROWS.iter().filter(|row| row.name.contains(filter)).collect();
    if rows.is_empty() {
        let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        bail!("no row contains {filter:?}; there are: {}", names.join(", "));
    }
    let has_all = |row: &&Bench| {
        (row.geometry.is_some() || setting.backbone.is_some())
            && (row.batch_seconds.is_none() || setting.audio.is_some())
    };
    let rows: Vec<_> = rows.into_iter().filter(has_all).collect();
    if rows.is_empty() {
        bail!(
            "the rows that contain {filter:?} want a Whisper folder as --backbone, or a folder of recordings as --audio"
        );
    }
    rows.into_iter().map(|row| measure(setting, row)).collect()
}

fn measure(setting: &Setting, row: &Bench) -> Result<Row> {
    let name = row.name;
    // The configuration of a random network, or the list of recordings, where both sides find it.
    let folder = std::env::temp_dir().join(format!("sure-perf-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    if let (Some(_), Some(audio)) = (row.batch_seconds, &setting.audio) {
        extract::list(audio, setting.clips, &folder.join(LIST))?;
    }
    let backbone = match (row.geometry, &setting.backbone) {
        (Some(config), _) => {
            std::fs::write(folder.join("config.json"), config)?;
            folder.clone()
        }
        (None, Some(backbone)) => backbone.clone(),
        (None, None) => bail!("{name} wants a Whisper folder as --backbone"),
    };
    let measured = measure_on(setting, row, &backbone, &folder.join(LIST));
    let _ = std::fs::remove_dir_all(&folder);
    measured
}

fn measure_on(setting: &Setting, row: &Bench, backbone: &Path, list: &Path) -> Result<Row> {
    // A run over many recordings is long, and warm after the first.
    let (script, warm, runs) =
        if row.batch_seconds.is_some() { (extract::PEER, 1, 1) } else { (PEER, 2, RUNS) };
    let mut ours = Command::new(std::env::current_exe()?);
    ours.args(["perf", "--serve"]);
    let mut peer = Command::new(&setting.python);
    peer.args(["-c", script]);
    let setup = |what: &str, command: Command| {
        let mut side = Side::start(command).with_context(|| format!("starting {what}"))?;
        side.ask(&Asked::Setup {
            row: row.name.to_owned(),
            backbone: backbone.to_owned(),
            batch: row.batch,
            threads: setting.threads,
            audio: list.to_owned(),
            batch_seconds: row.batch_seconds.unwrap_or(0.0),
        })?;
        // The first runs pay for page faults and the choice of kernels.
        side.ask(&Asked::Run { n: warm }).with_context(|| format!("warming up {what}"))?;
        Ok::<_, anyhow::Error>(side)
    };
    let mut ours = setup("our side", ours)?;
    let mut peer = setup("the Python side (see crates/bench/perf/requirements.txt)", peer)?;
    let (mut our_times, mut peer_times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let (mut our_peak, mut peer_peak) = (0, 0);
    for _ in 0..setting.rounds {
        let a = ours.measure(runs)?;
        let b = peer.measure(runs)?;
        ratios.push(median(&b.seconds) / median(&a.seconds));
        our_times.extend(a.seconds);
        peer_times.extend(b.seconds);
        (our_peak, peer_peak) = (a.peak_bytes, b.peak_bytes);
    }
    let (ours_s, peer_s) = (median(&our_times), median(&peer_times));
    Ok(Row {
        name: row.name.to_owned(),
        ours_s,
        peer_s,
        ratio: peer_s / ours_s,
        ratio_min: ratios.iter().copied().fold(f64::INFINITY, f64::min),
        ratio_max: ratios.iter().copied().fold(0.0, f64::max),
        ours_peak_bytes: our_peak,
        peer_peak_bytes: peer_peak,
    })
}

/// One side, in a process of its own.
struct Side {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Side {
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let to = child.stdin.take().context("the child's standard input")?;
        let from = BufReader::new(child.stdout.take().context("the child's standard output")?);
        Ok(Self { child, to, from })
    }

    fn ask(&mut self, asked: &Asked) -> Result<String> {
        writeln!(self.to, "{}", serde_json::to_string(asked)?)?;
        self.to.flush()?;
        let mut answer = String::new();
        if self.from.read_line(&mut answer)? == 0 {
            bail!("it ended with {} (its own words stand above)", self.child.wait()?);
        }
        let parsed: serde_json::Value =
            serde_json::from_str(&answer).with_context(|| format!("the answer {answer:?}"))?;
        if let Some(error) = parsed.get("error") {
            bail!("it says: {error}");
        }
        Ok(answer)
    }

    fn measure(&mut self, n: usize) -> Result<Measured> {
        let answer = self.ask(&Asked::Run { n })?;
        serde_json::from_str(&answer).with_context(|| format!("the answer {answer:?}"))
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let _ = writeln!(self.to, r#"{{"op": "exit"}}"#);
        let _ = self.child.wait();
    }
}

/// Our side: answers on standard output until it is told to exit.
///
/// # Errors
/// When a request cannot be understood or the model cannot be opened.
pub fn serve() -> Result<()> {
    let mut work: Option<Work> = None;
    for line in io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?)? {
            Asked::Exit => return Ok(()),
            Asked::Setup { row, backbone, batch, threads, audio, batch_seconds } => {
                tch::set_num_threads(i32::try_from(threads)?);
                work = Some(if row.starts_with(extract::PREFIX) {
                    let random = if known(&row)?.geometry.is_some() { "random:" } else { "" };
                    let backbone = format!("{random}{}", backbone.display());
                    Work::Files(Extraction::new(&row, &backbone, &audio, batch_seconds, threads)?)
                } else {
                    Work::Batch(Batch::new(&row, &backbone, batch)?)
                });
                "{}".to_owned()
            }
            Asked::Run { n } => {
                let work = work.as_mut().context("run before setup")?;
                let seconds = (0..n)
                    .map(|_| {
                        let start = Instant::now();
                        match work {
                            Work::Batch(batch) => batch.once(),
                            Work::Files(extraction) => extraction.once()?,
                        }
                        Ok(start.elapsed().as_secs_f64())
                    })
                    .collect::<Result<_>>()?;
                let peak_bytes = sure_sys::peak_memory_bytes().unwrap_or(0);
                serde_json::to_string(&Measured { seconds, peak_bytes })?
            }
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

/// What a row repeats.
enum Work {
    Batch(Batch),
    Files(Extraction),
}

fn known(row: &str) -> Result<&'static Bench> {
    ROWS.iter().find(|known| known.name == row).with_context(|| format!("no row {row}"))
}

/// One batch of random values, forward or a step.
struct Batch {
    model: Model,
    task: Box<dyn Task>,
    input: Input,
    examples: Vec<Example>,
    optimiser: Option<AdamW>,
}

impl Batch {
    fn new(row: &str, backbone: &Path, batch: i64) -> Result<Self> {
        const CLASSES: usize = 10;
        let known = known(row)?;
        let random = if known.geometry.is_some() { "random:" } else { "" };
        let backbone = BackboneRef::find(&format!("{random}{}", backbone.display()))?
            .open(Device::Cpu, Compat::Transformers)?;
        let silence = backbone.preparer().prepare(&vec![0.0; known.samples])?;
        let (channels, columns) = (silence.channels as i64, silence.length as i64);
        tch::manual_seed(1);
        let values = Tensor::randn([batch, channels, columns], (Kind::Float, Device::Cpu));
        let input = Input { values, lengths: vec![columns; batch as usize] };
        let card = presets::task("ks")?;
        let labels: Vec<String> = (0..CLASSES).map(|label| label.to_string()).collect();
        let task = task_for(&card, &Labels::Classes(labels));
        let step = row.ends_with("lora-step");
        let method = presets::method(if step { "lora" } else { "linear" })?;
        let (model, _) = build(
            backbone,
            &method,
            &*task,
            Regime::undisturbed(method.unfreeze),
            Start::Seeded(Seed::new(0)),
        )?;
        let optimiser = step.then(|| {
            let mut optimiser = AdamW::new();
            for (prefix, store) in model.trained() {
                optimiser.add(prefix, store, 1e-4, 0.0);
            }
            optimiser
        });
        let example = |index: usize| Example {
            id: index.to_string(),
            audio: PathBuf::new(),
            target: Target::Class(index % CLASSES),
            written: None,
            speaker: None,
        };
        Ok(Self { model, task, input, examples: (0..batch as usize).map(example).collect(), optimiser })
    }

    fn once(&mut self) {
        let Some(optimiser) = &mut self.optimiser else {
            let _guard = tch::no_grad_guard();
            let _ = self.model.backbone.encode(&self.input, &NoAdapter, &Cx::eval(), Keep::Last);
            return;
        };
        optimiser.zero_grad();
        let state = self.model.backbone.encode_until(&self.input, self.model.cut);
        let examples: Vec<&Example> = self.examples.iter().collect();
        let loss = self.task.loss(&self.model.logits(state, &Cx::train(1)), &examples);
        loss.backward();
        optimiser.clip_grad_norm(1.0);
        optimiser.step(1.0);
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
