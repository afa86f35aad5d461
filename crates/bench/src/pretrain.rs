//! A whole pretraining: the iterations of a recipe one after the other, and the folder in which they leave a backbone.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sure_data::{Protocol, discover};
use sure_nn::{Backbone, Checkpoint, Seed, tch::Device};
use sure_records::{Provenance, write_atomic};
use sure_train::{
    Observer,
    pretrain::{Corpus, CorpusSet, FeatureSource, InitFrom, Iterating, IterationRecord, Recipe, pretrain},
};
use sure_zoo::{Compat, LoadOptions, Weights, from_dir};

use crate::{celldata::read_options, environment};

/// Sample rate of the models that are pretrained here, in Hz.
const RATE_HZ: u32 = 16_000;
/// From so many bytes of decoded recordings on, a note says how much memory they take.
const MUCH: u64 = 8 << 30;

/// What a pretraining was, and how it went: `pretrain.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PretrainRecord {
    /// The recipe.
    pub recipe: Recipe,
    /// What was learnt from.
    pub data: Vec<CorpusSet>,
    /// Recordings, or parts of long ones, that were learnt from, and those that were held out.
    pub recordings: [usize; 2],
    /// Threads of a tensor operation.
    pub threads: usize,
    /// What computed it.
    pub provenance: Provenance,
    /// The iterations.
    pub iterations: Vec<IterationRecord>,
}

/// What is to be done.
#[derive(Debug)]
pub struct PretrainRequest {
    /// The recipe.
    pub recipe: Recipe,
    /// Folders with data sets.
    pub data: Vec<PathBuf>,
    /// The folder to write into.
    pub out: PathBuf,
    /// Threads of a tensor operation.
    pub threads: usize,
}

/// Reads a recipe. `max_steps` bounds the steps of each iteration.
///
/// # Errors
/// When the file is missing or makes no sense.
pub fn read_recipe(path: &Path, max_steps: Option<u64>) -> Result<Recipe> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let mut recipe: Recipe = toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    for iteration in &mut recipe.iterations {
        iteration.steps = iteration.steps.min(max_steps.unwrap_or(u64::MAX));
    }
    recipe.check().with_context(|| format!("reading {}", path.display()))?;
    Ok(recipe)
}

/// Runs the recipe's iterations, of which those that are finished in the folder are not run again.
///
/// # Errors
/// When data or recipe cannot be used, the folder holds something else, or the observer asks to stop.
pub fn run(
    request: &PretrainRequest,
    note: &mut dyn FnMut(&str),
    observer: &mut dyn Observer,
) -> Result<PretrainRecord> {
    let PretrainRequest { recipe, out, threads, .. } = request;
    sure_nn::tch::set_num_threads(i32::try_from(*threads)?);
    let mut readings = Vec::new();
    for folder in &request.data {
        readings.extend(discover(folder, &read_options(Protocol::default()))?);
    }
    for reading in &readings {
        reading.notes.iter().for_each(|said| note(&format!("{}: {said}", reading.manifest.name)));
    }
    let corpus = Corpus::read(&readings, RATE_HZ, recipe.holdout, *threads, observer)?;
    say_what_is_used(&corpus, note);
    let mut iterations = Vec::new();
    for number in 0..recipe.iterations.len() {
        iterations.push(iteration(request, number, &corpus, note, observer)?);
    }
    let record = PretrainRecord {
        recipe: recipe.clone(),
        data: corpus.sets.clone(),
        recordings: [corpus.train.len(), corpus.valid.len()],
        threads: *threads,
        provenance: environment::provenance("cpu"),
        iterations,
    };
    let last = folder(out, recipe.iterations.len() - 1);
    for name in ["config.json", "preprocessor_config.json", "model.safetensors"] {
        let bytes =
            fs::read(last.join(name)).with_context(|| format!("reading {}", last.join(name).display()))?;
        write_atomic(&out.join(name), &bytes)?;
    }
    write_json(&out.join("pretrain.json"), &record)?;
    Ok(record)
}

fn folder(out: &Path, number: usize) -> PathBuf {
    out.join(format!("iteration-{}", number + 1))
}

