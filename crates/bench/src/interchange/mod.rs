//! Trained models in the formats of others, and back: PEFT's for LoRA, Hugging Face's for merged weights.

mod hf;
mod import;
mod peft;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use sure_data::Labels;
use sure_nn::{Backbone, BlockId, Checkpoint, Part, Site, tch::Tensor};
use sure_records::write_atomic;
use sure_zoo::{Published, published};

use crate::{backbone::BackboneRef, rundir::Opened};

pub use self::{
    hf::export_hf,
    import::{ImportLabels, Imported, import},
    peft::{PeftImport, export_peft, import_peft, stored_labels},
};

/// The maps that LoRA may update, with our parameter names below a block.
const LINEAR: [(Part, &str); 6] = [
    (Part::Query, "attention.query"),
    (Part::Key, "attention.key"),
    (Part::Value, "attention.value"),
    (Part::Out, "attention.out"),
    (Part::Up, "feed_forward.up"),
    (Part::Down, "feed_forward.down"),
];

/// A stored model on its way out.
struct Outgoing {
    opened: Opened,
    folder: PathBuf,
    published: Published,
    with_head: bool,
}

impl Outgoing {
    /// `with_head`: whether the head goes along, where there is one.
    fn new(opened: Opened, with_head: bool) -> Result<Self> {
        let folder = BackboneRef::find(&opened.backbone)?.folder;
        let published = published(&folder)?;
        let with_head = with_head && opened.run.is_some();
        Ok(Self { opened, folder, published, with_head })
    }

    /// What stands in front of the encoder's names.
    fn prefix(&self) -> &'static str {
        if self.with_head { self.published.whole } else { self.published.bare }
    }

    /// The head as `transformers` names it.
    fn head(&self) -> BTreeMap<String, Tensor> {
        if !self.with_head {
            return BTreeMap::new();
        }
        let theirs = |name: String| match name.strip_prefix("tokens.") {
            Some(rest) => format!("lm_head.{rest}"),
            None => name,
        };
        let head = self.opened.model.headed.store.snapshot().into_iter();
        head.map(|(name, tensor)| (theirs(name), tensor)).collect()
    }

    /// What the head's outputs mean, where it goes along.
    fn labels(&self) -> Option<&Labels> {
        self.opened.run.as_ref().filter(|_| self.with_head).map(|run| &run.labels)
    }

    /// The labels in the order of the logits, of a head with one label a clip.
    fn classes(&self) -> &[String] {
        self.labels().and_then(Labels::classes).unwrap_or_default()
    }
}

/// Every linear map inside blocks with its published name: `encoder.layers.0.attention.q_proj`.
fn linear_maps(backbone: &dyn Backbone) -> Vec<(Site, String)> {
    let mut maps = Vec::new();
    for block in 0..backbone.blocks() {
        for (part, name) in LINEAR {
            let theirs = backbone.published_name(&format!("blocks.{block}.{name}.weight"));
            let theirs = theirs.strip_suffix(".weight").unwrap_or(&theirs).to_owned();
            maps.push((BlockId::encoder(block).site(part), theirs));
        }
    }
    maps
}

/// Writes named tensors as `transformers` wants them, with its mark in the header.
fn write_tensors(path: &Path, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
    write_atomic(path, &Checkpoint::to_pytorch_bytes(tensors)?)?;
    Ok(())
}

/// Writes a JSON file.
fn write_json(path: &Path, value: &serde_json::Value) -> Result<()> {
    write_atomic(path, (serde_json::to_string_pretty(value)? + "\n").as_bytes())?;
    Ok(())
}

/// An empty folder to write into; one that holds something is refused.
fn fresh_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() && folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; name a new folder", folder.display());
    }
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))
}
