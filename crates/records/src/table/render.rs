//! Tables as text.

use std::ops::Range;

use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};
use sure_metrics::Interval;

use super::{Column, Entry, Row, RowKind, Section, Table};

pub(super) fn terminal(table: &Table, width: usize) -> String {
    text(table, &Style { grid: presets::NOTHING, is_markdown: false, width })
}

pub(super) fn markdown(table: &Table) -> String {
    text(table, &Style { grid: presets::ASCII_MARKDOWN, is_markdown: true, width: usize::MAX })
}

pub(super) fn json(table: &Table) -> String {
    crate::canonical::file(table)
}

pub(super) fn csv(table: &Table) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let header = [
        "suite",
        "suite_version",
        "backbone",
        "task",
        "set",
        "metric",
        "method",
        "kind",
        "trainable_percent",
        "mean",
        "low",
        "high",
        "level",
        "seeds",
        "failed",
        "n",
        "best",
        "tie",
        "converged",
        "cells",
        "published",
        "published_source",
    ];
    let memory = "writing to memory does not fail, and all lines are equally long";
    writer.write_record(header).expect(memory);
    for section in &table.sections {
        for row in &section.rows {
            for (column, entry) in section.columns.iter().zip(&row.entries) {
                let Some(entry) = entry else { continue };
                writer.write_record(csv_line(section, row, column, entry)).expect(memory);
            }
        }
    }
    String::from_utf8(writer.into_inner().expect(memory)).expect("all fields are UTF-8")
}

fn csv_line(section: &Section, row: &Row, column: &Column, entry: &Entry) -> [String; 22] {
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let end = |end: fn(Interval) -> f64| number(entry.interval.map(end));
    let cells: Vec<&str> = entry.cells.iter().map(crate::CellId::as_str).collect();
    let kind = match row.kind {
        RowKind::Floor => "floor",
        RowKind::Method => "method",
    };
    [
        section.suite.clone(),
        section.suite_version.to_string(),
        section.backbone.clone(),
        column.task.clone(),
        column.set.clone(),
        column.metric.clone().unwrap_or_default(),
        row.label.clone(),
        kind.to_owned(),
        number(row.trainable_percent.map(|[_, high]| high)),
        number(entry.mean),
        end(|interval| interval.low),
        end(|interval| interval.high),
        end(|interval| interval.level),
        entry.seeds.to_string(),
        entry.failed.to_string(),
        entry.n.to_string(),
        entry.best.to_string(),
        entry.tie.to_string(),
        entry.converged.to_string(),
        cells.join(" "),
        number(entry.published.as_ref().map(|figure| figure.value)),
        entry.published.as_ref().map(|figure| figure.source.clone()).unwrap_or_default(),
    ]
}

/// How the two human formats differ.
struct Style {
    grid: comfy_table::TableStyle,
    is_markdown: bool,
    /// Characters a line.
    width: usize,
}

fn text(table: &Table, style: &Style) -> String {
    if table.sections.is_empty() {
        return "no records yet\n".to_owned();
    }
    table.sections.iter().map(|section| section_text(section, style)).collect::<Vec<_>>().join("\n")
}

fn section_text(section: &Section, style: &Style) -> String {
    let Section { suite, suite_version, backbone, .. } = section;
    let (grid, legend) = (grids(section, style), legend(section, style));
    format!("{suite} v{suite_version}, backbone {backbone}\n\n{grid}\n\n{legend}")
}

/// The columns in as few blocks of equal size as fit the width, below each other.
fn grids(section: &Section, style: &Style) -> String {
    let columns = section.columns.len();
    let mut blocks = Vec::new();
    for count in 1..=columns.max(1) {
        let each = columns.div_ceil(count).max(1);
        let starts = (0..columns.max(1)).step_by(each);
        blocks = starts.map(|start| grid(section, start..(start + each).min(columns), style)).collect();
        if blocks.iter().flat_map(|block| block.lines()).all(|line| line.chars().count() <= style.width) {
            break;
        }
    }
    blocks.join("\n\n")
}

