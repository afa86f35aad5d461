use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};
use sure_metrics::Interval;

use super::{Column, Entry, Row, RowKind, Section, Table};

pub(super) fn terminal(table: &Table) -> String {
    text(table, &Style { grid: presets::NOTHING, is_markdown: false })
}

pub(super) fn markdown(table: &Table) -> String {
    text(table, &Style { grid: presets::ASCII_MARKDOWN, is_markdown: true })
}

pub(super) fn json(table: &Table) -> String {
    let mut text = serde_json::to_string_pretty(table).expect("a table is plain data with text keys");
    text.push('\n');
    text
}

pub(super) fn csv(table: &Table) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let header = [
        "suite", "suite_version", "backbone", "task", "set", "metric", "method", "kind", "trainable_percent", "mean",
        "low", "high", "level", "seeds", "failed", "n", "best", "tie", "converged", "cells",
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

fn csv_line(section: &Section, row: &Row, column: &Column, entry: &Entry) -> [String; 20] {
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
    ]
}

/// How the two human formats differ.
struct Style {
    grid: comfy_table::TableStyle,
    is_markdown: bool,
}

fn text(table: &Table, style: &Style) -> String {
    if table.sections.is_empty() {
        return "no records yet\n".to_owned();
    }
    table.sections.iter().map(|section| section_text(section, style)).collect::<Vec<_>>().join("\n")
}

fn section_text(section: &Section, style: &Style) -> String {
    let mut grid = Grid::new();
    grid
}
