//! `mini-corpus`: makes the embedded corpus, or compares it with what the synthesisers of this machine say.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use sure_corpus::{Checked, CorpusError, SetMade, Versions};

use super::{
    Ended,
    common::{complain, say, say_json},
};
use crate::{backbone::Missing, embedded};

/// Make the embedded corpus from its recipe, or check it.
///
/// Needs espeak-ng (1.51 made the embedded one) and flite, and for writing oggenc.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask mini-corpus --check               # do the engines here say what the corpus was made of?
  cargo xtask mini-corpus --out corpus          # make it anew
  cargo xtask mini-corpus --extra 110 --out .   # more speech of the training voices, for pretraining")]
pub(super) struct MiniCorpus {
    /// Compare with the corpus instead of writing one: samples of the engines by hash, packs, labels
    #[arg(long)]
    check: bool,
    /// The corpus' folder [default: the embedded one]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write a set `extra` of N lines a training voice, instead of the corpus
    #[arg(long, value_name = "N", conflicts_with = "check", requires = "out", value_parser = clap::value_parser!(u16).range(1..))]
    extra: Option<u16>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl MiniCorpus {
    pub(super) fn run(self) -> Result<Ended> {
        let folder = self.out.clone().map_or_else(embedded::corpus, Ok)?;
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} lines {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let mut progress = |done: usize, total: usize| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        };
        let ended = if self.check {
            self.report(&there(sure_corpus::check(&folder, &mut progress))?, &folder)
        } else {
            let sets = match self.extra {
                Some(each) => vec![there(sure_corpus::make_extra(&folder, each.into(), &mut progress))?],
                None => there(sure_corpus::make(&folder, &mut progress))?,
            };
            self.say_sets(&sets)
        };
        bar.finish_and_clear();
        ended
    }

    fn report(&self, checked: &Checked, folder: &Path) -> Result<Ended> {
        let same = checked.is_same();
        if self.json {
            say_json(&json!({
                "same": same,
                "recipe": {"corpus": checked.recipe.0, "program": checked.recipe.1},
                "made_with": checked.made_with,
                "here": checked.here,
                "compared": checked.compared,
                "different": checked.different,
                "strangers": checked.files.strangers,
                "packs": checked.files.packs,
            }))?;
        } else {
            say(&format!(
                "{}: {} lines spoken again, {} differ; {} packs of other bytes; {} rows that the recipe and the corpus do \
                 not share",
                folder.display(),
                checked.compared,
                checked.different.len(),
                checked.files.packs.len(),
                checked.files.strangers.len()
            ));
            say(&format!("made with {}; here {}", versions(&checked.made_with), versions(&checked.here)));
        }
        if checked.made_with != checked.here {
            complain("note: with other engines than those that made the corpus, samples may differ");
        }
        for (what, names) in [
            ("says otherwise", &checked.different),
            ("other bytes", &checked.files.packs),
            ("not shared", &checked.files.strangers),
        ] {
            for name in names.iter().take(5) {
                complain(&format!("{what}: {name}"));
            }
        }
        Ok(if same { Ended::Done } else { Ended::Failed })
    }

    fn say_sets(&self, sets: &[SetMade]) -> Result<Ended> {
        if self.json {
            let sets = sets.iter().map(|set| {
                json!({"folder": set.folder, "recordings": set.recordings, "seconds": set.seconds, "bytes": set.bytes})
            });
            say_json(&sets.collect::<Vec<_>>())?;
            return Ok(Ended::Done);
        }
        for set in sets {
            say(&format!(
                "{}: {} recordings, {:.1} min, {:.2} MB",
                set.folder.display(),
                set.recordings,
                set.seconds / 60.0,
                set.bytes as f64 / 1e6
            ));
        }
        Ok(Ended::Done)
    }
}

/// An engine that is not installed is something missing, not a failure.
fn there<T>(outcome: Result<T, CorpusError>) -> Result<T> {
    outcome.map_err(|error| match error {
        CorpusError::Program { .. } | CorpusError::Espeak(sure_sys::EspeakError::NotThere { .. }) => {
            Missing(error.to_string()).into()
        }
        _ => error.into(),
    })
}

fn versions(versions: &Versions) -> String {
    let each: Vec<String> = versions.iter().map(|(engine, version)| format!("{engine} {version}")).collect();
    each.join(" and ")
}