/// One iteration, or its record where it is finished.
fn iteration(
    request: &PretrainRequest,
    number: usize,
    corpus: &Corpus,
    note: &mut dyn FnMut(&str),
    observer: &mut dyn Observer,
) -> Result<IterationRecord> {
    let PretrainRequest { recipe, out, .. } = request;
    let here = folder(out, number);
    fs::create_dir_all(&here).with_context(|| format!("creating {}", here.display()))?;
    let (config, preprocessor) = (here.join("config.json"), here.join("preprocessor_config.json"));
    let done = here.join("pretrain.json");
    if !done.is_file() {
        write_json(&config, &configuration(&recipe.model)?)?;
        write_json(&preprocessor, &preprocessing())?;
    }
    let before = number.checked_sub(1).map(|before| folder(out, before));
    let plan = &recipe.iterations[number];
    let seed = Seed::new(recipe.seed).derive(&format!("iteration {number}"));
    let network = match (&before, plan.init) {
        (Some(before), InitFrom::Previous) => open(before, Weights::Pretrained)?,
        _ => open(&here, Weights::Random(seed))?,
    };
    let teacher = match (&before, plan.targets) {
        (Some(before), FeatureSource::Layer(_)) => Some(open(before, Weights::Pretrained)?),
        _ => None,
    };
    let teacher = teacher.as_deref();
    let work = Iterating { recipe, number, network: &*network, teacher, corpus, folder: &here };
    if done.is_file() {
        let text = fs::read_to_string(&done).with_context(|| format!("reading {}", done.display()))?;
        let record: IterationRecord = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; delete it", done.display()))?;
        ensure!(
            record.run == work.run_id()?,
            "{} holds an iteration of another recipe or other data; name a new folder, or delete it",
            here.display()
        );
        note(&format!("iteration {} is finished already", number + 1));
        return Ok(record);
    }
    let record = pretrain(&work, observer)?;
    write_atomic(&here.join("model.safetensors"), &published_weights(&*network)?)?;
    write_json(&done, &record)?;
    // What is needed for resuming is needed no more.
    let _ = fs::remove_file(here.join("checkpoint.safetensors"));
    Ok(record)
}

fn open(folder: &Path, weights: Weights) -> Result<Box<dyn Backbone>> {
    let options = LoadOptions { weights, device: Device::Cpu, compat: Compat::Sure };
    from_dir(folder, &options).with_context(|| format!("building the model of {}", folder.display()))
}

/// The weights in 16-bit precision under the names of `transformers`.
fn published_weights(network: &dyn Backbone) -> Result<Vec<u8>> {
    let values = network.store().snapshot().into_iter();
    let named = values.map(|(name, value)| (network.published_name(&name), value)).collect();
    Ok(Checkpoint::to_pytorch_half_bytes(&named)?)
}

/// `config.json` of the recipe's model.
fn configuration(model: &Map<String, Value>) -> Result<Value> {
    let mut config = model.clone();
    for (key, value) in [
        ("architectures", json!(["HubertModel"])),
        ("model_type", json!("hubert")),
        // In which precision transformers shall compute; the file is only stored in half of it.
        ("dtype", json!("float32")),
    ] {
        match config.insert(key.to_owned(), value.clone()) {
            Some(given) if given != value => bail!("model.{key} = {given}: is {value} in a pretraining"),
            _ => {}
        }
    }
    Ok(Value::Object(config))
}

fn preprocessing() -> Value {
    json!({
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "sampling_rate": RATE_HZ,
        "padding_side": "right",
        "padding_value": 0.0,
        "do_normalize": true,
        "return_attention_mask": false,
    })
}

fn say_what_is_used(corpus: &Corpus, note: &mut dyn FnMut(&str)) {
    for CorpusSet { name, utterances, seconds, not_train, too_short, .. } in &corpus.sets {
        note(&format!(
            "{name}: {utterances} recordings, {:.1} min; left out: {not_train} that are not for training, {too_short} \
             shorter than 0.5 s",
            seconds / 60.0
        ));
    }
    let bytes = (corpus.seconds() * f64::from(RATE_HZ)) as u64 * 4;
    if bytes > MUCH {
        note(&format!("the decoded recordings take {} GB of memory", bytes >> 30));
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write_atomic(path, (serde_json::to_string_pretty(value)? + "\n").as_bytes())?;
    Ok(())
}
