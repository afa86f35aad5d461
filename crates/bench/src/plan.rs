//! From flags to cells.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Error, Result, bail};
use sure_data::{
    Applies, CardLabels, DatasetCard, Manifest, Note, Protocol, Reading, TaskCard, TaskInput, TaskKind, What,
    discover,
};
use sure_nn::{Backbone, DeviceChoice, Modality, tch::Device};
use sure_records::{Cell, CellId};
use sure_train::Augment;
use sure_zoo::Compat;

use crate::{
    backbone::{BackboneRef, Missing},
    cell::absolute,
    celldata::{CellData, read_options},
    environment,
    model::RunConfig,
    presets,
    rundir::RunFile,
    suite::Reference,
};

/// What the user asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The suite.
    pub suite: String,
    /// Its profile.
    pub profile: String,
    /// `task` or `task/set`; empty = the profile's.
    pub tasks: Vec<String>,
    /// Methods; empty = the profile's.
    pub methods: Vec<String>,
    /// The word after `--backbone`.
    pub backbone: String,
    /// A folder with a manifest, or of such folders.
    pub data: PathBuf,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// Utterances a split at most.
    pub limit: Option<usize>,
    /// Steps at most.
    pub max_steps: Option<u64>,
    /// Peak learning rates in the place of the preset's.
    pub rates: RateOverride,
    /// Threads a cell.
    pub threads: usize,
    /// Precision.
    pub precision: String,
    /// Device.
    pub device: DeviceChoice,
    /// Cache folder; `None` = off.
    pub cache: Option<PathBuf>,
    /// Whose choices are followed where the project departs from the reference.
    pub compat: Choices,
    /// What a text encoder reads.
    pub transcripts: Transcripts,
}

/// What a text encoder reads in the place of recordings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Transcripts {
    /// The transcripts of the data set, in the key `text`
    #[default]
    Gold,
    /// In validation and test what a recogniser wrote, in the key `recognised` (see `predict --data`)
    Recognised,
}

impl Transcripts {
    /// What tasks are done from by `backbone`; a backbone that hears takes the recordings.
    fn input(self, backbone: &dyn Backbone) -> TaskInput {
        match (backbone.modality(), self) {
            (Modality::Speech, _) => TaskInput::Speech,
            (Modality::Text, Self::Gold) => TaskInput::Transcript,
            (Modality::Text, Self::Recognised) => TaskInput::Recognised,
        }
    }
}

/// Whose choices are followed where the project departs from the paper's code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Choices {
    /// The project's own
    #[default]
    Sure,
    /// Those of the paper's code, its defects included
    Reference,
    /// The project's own, with data sets split and labelled as SUPERB does
    Superb,
}

impl Choices {
    /// How published data sets are read.
    fn protocol(self) -> Protocol {
        match self {
            Self::Sure => Protocol::Sure,
            Self::Reference => Protocol::Reference,
            Self::Superb => Protocol::Superb,
        }
    }
}

/// Peak learning rates in the place of the preset's.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct RateOverride {
    /// Peak learning rate of the adapter or the unfrozen backbone [default: the suite's for the method]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub lr: Option<f64>,
    /// Peak learning rate of the head [default: the suite's for the method]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub head_lr: Option<f64>,
}

/// A learning rate from a command line.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate >= 0.0);
    rate.ok_or_else(|| format!("{text:?} is no learning rate: a number of at least 0, as 3e-4"))
}

/// The cells of a request, and what was left out with the reason.
#[derive(Debug)]
pub struct Plan {
    /// The cells.
    pub runs: Vec<RunFile>,
    /// Sets that do not have a task, in words.
    pub refused: Vec<String>,
    /// What should be known of the data, in words.
    pub notes: Vec<String>,
    /// Data sets that the profile names and that are not there, with the way to them.
    pub missing: Vec<String>,
}

impl Plan {
    /// The ids of the cells.
    pub fn ids(&self) -> Vec<CellId> {
        self.runs.iter().map(|run| run.cell.id()).collect()
    }
}

