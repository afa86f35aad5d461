//! `import`: an adapter that peft saved.

use std::{collections::BTreeSet, path::PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use super::{
    Ended,
    common::{complain, say_files},
};
use crate::interchange::{ImportLabels, import, stored_labels};

/// Take up a LoRA that Python's peft saved.
///
/// The new folder serves `extract` and `export` as --run. With --task (and --labels) the head that was saved with the
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
    #[arg(long)]
    task: Option<String>,
    /// The labels in the order of the head's outputs, with commas between them [default: those in labels.json, which
    /// `export` writes]
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
        let labels = self
            .task
            .clone()
            .map(|task| Ok::<_, anyhow::Error>(ImportLabels { task, labels: self.labels()? }));
        let labels = labels.transpose()?;
        let imported = import(&self.from, &self.backbone, labels, &self.out)?;
        if imported.head_left {
            complain("note: the adapter's head was left out; name its --task (and --labels) to take it too");
        }
        say_files(&imported.files, self.json)?;
        Ok(Ended::Done)
    }

    /// The labels that were named, or that stand beside the adapter.
    fn labels(&self) -> Result<Vec<String>> {
        let stored = stored_labels(&self.from)?;
        let (named, sorted) =
            (&self.labels, |labels: &[String]| labels.iter().cloned().collect::<BTreeSet<_>>());
        match stored {
            None if named.is_empty() => bail!("name the head's --labels, in the order of its outputs"),
            Some(stored) if named.is_empty() => Ok(stored),
            Some(stored) if *named != stored && sorted(named) == sorted(&stored) => {
                bail!("--labels is in another order than the head's outputs, which are: {}", stored.join(","))
            }
            _ if named.iter().any(String::is_empty) => bail!("--labels holds an empty label"),
            _ if sorted(named).len() < named.len() => bail!("--labels holds a label twice"),
            _ => Ok(named.clone()),
        }
    }
}
