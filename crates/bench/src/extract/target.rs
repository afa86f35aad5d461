//! Where the states go, and in which form.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Result, bail, ensure};

use super::{
    inputs::{Clip, is_inner_path},
    journal, npy,
    states::{Dtype, Taken},
};

/// Forms of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One file, or shards with an index; a tensor a recording and layer.
    Safetensors,
    /// A folder with a file a recording and layer; where there is one of both, that file.
    Npy,
    /// One file; a row a recording and layer.
    Parquet,
}

/// The output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// File or folder.
    pub path: PathBuf,
    /// Its form.
    pub format: Format,
    /// Bytes of data in a file of safetensors, above which another one is begun.
    pub shard_bytes: Option<u64>,
}

impl Target {
    /// Takes the form from `format`, or from the ending of `out`.
    ///
    /// # Errors
    /// When neither tells, or they go ill with `shard_bytes`.
    pub fn of(out: &Path, format: Option<Format>, shard_bytes: Option<u64>) -> Result<Self> {
        let ending = out.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let format = match (format, ending.as_deref()) {
            (Some(format), _) => format,
            (None, Some("safetensors")) => Format::Safetensors,
            (None, Some("npy")) => Format::Npy,
            (None, Some("parquet")) => Format::Parquet,
            (None, _) => bail!(
                "--out {} does not say what to write: let it end in .safetensors, .npy or .parquet, or add --format",
                out.display()
            ),
        };
        ensure!(
            shard_bytes.is_none() || format == Format::Safetensors,
            "--shard-size is for safetensors; npy has a file for each recording and layer, parquet one for all"
        );
        Ok(Self { path: out.to_owned(), format, shard_bytes })
    }

    /// Whether the states of these clips can be written so.
    pub(super) fn check(&self, clips: &[Clip], taken: &Taken) -> Result<()> {
        match self.format {
            Format::Safetensors => {}
            Format::Npy if self.is_one_file() => ensure!(
                clips.len() == 1 && taken.layers.len() == 1,
                "an .npy file holds one layer of one recording, and {} recordings with {} layers are asked for; name \
                 a folder: --out {} --format npy",
                clips.len(),
                taken.layers.len(),
                self.path.with_extension("").display()
            ),
            Format::Npy => {
                for clip in clips {
                    ensure!(is_inner_path(&clip.name), "{:?} cannot be a path inside --out", clip.name);
                }
                // What a run that was broken off at its very end has moved there is its own.
                if !journal::folder_for(&self.path)?.exists() {
                    npy::ensure_empty(&self.path)?;
                }
            }
            Format::Parquet => {
                ensure!(
                    taken.dtype == Dtype::F32,
                    "parquet gets 32-bit floats; --dtype f16 is for the others"
                );
            }
        }
        Ok(())
    }

    /// Whether the output is an `.npy` file rather than a folder of them.
    pub(super) fn is_one_file(&self) -> bool {
        self.format == Format::Npy
            && self.path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy"))
    }
}

/// A number of bytes as `--shard-size` names it: `500MB`, `5GB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit: u64 = match unit.trim().to_ascii_uppercase().as_str() {
            "" | "B" => 1,
            "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            other => return Err(format!("unknown unit {other:?}: B, KB, MB and GB are known")),
        };
        let number: u64 = number.parse().map_err(|_| format!("{text:?} does not begin with a number"))?;
        number
            .checked_mul(unit)
            .filter(|&bytes| bytes > 0)
            .map(Self)
            .ok_or_else(|| format!("{text} is no size"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_follows_from_the_ending_unless_it_is_named() {
        let of = |out: &str, format| Target::of(Path::new(out), format, None).map(|target| target.format);
        assert_eq!(of("a.safetensors", None).unwrap(), Format::Safetensors);
        assert_eq!(of("a.NPY", None).unwrap(), Format::Npy);
        assert_eq!(of("a.parquet", None).unwrap(), Format::Parquet);
        assert_eq!(of("states", Some(Format::Npy)).unwrap(), Format::Npy);
        assert!(of("states", None).unwrap_err().to_string().contains("--format"));
        assert!(Target::of(Path::new("a.parquet"), None, Some(1)).is_err());
    }

    #[test]
    fn sizes_are_numbers_with_units() {
        assert_eq!("5GB".parse(), Ok(Bytes(5_000_000_000)));
        assert_eq!("70 kb".parse(), Ok(Bytes(70_000)));
        for wrong in ["", "GB", "5TB", "0", "99999999999GB"] {
            assert!(wrong.parse::<Bytes>().is_err(), "{wrong}");
        }
    }
}
