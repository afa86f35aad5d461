//! LoRA as Python's `peft` saves it: `adapter_config.json` and `adapter_model.safetensors`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use sure_adapters::{AdapterConfig, LoraConfig};
use sure_nn::{Anatomy, Backbone, Blocks, Checkpoint, Part, Placement, Site, tch::Tensor};
use sure_train::Unfreeze;
use sure_zoo::Published;

use super::{LINEAR, Outgoing, fresh_folder, linear_maps, write_json, write_tensors};
use crate::{presets::MethodPreset, rundir::Opened};

/// The labels of an exported head, in the order of its outputs.
const LABELS_FILE: &str = "labels.json";
const KEY_PREFIX: &str = "base_model.model.";
const HALVES: [(&str, &str); 2] = [("lora_A", "lora_a"), ("lora_B", "lora_b")];

/// Writes the run's LoRA to `out`; returns the files.
///
/// # Errors
/// When the method is not LoRA, or a file cannot be written.
pub fn export_peft(opened: Opened, with_head: bool, out: &Path) -> Result<Vec<PathBuf>> {
    let outgoing = Outgoing::new(opened, with_head)?;
    let Some(AdapterConfig::Lora(config)) = &outgoing.opened.adapter else {
        bail!("{} is not LoRA; of our methods peft knows LoRA alone", outgoing.opened.method);
    };
    fresh_folder(out)?;
    let (model, prefix) = (&outgoing.opened.model, outgoing.prefix());
    let names: BTreeMap<Site, String> = linear_maps(&*model.backbone).into_iter().collect();
    let mut tensors = BTreeMap::new();
    let mut targets = BTreeSet::new();
    for site in &model.adapted.sites {
        let name = names.get(site).with_context(|| format!("peft has no name for {site}"))?;
        targets.insert(match config.placement.blocks {
            // In every block: the last part of the name finds them all.
            Blocks::All => name.rsplit('.').next().unwrap_or(name).to_owned(),
            _ => format!("{prefix}{name}"),
        });
        for (theirs, ours) in HALVES {
            let param = model.adapted.store.get(&format!("{site}.{ours}"));
            let tensor = param.with_context(|| format!("{site} has no {ours}"))?.tensor.detach();
            tensors.insert(format!("{KEY_PREFIX}{prefix}{name}.{theirs}.weight"), tensor);
        }
    }
    if outgoing.labels().is_some_and(|labels| labels.classes().is_none()) {
        bail!("only heads with one label a clip come back by `import`; --no-head leaves this one out");
    }
    let head = outgoing.head();
    let heads: BTreeSet<&str> = head.keys().filter_map(|name| name.split('.').next()).collect();
    let heads = if heads.is_empty() { Value::Null } else { json!(heads) };
    tensors.extend(head.into_iter().map(|(name, tensor)| (format!("{KEY_PREFIX}{name}"), tensor)));
    let mut files = vec![out.join("adapter_model.safetensors"), out.join("adapter_config.json")];
    let labels = outgoing.classes();
    if !labels.is_empty() {
        // peft has no place for what the outputs mean; `import` reads it from here.
        let path = out.join(LABELS_FILE);
        write_json(&path, &json!(labels))?;
        files.push(path);
    }
    write_tensors(&files[0], &tensors)?;
    write_json(
        &files[1],
        &json!({
            "base_model_name_or_path": outgoing.opened.backbone_name,
            "bias": "none",
            "fan_in_fan_out": false,
            "inference_mode": true,
            "init_lora_weights": true,
            "lora_alpha": alpha(config.alpha),
            "lora_dropout": 0.0,
            "modules_to_save": heads,
            "peft_type": "LORA",
            "r": config.rank,
            "target_modules": targets,
            // With a task type, peft would choose by itself which parts of a head it saves.
            "task_type": null,
            "use_dora": false,
            "use_rslora": false,
        }),
    )?;
    Ok(files)
}

/// A whole number where it is one, as peft writes it.
fn alpha(alpha: f64) -> Value {
    if alpha.fract() == 0.0 { json!(alpha as i64) } else { json!(alpha) }
}

/// The fields of `adapter_config.json` that change what an adapter computes.
#[derive(Debug, Deserialize)]
struct PeftConfig {
    peft_type: String,
    r: i64,
    lora_alpha: f64,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    lora_bias: bool,
    #[serde(default)]
    bias: Option<String>,
    #[serde(default)]
    rank_pattern: BTreeMap<String, Value>,
    #[serde(default)]
    alpha_pattern: BTreeMap<String, Value>,
    #[serde(default)]
    init_lora_weights: Value,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// Settings that change what an adapter computes, and that we lack: refused unless they say nothing.
const REFUSED: [&str; 11] = [
    "alora_invocation_tokens",
    "arrow_config",
    "fan_in_fan_out",
    "kasa_config",
    "layer_replication",
    "monteclora_config",
    "target_parameters",
    "trainable_token_indices",
    "use_bdlora",
    "use_qalora",
    "velora_config",
];
/// Ways to start an adapter that leave the base weights as they are.
const PLAIN_STARTS: [&str; 3] = ["gaussian", "eva", "orthogonal"];

/// Whether a setting is absent, off, or empty.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

impl PeftConfig {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("adapter_config.json");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("{} is no adapter of peft: cannot read {}", folder.display(), path.display())
        })?;
        let config: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is not as peft writes it", path.display()))?;
        let refuse = |what: &str| bail!("{}: {what} is not supported", path.display());
        match &config {
            Self { peft_type, .. } if peft_type != "LORA" => refuse(&format!("peft_type {peft_type}"))?,
            Self { use_dora: true, .. } => refuse("use_dora")?,
            Self { lora_bias: true, .. } => refuse("lora_bias")?,
            Self { bias: Some(bias), .. } if bias != "none" => refuse(&format!("bias {bias}"))?,
            Self { rank_pattern, alpha_pattern, .. }
                if !(rank_pattern.is_empty() && alpha_pattern.is_empty()) =>
            {
                refuse("a rank or alpha of its own for some modules")?;
            }
            _ => {}
        }
        if let Some(key) =
            REFUSED.iter().find(|key| config.others.get(**key).is_some_and(|v| !says_nothing(v)))
        {
            refuse(key)?;
        }
        // Some ways to start change the base weights too, which the adapter's files do not hold.
        if let Value::String(start) = &config.init_lora_weights
            && !PLAIN_STARTS.contains(&start.as_str())
        {
            refuse(&format!("init_lora_weights {start}"))?;
        }
        ensure!(config.r >= 1, "{}: r = {} must be at least 1", path.display(), config.r);
        ensure!(config.alpha().is_finite(), "{}: lora_alpha is not a number", path.display());
        Ok(config)
    }

    /// Our alpha: the update is scaled by it over the rank.
    fn alpha(&self) -> f64 {
        if self.use_rslora { self.lora_alpha * (self.r as f64).sqrt() } else { self.lora_alpha }
    }
}

