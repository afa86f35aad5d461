//! `report`: tables from records alone.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use sure_records::{Store, Table, TableFormat, differences};

use super::{
    Ended,
    common::{say, say_json},
};
use crate::{backbone::Missing, environment, presets};

/// Print the table of the results in a folder.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask report
  cargo xtask report --out results --format markdown > table.md
  cargo xtask report --out results --published        # the paper's figures beside ours
  cargo xtask report --together                       # speech and text encoders in one table
  cargo xtask report --against random:nano-hubert     # what pretraining is worth, cell by cell")]
pub(super) struct Report {
    /// The folder [default: runs/sure-mini in `$SURE_HOME`, else runs/sure-small there]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// One table of all backbones, with a row for each method on each of them
    #[arg(long, conflicts_with = "published")]
    together: bool,
    /// Put the figures that the suite's authors reported beside ours
    #[arg(long)]
    published: bool,
    /// Instead of a table, how far each cell is from the same cell of this backbone, with the paired 95 % interval over
    /// test utterances
    #[arg(long, value_name = "BACKBONE", conflicts_with_all = ["published", "together"])]
    against: Option<String>,
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
        if let Some(against) = &self.against {
            return compare(&store, against, matches!(format, TableFormat::Json));
        }
        let build = if self.together { Table::together } else { Table::build };
        let mut table = build(&store.records()?, Some(&store))?;
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

/// One line a cell: scores of both backbones, the difference with its interval, and whether that leaves zero out.
fn compare(store: &Store, against: &str, json: bool) -> Result<Ended> {
    let records = store.records()?;
    let found = differences(&records, against, store)?;
    if found.is_empty() {
        let mut backbones: Vec<&str> = records.iter().map(|record| record.cell.backbone.as_str()).collect();
        backbones.sort_unstable();
        backbones.dedup();
        let there = backbones.join(", ");
        return Err(Missing(format!(
            "no cell has its like with the backbone {against:?}; there are: {there}"
        ))
        .into());
    }
    if json {
        say_json(&found)?;
        return Ok(Ended::Done);
    }
    for found in &found {
        let verdict = match (found.is_better(), found.difference.is_tie()) {
            (true, _) => "better",
            (false, true) => "a tie",
            (false, false) => "worse",
        };
        let arrow = if found.higher_is_better { "" } else { " \u{2193}" };
        say(&format!(
            "{:12} {:18} {:16} {:6.1} - {:6.1} = {:6.1} [{:.1} {:.1}]  {verdict}",
            found.method,
            found.column,
            format!("{}{arrow}", found.metric),
            100.0 * found.scores.0,
            100.0 * found.scores.1,
            100.0 * found.difference.mean,
            100.0 * found.difference.low,
            100.0 * found.difference.high,
        ));
    }
    let better = found.iter().filter(|found| found.is_better()).count();
    say(&format!(
        "{better} of {} better than {against}, by the paired 95 % interval over test utterances",
        found.len()
    ));
    Ok(Ended::Done)
}
