//! `download`: fetches backbones and data sets, and says what is there.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use indicatif::HumanBytes;
use serde_json::json;
use sure_hub::HubError;

use super::{
    Ended,
    common::{complain, say, say_json},
};
use crate::download::{Mode, Row, Store, Summary, Want, import, run, summary, wants};

/// Fetch backbones and data sets: resumed where they stopped, checked to the last byte.
///
/// Models go to the cache of the Hugging Face hub, which Python shares. What was found the first time is written to
/// downloads.lock.json in `$SURE_HOME`, and held against what is found later.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask download --model facebook/wav2vec2-base
  cargo xtask download --model openai/whisper-tiny.en@main --dry-run
  cargo xtask download --suite sure                                 # all that can be had; the rest is explained
  cargo xtask download --suite sure --list                          # what it needs, and what is there
  HF_TOKEN=hf_... cargo xtask download --model OWNER/GATED          # after agreeing to its licence
  cargo xtask download --dataset fleurs --dataset librispeech
  cargo xtask download --dataset esd --from ~/esd.zip               # what is had by a form alone
  cargo xtask download --model facebook/wav2vec2-base --verify

Environment:
  HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_OFFLINE   as huggingface_hub has them
  SURE_MIRROR     a mirror that is asked first for plain addresses: MIRROR/HOST/PATH stands for https://HOST/PATH
  PIP_INDEX_URL   the index of Python packages, for files that are had inside one")]
#[expect(clippy::struct_excessive_bools, reason = "the flags of a command line")]
pub(super) struct Download {
    /// Everything that a suite needs
    #[arg(long, value_name = "S")]
    suite: Option<String>,
    /// A model on the hub, OWNER/NAME or OWNER/NAME@REVISION; may be repeated
    #[arg(long, value_name = "ID")]
    model: Vec<String>,
    /// A data set by its card's name (`cargo xtask datasets`); may be repeated
    #[arg(long, value_name = "NAME")]
    dataset: Vec<String>,
    /// Take the data set up from what you have, a folder or an archive, instead of fetching it
    #[arg(long, value_name = "DIR|ARCHIVE", conflicts_with_all = ["suite", "model", "list", "verify", "dry_run"])]
    from: Option<PathBuf>,
    /// Only say what is wanted and what is there; nothing is asked
    #[arg(long, conflicts_with_all = ["verify", "dry_run"])]
    list: bool,
    /// Only hash what is there anew
    #[arg(long, conflicts_with = "dry_run")]
    verify: bool,
    /// Only say what would be fetched
    #[arg(long)]
    dry_run: bool,
    /// Accept what is there now where it is not what was found the first time
    #[arg(long)]
    update: bool,
    /// Print the files as JSON
    #[arg(long)]
    json: bool,
}

impl Download {
    pub(super) fn run(self) -> Result<Ended> {
        let mode = match (self.list, self.verify, self.dry_run) {
            (true, ..) => Mode::List,
            (_, true, _) => Mode::Verify,
            (.., true) => Mode::DryRun,
            _ => Mode::Fetch,
        };
        let wants = wants(self.suite.as_deref(), &self.model, &self.dataset)?;
        if mode == Mode::List && !self.json && !wants.is_empty() {
            list(&Store::open(self.update)?, &wants);
            return Ok(Ended::Done);
        }
        let outcome = match (self.from, wants.as_slice()) {
            (_, []) => bail!(
                "nothing is named: --suite S, --model ID, --dataset NAME (`cargo xtask download --help`)"
            ),
            (Some(from), [Want::Dataset(card)]) => match import(card, &from) {
                Err(error) if error.chain().any(is_stop) => return Ok(Ended::Interrupted),
                outcome => outcome?,
            },
            (Some(_), _) => bail!("--from belongs to one --dataset"),
            (None, wants) => run(&Store::open(self.update)?, wants, mode),
        };
        if self.json {
            say_json(&json!({"files": outcome.rows}))?;
        } else {
            for row in &outcome.rows {
                say(&line(row));
            }
        }
        for lack in &outcome.lacks {
            let word = if lack.can_be_had { "missing" } else { "failed" };
            complain(&format!("{word}: {}: {}", lack.what, lack.why));
        }
        Ok(outcome.ended())
    }
}

/// Whether Ctrl-C is the cause.
fn is_stop(cause: &(dyn std::error::Error + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(HubError::Stopped))
}

/// What is wanted, a line each: how it stands, its size where that is known, and its licence.
fn list(store: &Store, wants: &[Want]) {
    for want in wants {
        let outcome = run(store, std::slice::from_ref(want), Mode::List);
        let Summary { name, state, bytes, licence } = summary(want, &outcome.rows);
        let bytes = bytes.map_or_else(|| "size unknown".to_owned(), |bytes| HumanBytes(bytes).to_string());
        say(&format!("{:8} {bytes:>12}  {name}  ({licence})", state.word()));
    }
}

fn line(row: &Row) -> String {
    let bytes = row.bytes.map_or_else(|| "?".to_owned(), |bytes| HumanBytes(bytes).to_string());
    format!("{:8} {bytes:>12}  {}  ({})", row.state.word(), row.path.display(), row.source)
}