/// The rows with some of the columns.
fn grid(section: &Section, columns: Range<usize>, style: &Style) -> String {
    let mut grid = Grid::new();
    grid.load_style(style.grid).set_content_arrangement(ContentArrangement::Disabled);
    let headings = section.columns[columns.clone()].iter().map(|column| style.heading(column));
    grid.set_header(["method".to_owned(), "trainable %".to_owned()].into_iter().chain(headings));
    for row in &section.rows {
        let entries = row.entries[columns.clone()]
            .iter()
            .map(|entry| entry.as_ref().map_or_else(String::new, |entry| style.entry(entry)));
        grid.add_row([style.label(row), share(row)].into_iter().chain(entries));
    }
    for (index, column) in grid.column_iter_mut().enumerate() {
        if index == 1 {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if !style.is_markdown {
            column.set_padding((0, 2));
        }
    }
    grid.trim_fmt()
}

/// The trainable share in percent; where the heads differ in size from task to task, the smallest and the largest.
fn share(row: &Row) -> String {
    let Some(ends) = row.trainable_percent else { return "-".to_owned() };
    // Three digits say enough, and a share of a thousandth is not printed as nothing.
    let digits = |percent: f64| match percent {
        percent if percent >= 100.0 => format!("{percent:.0}"),
        percent if percent >= 10.0 => format!("{percent:.1}"),
        percent if percent >= 0.01 || percent == 0.0 => format!("{percent:.2}"),
        percent => format!("{percent:.4}"),
    };
    let [low, high] = ends.map(digits);
    if low == high { low } else { format!("{low}-{high}") }
}

impl Style {
    fn heading(&self, column: &Column) -> String {
        let Column { task, set, metric, higher_is_better } = column;
        let lower = if *higher_is_better { "" } else { " ↓" };
        let line = if self.is_markdown { "<br>" } else { "\n" };
        let metric = metric.as_deref().map(|metric| format!("{line}{metric} %{lower}")).unwrap_or_default();
        self.escape(&format!("{task}/{set}{metric}"))
    }

    fn label(&self, row: &Row) -> String {
        let floor = if row.kind == RowKind::Floor { " (floor)" } else { "" };
        self.escape(&format!("{}{floor}", row.label))
    }

    fn entry(&self, entry: &Entry) -> String {
        let Some(mean) = entry.mean else {
            return if self.is_markdown { "error" } else { "    error" }.to_owned();
        };
        let mean = format!("{:.1}", 100.0 * mean);
        let interval = match entry.interval {
            Some(interval) if entry.seeds > 1 => format!(" ±{:.1}", 100.0 * interval.half_width()),
            Some(Interval { low, high, .. }) => format!(" [{:.1} {:.1}]", 100.0 * low, 100.0 * high),
            None => String::new(),
        };
        let star = match (entry.converged, self.is_markdown) {
            (true, _) => "",
            (false, false) => "*",
            (false, true) => "\\*",
        };
        let failed = if entry.failed > 0 { "!" } else { "" };
        let published = entry.published.as_ref().map(|figure| format!(" ({:.1})", 100.0 * figure.value));
        let published = published.unwrap_or_default();
        if self.is_markdown {
            let around = if entry.best {
                "**"
            } else if entry.tie {
                "_"
            } else {
                ""
            };
            return format!("{around}{mean}{around}{interval}{star}{failed}{published}");
        }
        let mark = if entry.best {
            '>'
        } else if entry.tie {
            '~'
        } else {
            ' '
        };
        format!("{mark} {mean:>5}{interval}{star}{failed}{published}")
    }

    fn escape(&self, text: &str) -> String {
        if self.is_markdown { text.replace('|', "\\|") } else { text.to_owned() }
    }
}

/// What the marks mean that occur in the section.
fn legend(section: &Section, style: &Style) -> String {
    let entries = || section.rows.iter().flat_map(|row| row.entries.iter().flatten());
    let [best, tie, star] = if style.is_markdown { ["bold", "italic", "\\*"] } else { [">", "~", "*"] };
    let has = |occurs: fn(&Entry) -> bool| entries().any(occurs);
    let lines = [
        (
            section.columns.iter().any(|column| !column.higher_is_better),
            "↓: an error rate, less is better".to_owned(),
        ),
        (has(|entry| entry.best), format!("{best}: best of the column")),
        (
            has(|entry| entry.tie),
            format!("{tie}: a tie with the best (paired bootstrap over utterances, 95 %)"),
        ),
        (
            has(|entry| entry.seeds > 1 && entry.interval.is_some()),
            "±: half the 95 % interval of the mean over seeds (Student's t)".to_owned(),
        ),
        (
            has(|entry| entry.seeds == 1 && entry.interval.is_some()),
            "[low high]: one seed, 95 % interval over utterances (bootstrap)".to_owned(),
        ),
        (
            has(|entry| entry.published.is_some()),
            "(n): reported by others on another backbone; --format json gives the source of each".to_owned(),
        ),
        (has(|entry| !entry.converged), format!("{star}: had not converged on validation data")),
        (has(|entry| entry.failed > 0 && entry.seeds > 0), "!: some seeds failed".to_owned()),
        (has(|entry| entry.mean.is_none()), "error: all seeds failed; the record says why".to_owned()),
        (
            section.rows.iter().any(|row| row.kind == RowKind::Floor),
if section.columns.iter().all(|column| column.higher_is_better) {
                "(floor): `random` draws labels from the training distribution, `linear` trains the head alone"
            } else {
                "(floor): `random` draws labels from the training distribution, or says nothing where transcripts are \
                 wanted; `linear` trains the head alone"
            }
            .to_owned(),
        ),
    ];
    let shown = lines.into_iter().filter(|(is_shown, _)| *is_shown);
    let start = if style.is_markdown { "- " } else { "" };
    shown.flat_map(|(_, line)| [start.to_owned(), line, "\n".to_owned()]).collect()
}