/// Plans the cells of `request`: tasks x methods x seeds, on every set that has the task.
///
/// # Errors
/// When a name is unknown, the backbone or the data is not there, or a set that was named lacks its task.
pub fn plan(request: &Request) -> Result<Plan> {
    let suite = presets::suite(&request.suite)?;
    let profile = suite.profile(&request.profile)?;
    let tasks = &distinct(if request.tasks.is_empty() { &profile.tasks } else { &request.tasks });
    let methods = &distinct(if request.methods.is_empty() { &profile.methods } else { &request.methods });
    let reference = BackboneRef::find(&request.backbone)
        .map_err(|error| with_missing_sets(error, request, tasks, request.compat.protocol()))?;
    let device = request.device.resolve()?;
    // Only looked at here: a GPU's memory is for the cells.
    let backbone = reference.open(Device::Cpu, Compat::Sure)?;
    let weights_hash = backbone.identity();
    let input = request.transcripts.input(&*backbone);
    if request.transcripts != Transcripts::Gold && input == TaskInput::Speech {
        bail!("--transcripts is for text encoders, and {} hears the recordings themselves", reference.name);
    }
    let compat = request.compat == Choices::Reference;
    let protocol = request.compat.protocol();
    let mut readings = readings(&request.data, protocol)?;
    // What is to say of a set itself comes with its data; what was not read at all belongs to none.
    let mut passed_over = Vec::new();
    for reading in &mut readings {
        let (none, own): (Vec<Note>, Vec<Note>) =
            reading.notes.drain(..).partition(|note| note.what == What::PassedOver);
        passed_over.extend(none.iter().map(ToString::to_string));
        reading.notes = own;
    }
    // What a profile names need not be there; what the user names must.
    let (there, missing) =
        if request.tasks.is_empty() { present(tasks, &readings) } else { (tasks.clone(), Vec::new()) };
    let (pairs, refused) = pairs(&there, &readings, !request.tasks.is_empty(), input)?;
    if pairs.is_empty() {
        let data = request.data.display();
        // The reader of a long list of data sets may have one of their own.
        let own = if missing.is_empty() { "" } else { " (--tasks names tasks to run on sets of your own)" };
        let reasons: Vec<String> = refused.into_iter().chain(missing).collect();
        let reasons = reasons.join("\n");
        return Err(Missing(format!("no set in {data} has any of the tasks{own}:\n{reasons}")).into());
    }

    let mut runs = Vec::new();
    let mut notes = passed_over;
    if compat && profile.reference == Reference::default() {
        notes.push(format!(
            "the profile {} knows of no choices of the reference: data sets are read as it reads them, and nothing \
             else is different",
            request.profile
        ));
    }
    for Pair { card, reading } in pairs {
        let manifest = &reading.manifest;
        let card = read_or_heard(profile.card(&card, &manifest.name, compat)?, input);
        let card = for_set(card, manifest, compat);
        let data = CellData::of(&card, request.limit, protocol, reading, &*backbone)?;
        notes.extend(data.set.notes.iter().map(|note| format!("{}: {note}", data.set.name())));
        if data.set.skipped > 0 {
            let (set, skipped, all) = (data.set.name(), data.set.skipped, manifest.rows.len());
            notes.push(format!("{set}: {skipped} of {all} rows have no label or no split for the task"));
        }
        for name in methods {
            let method =
                profile.method(name, &presets::method(name)?, (&card.name, &manifest.name), compat)?;
            let mut train = profile.train_config(name, &card.name, &manifest.name, data.set.train.len())?;
            if let Some(most) = request.max_steps.filter(|most| *most < train.steps) {
                train.steps = most;
                train.schedule = train.schedule.shortened(most);
            }
            train.lr = request.rates.lr.unwrap_or(train.lr);
            train.head_lr = request.rates.head_lr.unwrap_or(train.head_lr);
            if input != TaskInput::Speech {
                // Spans of hidden frames and batches by seconds are for recordings.
                train.augment = Augment::Off;
                train.batch_seconds = None;
            }
            let config = RunConfig { method, task: card.clone(), train, limit: request.limit, protocol };
            for &seed in &request.seeds {
                let cell = Cell {
                    suite: suite.name.clone(),
                    suite_version: suite.version,
                    task: card.name.clone(),
                    set: manifest.name.clone(),
                    data_fingerprint: data.fingerprint.hash.clone(),
                    backbone: reference.name.clone(),
                    weights_hash: weights_hash.clone(),
                    method: name.clone(),
                    seed,
                    precision: request.precision.clone(),
                    device: device_name(device),
                    threads: request.threads,
                    config: serde_json::to_value(&config)?,
                };
                runs.push(RunFile {
                    cell,
                    backbone: reference.absolute()?,
                    data: absolute(&manifest.path)?,
                    cache: request.cache.clone(),
                    labels: data.set.labels.clone(),
                });
            }
        }
    }
    Ok(Plan { runs, refused, notes, missing })
}

/// A backbone that is not there, with the data sets that are not there either: one look at what is to be downloaded.
fn with_missing_sets(error: Error, request: &Request, tasks: &[String], protocol: Protocol) -> Error {
    if error.downcast_ref::<Missing>().is_none() || !request.tasks.is_empty() {
        return error;
    }
    let Ok(readings) = readings(&request.data, protocol) else { return error };
    let (_, missing) = present(tasks, &readings);
    let lines: Vec<String> = missing.into_iter().map(|line| format!("\nnot there: {line}")).collect();
    Missing(format!("{error}{}", lines.concat())).into()
}

/// The names without blanks around them, each once.
fn distinct(names: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.iter().map(|name| name.trim().to_owned()).filter(|name| seen.insert(name.clone())).collect()
}

/// Default folder of the cache.
pub fn default_cache() -> PathBuf {
    environment::sure_home().join("cache").join("trunk")
}

fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(number) => format!("cuda:{number}"),
        _ => "cpu".to_owned(),
    }
}

/// A task and a set that has it.
struct Pair<'a> {
    card: TaskCard,
    reading: &'a Reading,
}

/// The task's card with what the set's own card says of the task: the heads, and in the reference's way the order of the
/// labels. A set that only bears the name of a published one keeps what it has.
fn for_set(card: TaskCard, manifest: &Manifest, compat: bool) -> TaskCard {
    let Ok(set) = DatasetCard::named(&manifest.name) else { return card };
    let Some(theirs) = set.tasks.get(&card.name) else { return card };
    let in_order = card.kind == TaskKind::SequenceClassification;
    let mut changed = card.clone();
    if changed.heads.is_empty() {
        changed.heads.clone_from(&theirs.heads);
    }
    if let Some(CardLabels::One(labels)) = theirs.labels.as_ref().filter(|_| compat && in_order) {
        changed.labels.clone_from(labels);
    }
    let fits = changed == card || matches!(changed.applies(manifest), Ok(Applies::Yes));
    if fits { changed } else { card }
}

/// The tasks whose data set is there, and the others by their set, with the way to it.
fn present(tasks: &[String], readings: &[Reading]) -> (Vec<String>, Vec<String>) {
    let is_there = |task: &String| {
        task.split_once('/')
            .is_none_or(|(_, set)| readings.iter().any(|reading| reading.manifest.name == set))
    };
    let (there, absent): (Vec<String>, Vec<String>) = tasks.iter().cloned().partition(is_there);
    let set = |task: &str| task.split_once('/').map_or_else(String::new, |(_, set)| set.to_owned());
    let mut by_set: Vec<(String, Vec<String>)> = Vec::new();
    for task in absent {
        match by_set.iter_mut().find(|(known, _)| *known == set(&task)) {
            Some((_, tasks)) => tasks.push(task),
            None => by_set.push((set(&task), vec![task])),
        }
    }
    let way = |(set, tasks): (String, Vec<String>)| {
        let way = DatasetCard::named(&set).map(|card| format!(": {}", way_to(&card)));
        format!("{}{}", tasks.join(", "), way.unwrap_or_default())
    };
    (there, by_set.into_iter().map(way).collect())
}

/// The card as a backbone needs it that is given this.
fn read_or_heard(card: TaskCard, input: TaskInput) -> TaskCard {
    if input == TaskInput::Speech { card } else { card.reading(input) }
}

/// How a data set is had.
fn way_to(card: &DatasetCard) -> String {
    let name = &card.name;
    if card.ways().is_empty() {
        return format!(
            "{} ({}); then `cargo xtask download --dataset {name} --from DIR|ARCHIVE`",
            card.page(),
            card.licence
        );
    }
    format!("`cargo xtask download --dataset {name}`")
}

/// The data sets of a folder; none where what would be downloaded to is not there yet.
fn readings(folder: &Path, protocol: Protocol) -> Result<Vec<Reading>> {
    let has_sets = |folder: &Path| {
        folder
            .read_dir()
            .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| entry.path().is_dir())))
    };
    if folder == environment::datasets() && !has_sets(folder) {
        return Ok(Vec::new());
    }
    Ok(discover(folder, &read_options(protocol))?)
}

/// Every task with every set that has it; `task/set` names one, which must have it where the user `named` it.
fn pairs<'a>(
    tasks: &[String],
    readings: &'a [Reading],
    named: bool,
    input: TaskInput,
) -> Result<(Vec<Pair<'a>>, Vec<String>)> {
    let (mut pairs, mut refused) = (Vec::new(), Vec::new());
    for name in tasks {
        let (task, set) = match name.split_once('/') {
            Some((task, set)) => (task, Some(set)),
            None => (name.as_str(), None),
        };
        let card = presets::task(task)?;
        if input != TaskInput::Speech && !card.from_text {
            let reason =
                format!("{name}: a text encoder is given transcripts, and the task needs the recordings");
            if named {
                bail!("{reason}");
            }
            refused.push(reason);
            continue;
        }
        let applied = read_or_heard(card.clone(), input);
        let mut found = false;
        for reading in readings.iter().filter(|reading| set.is_none_or(|set| reading.manifest.name == set)) {
            found = true;
            match applied.applies(&reading.manifest)? {
                Applies::Yes => pairs.push(Pair { card: card.clone(), reading }),
                Applies::No(refusal) if set.is_some() && named => bail!("{refusal}"),
                Applies::No(refusal) => refused.push(refusal.to_string()),
            }
        }
        if !found {
            let sets: Vec<_> = readings.iter().map(|reading| reading.manifest.name.as_str()).collect();
            bail!("no set {:?} in the data folder; there are: {}", set.unwrap_or(""), sets.join(", "));
        }
    }
    Ok((pairs, refused))
}