/// A LoRA that peft saved, read but not yet placed.
#[derive(Debug)]
pub struct PeftImport {
    /// Ours.
    pub method: MethodPreset,
    /// The adapter's parameters, by our names.
    pub adapter: BTreeMap<String, Tensor>,
    /// A head that was saved with it, by `transformers`' names; empty where there is none.
    pub head: BTreeMap<String, Tensor>,
}

/// Reads the LoRA in `folder` for `backbone`, which transformers calls as `published` says.
///
/// # Errors
/// When it is no LoRA, uses what we lack, names modules that the backbone lacks, or its tensors do not fit.
pub fn import_peft(folder: &Path, backbone: &dyn Backbone, published: Published) -> Result<PeftImport> {
    let config = PeftConfig::read(folder)?;
    let path = folder.join("adapter_model.safetensors");
    let file =
        Checkpoint::open(std::slice::from_ref(&path)).context("only adapters in safetensors are read")?;
    let maps = linear_maps(backbone);
    // What may stand in front of the encoder's names: a decoder's modules must not be taken for the encoder's.
    let whole = format!("model.{}", published.bare);
    let fronts = ["", published.bare, published.whole, whole.as_str()];
    let (mut adapter, mut head, mut left) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    let mut sites = BTreeSet::new();
    for (key, tensor) in file.read_all()? {
        let name = key.strip_prefix(KEY_PREFIX).unwrap_or(&key);
        if name.starts_with("projector.") || name.starts_with("classifier.") {
            head.insert(name.to_owned(), tensor);
            continue;
        }
        let half = HALVES.iter().find_map(|(theirs, ours)| {
            name.strip_suffix(&format!(".{theirs}.weight")).map(|module| (module, *ours))
        });
        let found = half.and_then(|(module, ours)| {
            let fits =
                |theirs: &str| module.strip_suffix(theirs).is_some_and(|front| fronts.contains(&front));
            maps.iter().find(|(_, theirs)| fits(theirs)).map(|(site, _)| (*site, ours))
        });
        let Some((site, ours)) = found else {
            left.push(key);
            continue;
        };
        // Before anything is built: the configuration may say any rank.
        let (shape, widths) = (tensor.size(), backbone.weight(site).map_or_else(Vec::new, Tensor::size));
        let fits = match (ours, widths.as_slice()) {
            ("lora_a", [_, width]) => shape == [config.r, *width],
            (_, [width, _]) => shape == [*width, config.r],
            _ => false,
        };
        ensure!(
            fits,
            "{}: {key} has shape {shape:?}, which does not fit rank {} and a map of {widths:?}",
            path.display(),
            config.r
        );
        sites.insert(site);
        let twice = adapter.insert(format!("{site}.{ours}"), tensor).is_some();
        ensure!(!twice, "{} holds {site} twice", path.display());
    }
    ensure!(
        left.is_empty(),
        "{} holds tensors for which this backbone has no place: {}",
        path.display(),
        left.join(", ")
    );
    let placement = placement(&sites, backbone.anatomy())
        .with_context(|| format!("{} updates different maps in different blocks", path.display()))?;
    let lora = LoraConfig { rank: config.r, alpha: config.alpha(), placement };
    let method = MethodPreset {
        summary: "low-rank updates, imported".to_owned(),
        source: "an adapter of peft".to_owned(),
        unfreeze: Unfreeze::Nothing,
        adapter: Some(AdapterConfig::Lora(lora)),
    };
    Ok(PeftImport { method, adapter, head })
}

/// The labels that stand beside an adapter that we exported.
///
/// # Errors
/// When the file is there and damaged.
pub fn stored_labels(folder: &Path) -> Result<Option<Vec<String>>> {
    let path = folder.join(LABELS_FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).map(Some).with_context(|| format!("{} is no list of labels", path.display()))
}

/// The parts and blocks of `sites`, if they are every part in every block of them.
fn placement(sites: &BTreeSet<Site>, anatomy: &Anatomy) -> Option<Placement> {
    let blocks: BTreeSet<usize> = sites.iter().map(|site| site.block).collect();
    let parts: Vec<Part> = LINEAR
        .iter()
        .map(|(part, _)| *part)
        .filter(|part| sites.iter().any(|site| site.part == *part))
        .collect();
    let whole = !sites.is_empty() && sites.len() == blocks.len() * parts.len();
    let blocks = if blocks.len() == anatomy.blocks() {
        Blocks::All
    } else {
        Blocks::Only(blocks.into_iter().collect())
    };
    whole.then_some(Placement { parts, blocks })
}
