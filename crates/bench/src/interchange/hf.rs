//! A whole checkpoint in Hugging Face's layout: the backbone with what was trained merged into it, and the head.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use sure_data::Labels;
use sure_nn::tch;
use sure_tasks::SequenceClassifier;
use sure_text::Alphabet;

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
    let config = configuration(&outgoing)?;
    fresh_folder(out)?;
    let mut tensors = outgoing.head();
    for (name, tensor) in model.backbone.store().snapshot() {
        tensors.insert(format!("{}{}", outgoing.prefix(), model.backbone.published_name(&name)), tensor);
    }
    let mut files = vec![out.join("model.safetensors"), out.join("config.json")];
    write_tensors(&files[0], &tensors)?;
    write_json(&files[1], &config)?;
    if let Some(Labels::Tokens(alphabet)) = outgoing.labels() {
        files.extend(tokenizer(alphabet, out)?);
    }
    // What makes inputs of recordings or texts is the backbone's own, unless the head came with a vocabulary.
    for name in ["preprocessor_config.json", "tokenizer.json", "vocab.txt", "tokenizer_config.json"] {
        let (from, to) = (outgoing.folder.join(name), out.join(name));
        if from.is_file() && !to.exists() {
            let bytes = std::fs::read(&from).with_context(|| format!("reading {}", from.display()))?;
            sure_records::write_atomic(&to, &bytes)?;
            files.push(to);
        }
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
    let class = match outgoing.labels() {
        None => published.encoder,
        Some(Labels::Classes(_)) => published.classifier.with_context(|| {
            let family = published.encoder;
            format!("the head of transformers' classifier for {family} is another one; --no-head leaves the head out")
        })?,
        Some(Labels::Slots(_)) => {
            bail!("heads that label words are not written for transformers yet; --no-head leaves the head out")
        }
        Some(Labels::Heads(_)) => {
            bail!(
                "transformers has no class with several labels a clip side by side; --no-head leaves the head out"
            )
        }
        Some(Labels::Tokens(_)) => published.ctc.with_context(|| {
            let family = published.encoder;
            format!("transformers has no class with a CTC head for {family}; --no-head leaves the head out")
        })?,
    };
    config.insert("architectures".to_owned(), json!([class]));
    config.insert("dtype".to_owned(), json!("float32"));
    config.remove("torch_dtype");
    match outgoing.labels() {
        None | Some(Labels::Heads(_) | Labels::Slots(_)) => {}
        Some(Labels::Tokens(alphabet)) => {
            config.insert("vocab_size".to_owned(), json!(alphabet.len()));
            config.insert("pad_token_id".to_owned(), json!(alphabet.blank()));
            config.insert("ctc_loss_reduction".to_owned(), json!("mean"));
            config.insert("ctc_zero_infinity".to_owned(), json!(true));
            config.insert("final_dropout".to_owned(), json!(0.0));
        }
        Some(Labels::Classes(labels)) => {
            let by_id: Map<String, Value> =
                labels.iter().enumerate().map(|(id, label)| (id.to_string(), json!(label))).collect();
            let by_label: Map<String, Value> =
                labels.iter().enumerate().map(|(id, label)| (label.clone(), json!(id))).collect();
            config.insert("id2label".to_owned(), Value::Object(by_id));
            config.insert("label2id".to_owned(), Value::Object(by_label));
            config.insert("classifier_proj_size".to_owned(), json!(SequenceClassifier::PROJECTOR));
            config.insert("use_weighted_layer_sum".to_owned(), json!(false));
        }
    }
    Ok(Value::Object(config))
}

/// The files of `Wav2Vec2CTCTokenizer`. Phones and tags are tokens of several letters, which it decodes without blanks
/// between them.
fn tokenizer(alphabet: &Alphabet, out: &Path) -> Result<Vec<PathBuf>> {
    let files = [out.join("vocab.json"), out.join("tokenizer_config.json")];
    write_json(&files[0], &json!(alphabet.vocab()))?;
    let unknown = alphabet.tokens().iter().find(|token| ["[UNK]", "<unk>"].contains(&token.as_str()));
    write_json(
        &files[1],
        &json!({
            "tokenizer_class": "Wav2Vec2CTCTokenizer",
            "pad_token": alphabet.tokens()[alphabet.blank()],
            "unk_token": unknown,
            "word_delimiter_token": "|",
            "bos_token": null,
            "eos_token": null,
        }),
    )?;
    Ok(files.into())
}
