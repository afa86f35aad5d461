//! A whole checkpoint in Hugging Face's layout: the backbone with what was trained merged into it, and the head.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use sure_nn::tch;
use sure_tasks::SequenceClassifier;

use super::{Outgoing, fresh_folder, write_json, write_tensors};
use crate::rundir::Opened;

/// Writes the model to `out` as `transformers` reads it; returns the files.
///
/// # Errors
/// When the method cannot be merged into weights, or a file cannot be written.
pub fn export_hf(opened: Opened, with_head: bool, out: &Path) -> Result<Vec<PathBuf>> {
    let outgoing = Outgoing::new(opened, with_head)?;
    let model = &outgoing.opened.model;
    if !model.adapted.store.is_empty() {
        let Some(deltas) = model.adapted.adapter.weight_deltas() else {
            bail!(
                "{} cannot be merged into the backbone's weights, and transformers has no place for its modules; \
                 lora, finetune and linear can be exported",
                outgoing.opened.method
            );
        };
        let _guard = tch::no_grad_guard();
        for (site, delta) in deltas {
            let weight = model.backbone.weight(site).with_context(|| format!("{site} has no weight"))?;
            weight.shallow_clone().copy_(&(weight + delta));
        }
    }
    fresh_folder(out)?;
    let mut tensors = outgoing.head();
    for (name, tensor) in model.backbone.store().snapshot() {
        tensors.insert(format!("{}{}", outgoing.prefix(), model.backbone.published_name(&name)), tensor);
    }
    let mut files = vec![out.join("model.safetensors"), out.join("config.json")];
    write_tensors(&files[0], &tensors)?;
    write_json(&files[1], &configuration(&outgoing)?)?;
    let preprocessor = outgoing.folder.join("preprocessor_config.json");
    if preprocessor.is_file() {
        let copy = out.join("preprocessor_config.json");
        let bytes =
            std::fs::read(&preprocessor).with_context(|| format!("reading {}", preprocessor.display()))?;
        sure_records::write_atomic(&copy, &bytes)?;
        files.push(copy);
    }
    Ok(files)
}

/// The backbone's own configuration with the class, and the labels of the head.
fn configuration(outgoing: &Outgoing) -> Result<Value> {
    let path = outgoing.folder.join("config.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut config: Map<String, Value> =
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
    let published = &outgoing.published;
    let class = if outgoing.with_head { published.classifier } else { published.encoder };
    config.insert("architectures".to_owned(), json!([class]));
    config.insert("dtype".to_owned(), json!("float32"));
    config.remove("torch_dtype");
    if outgoing.with_head {
        let labels = outgoing.labels();
        let by_id: Map<String, Value> =
            labels.iter().enumerate().map(|(id, label)| (id.to_string(), json!(label))).collect();
        let by_label: Map<String, Value> =
            labels.iter().enumerate().map(|(id, label)| (label.clone(), json!(id))).collect();
        config.insert("id2label".to_owned(), Value::Object(by_id));
        config.insert("label2id".to_owned(), Value::Object(by_label));
        config.insert("classifier_proj_size".to_owned(), json!(SequenceClassifier::PROJECTOR));
        config.insert("use_weighted_layer_sum".to_owned(), json!(false));
    }
    Ok(Value::Object(config))
}
