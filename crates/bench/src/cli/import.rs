//! `import`: an adapter that peft saved.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use super::{
    Ended,
    common::{complain, say, say_json},
};
use crate::interchange::{Labels, import};

/// Take up a LoRA that Python's peft saved.
///
/// The new folder serves `extract` and `export` as --run. With --task and --labels the head that was saved with the
/// adapter is taken too, and the folder serves `predict` and `eval` as well.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask import --from adapter --backbone models/wav2vec2-base --out imported
  cargo xtask import --from adapter --backbone models/wav2vec2-base --task ks --labels no,yes --out imported")]
pub(super) struct Import {
    /// The folder that peft's `save_pretrained` wrote
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The pretrained model that it belongs to: a folder or a hub id
    #[arg(long, value_name = "ID|DIR")]
    backbone: String,
    /// The task of the head
    #[arg(long, requires = "labels")]
    task: Option<String>,
    /// The labels in the order of the head's outputs, with commas between them
    #[arg(long, requires = "task", value_delimiter = ',')]
    labels: Vec<String>,
    /// A new folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) fn run(self) -> Result<Ended> {
        let labels = match &self.task {
            None => None,
            Some(_) if self.labels.iter().any(String::is_empty) => bail!("--labels holds an empty label"),
            Some(_) if twice(&self.labels) => bail!("--labels holds a label twice"),
            Some(task) => Some(Labels { task: task.clone(), labels: self.labels.clone() }),
        };
        let imported = import(&self.from, &self.backbone, labels, &self.out)?;
        if imported.head_left {
            complain("note: the adapter's head was left out; name --task and --labels to take it too");
        }
        if self.json {
            say_json(&json!({"files": imported.files}))?;
        } else {
            for file in &imported.files {
                say(&file.display().to_string());
            }
        }
        Ok(Ended::Done)
    }
}

/// Whether a label comes twice.
fn twice(labels: &[String]) -> bool {
    labels.iter().enumerate().any(|(index, label)| labels[..index].contains(label))
}
