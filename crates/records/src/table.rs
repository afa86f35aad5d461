//! Results by method and task.

use serde::{Deserialize, Serialize};
use sure_metrics::Interval;

use crate::{CellId, RecordsError, RunRecord, Store};

mod build;
mod render;
mod ties;

/// Characters a line where the terminal is not known.
const WIDTH: usize = 160;

/// Results by method and task, one section for each backbone and suite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// The sections, sorted by suite and backbone.
    pub sections: Vec<Section>,
}

/// The results of one backbone in one suite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// The suite's name.
    pub suite: String,
    /// The suite's version.
    pub suite_version: u32,
    /// The backbone; of several together their names with `+` between them.
    pub backbone: String,
    /// The tasks, sorted by name.
    pub columns: Vec<Column>,
    /// The floors `random` and `linear`, then the methods by their trainable share.
    pub rows: Vec<Row>,
}

/// One task on one data set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// The task.
    pub task: String,
    /// The data set.
    pub set: String,
    /// The metric; `None` where every cell failed.
    pub metric: Option<String>,
    /// Whether more of the metric is better.
    pub higher_is_better: bool,
}

/// What a row stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// A floor: what a method has to beat to be worth anything.
    Floor,
    /// A method.
    Method,
}

/// One method on every column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The method; where several configurations of it were run, with what tells them apart.
    pub label: String,
    /// What the row stands for.
    pub kind: RowKind,
    /// The smallest and the largest trainable share among the row's cells, in percent; `None` for `random`.
    pub trainable_percent: Option<[f64; 2]>,
    /// One entry a column; `None` where nothing was run.
    pub entries: Vec<Option<Entry>>,
}

/// The cells of one method on one task, over seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The mean over the seeds that succeeded; `None` where all failed.
    pub mean: Option<f64>,
    /// Over two or more seeds Student's interval of the mean, for one seed the stored interval over utterances.
    pub interval: Option<Interval>,
    /// How many seeds succeeded.
    pub seeds: usize,
    /// How many seeds failed.
    pub failed: usize,
    /// How many items were scored in each.
    pub n: usize,
    /// Whether this is the column's best mean.
    pub best: bool,
    /// Whether the paired bootstrap over utterances does not tell it from the best.
    pub tie: bool,
    /// Whether every seed that succeeded had converged.
    pub converged: bool,
    /// The cells, sorted by seed.
    pub cells: Vec<CellId>,
    /// What others reported for the same method, task and set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
}

/// A figure that somebody else reported.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The task.
    pub task: String,
    /// The data set.
    pub set: String,
    /// The method.
    pub method: String,
    /// The metric's name.
    pub metric: String,
    /// The score, as a ratio.
    pub value: f64,
    /// Where it stands, and what is different there.
    pub source: String,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TableFormat {
    /// For a terminal.
    Terminal,
    /// For a README.
    Markdown,
    /// One line an entry.
    Csv,
    /// The [`Table`] itself.
    Json,
}

impl Table {
    /// Builds the table from records alone. With a store, methods are compared with the best one through the stored
    /// predictions; without it, or where predictions are missing, no ties are marked.
    ///
    /// # Errors
    ///
    /// Those of [`Store::predictions`], [`RecordsError::Compare`].
    pub fn build(records: &[RunRecord], store: Option<&Store>) -> Result<Self, RecordsError> {
        build::table(records, store, false)
    }

    /// The same with all backbones of a suite in one section, each row named after its method and its backbone: a best
    /// one and ties are those of all.
    ///
    /// # Errors
    ///
    /// As [`Table::build`].
    pub fn together(records: &[RunRecord], store: Option<&Store>) -> Result<Self, RecordsError> {
        build::table(records, store, true)
    }

    /// Puts figures that others reported beside the entries of the same method, task, set and metric.
    #[must_use]
    pub fn with_published(mut self, figures: &[Published]) -> Self {
        for section in &mut self.sections {
            for row in &mut section.rows {
                for (column, entry) in section.columns.iter().zip(&mut row.entries) {
                    let Some(entry) = entry else { continue };
                    let matches = |figure: &&Published| {
                        (&figure.task, &figure.set, &figure.method) == (&column.task, &column.set, &row.label)
                            && column.metric.as_ref() == Some(&figure.metric)
                    };
                    entry.published = figures.iter().find(matches).cloned();
                }
            }
        }
        self
    }

    /// The table for a terminal of so many characters a line, with a last line end: columns that do not fit beside each
    /// other stand in blocks below each other.
    pub fn terminal(&self, width: usize) -> String {
        render::terminal(self, width)
    }

    /// The table as text, with a last line end; for a terminal of 160 characters, see [`Table::terminal`].
    pub fn render(&self, format: TableFormat) -> String {
        match format {
            TableFormat::Terminal => render::terminal(self, WIDTH),
            TableFormat::Markdown => render::markdown(self),
            TableFormat::Csv => render::csv(self),
            TableFormat::Json => render::json(self),
        }
    }
}
