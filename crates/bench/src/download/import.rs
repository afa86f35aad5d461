//! A data set that the user has: a folder, or an archive.

use std::path::Path;

use anyhow::{Context, Result, bail};
use sure_data::DatasetCard;

use super::{
    Bars, Outcome, State,
    dataset::rows,
    whole::{Came, Making, folder, holds_archive, lock},
};

/// Takes a data set up that lies in `from`, once its reader reads it.
///
/// # Errors
/// When there is one already, or `from` is none.
pub fn import(card: &DatasetCard, from: &Path) -> Result<Outcome> {
    let bars = Bars::new();
    let _lock = lock(card, &bars)?;
    let place = folder(&card.name);
    if place.exists() {
        bail!("{} is there already; remove it to take up another one", place.display());
    }
    let mut making = Making::begin(card, &bars)?;
    let source = from.canonicalize().with_context(|| format!("finding {}", from.display()))?;
    let mut came =
        Came { source: format!("file:{}", source.display()), file: String::new(), bytes: None, sha256: None };
    if source.is_dir() {
        making.copy(&source, came)?;
    } else if holds_archive(&source) {
        let sum = sure_hub::sum(&source)?;
        came.file = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (came.bytes, came.sha256) = (Some(sum.bytes), Some(sum.sha256));
        making.take_archive(&source, came)?;
    } else {
        bail!("{} is neither a folder nor an archive (tar, tar.gz or zip)", from.display());
    }
    let origin = making.finish().with_context(|| {
        format!(
            "{} cannot be taken up as {}; how to get that: {}",
            from.display(),
            card.name,
            card.access.trim()
        )
    })?;
    Ok(Outcome { rows: rows(&origin, State::Fetched), ..Outcome::default() })
}
