//! `report`: tables from records alone.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use sure_records::{Store, Table, TableFormat};

use super::{Ended, common::say};
use crate::{backbone::Missing, environment, presets};

/// Print the table of the results in a folder.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask report
  cargo xtask report --out results --format markdown > table.md
  cargo xtask report --out results --published        # the paper's figures beside ours")]
pub(super) struct Report {
    /// The folder [default: runs/sure-mini in `$SURE_HOME`, else runs/sure-small there]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Put the figures that the suite's authors reported beside ours
    #[arg(long)]
    published: bool,
    /// Same as --format json
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Markdown,
    Csv,
    Json,
}

impl Report {
    pub(super) fn run(self) -> Result<Ended> {
        let runs = environment::sure_home().join("runs");
        let defaults = || ["sure-mini", "sure-small"].map(|name| runs.join(name));
        let out = self.out.or_else(|| defaults().into_iter().find(|folder| folder.is_dir()));
        let out = out.unwrap_or_else(|| runs.join("sure-mini"));
        if !out.is_dir() {
            return Err(
                Missing(format!("no results in {}: run `cargo xtask bench` first", out.display())).into()
            );
        }
        let store = Store::open(out)?;
        let format = match self.format {
            _ if self.json => TableFormat::Json,
            Format::Table => TableFormat::Terminal,
            Format::Markdown => TableFormat::Markdown,
            Format::Csv => TableFormat::Csv,
            Format::Json => TableFormat::Json,
        };
        let mut table = Table::build(&store.records()?, Some(&store))?;
        if self.published {
            let mut figures = Vec::new();
            for suite in presets::suites() {
                figures.extend(presets::published(suite)?);
            }
            table = table.with_published(&figures);
        }
        match format {
            TableFormat::Terminal => say(&table.terminal(environment::columns())),
            format => say(&table.render(format)),
        }
        Ok(Ended::Done)
    }
}
