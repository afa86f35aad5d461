//! Tests of tables on made-up records.

use serde_json::json;

use super::super::TableFormat;
use super::*;
use crate::cell::tests::cell;
use crate::record::tests::record;
use crate::{Cell, Outcome, PredictionRow, Published};

fn with(method: &str, seed: u64, value: f64, trainable: u64) -> RunRecord {
    let mut record = record(cell(method, seed), value);
    record.counts.trainable = trainable;
    record
}

fn build(records: &[RunRecord]) -> Table {
    Table::build(records, None).unwrap()
}

fn labels_of(table: &Table) -> Vec<&str> {
    table.sections[0].rows.iter().map(|row| row.label.as_str()).collect()
}

#[test]
fn floors_come_first_and_methods_follow_by_their_trainable_share() {
    let table = build(&[
        with("finetune", 0, 0.8, 950),
        with("lora", 0, 0.9, 60),
        with("linear", 0, 0.7, 40),
        with("bitfit", 0, 0.8, 50),
    ]);
    assert_eq!(labels_of(&table), ["random", "linear", "bitfit", "lora", "finetune"]);
    let kinds: Vec<RowKind> = table.sections[0].rows.iter().map(|row| row.kind).collect();
    assert_eq!(kinds[..3], [RowKind::Floor, RowKind::Floor, RowKind::Method]);
}

#[test]
fn several_seeds_give_students_interval_and_one_seed_its_own() {
    let table = build(&[with("lora", 0, 0.8, 60), with("lora", 1, 0.9, 60), with("linear", 0, 0.7, 40)]);
    let rows = &table.sections[0].rows;
    let lora = rows[2].entries[0].as_ref().unwrap();
    assert!((lora.mean.unwrap() - 0.85).abs() < 1e-12);
    // 12.7062 · 0.0707107 / √2
    assert!((lora.interval.unwrap().half_width() - 0.63531).abs() < 1e-4);
    assert_eq!((lora.seeds, lora.best, lora.cells.len()), (2, true, 2));
    let linear = rows[1].entries[0].as_ref().unwrap();
    assert_eq!(linear.interval, Some(Interval { low: 0.7 - 0.02, high: 0.7 + 0.01, level: 0.95 }));
}

#[test]
fn settings_that_tell_two_runs_apart_name_their_rows() {
    let mut longer: Cell = cell("lora", 0);
    longer.config["optim"]["max_steps"] = json!(400);
    let table = build(&[with("lora", 0, 0.8, 60), record(longer, 0.9), with("linear", 0, 0.7, 40)]);
    assert_eq!(
        labels_of(&table),
        ["random", "linear", "lora [optim.max_steps=200]", "lora [optim.max_steps=400]"]
    );
}

#[test]
fn each_backbone_has_a_section_and_each_task_a_column() {
    let mut other = cell("lora", 0);
    other.backbone = "base".into();
    let mut second_task = cell("lora", 0);
    second_task.task = "ser".into();
    let table = build(&[with("lora", 0, 0.8, 60), record(other, 0.9), record(second_task, 0.5)]);
    let backbones: Vec<&str> = table.sections.iter().map(|section| section.backbone.as_str()).collect();
    assert_eq!(backbones, ["base", "tiny"]);
    let columns: Vec<&str> = table.sections[1].columns.iter().map(|column| column.task.as_str()).collect();
    assert_eq!(columns, ["ks", "ser"]);
}

#[test]
fn the_lowest_is_the_best_where_lower_is_better() {
    let mut records = [with("lora", 0, 0.2, 60), with("finetune", 0, 0.1, 950)];
    for record in &mut records {
        record.scores[0].score.higher_is_better = false;
    }
    let table = build(&records);
    let best: Vec<bool> =
        table.sections[0].rows.iter().map(|row| row.entries[0].as_ref().unwrap().best).collect();
    assert_eq!(best, [false, false, true]);
}

/// Predictions of `right` out of 100 utterances, the first ones or the last ones.
fn predictions(right: usize, from_the_start: bool) -> Vec<PredictionRow> {
    (0..100)
        .map(|item| {
            let place = if from_the_start { item } else { 99 - item };
            PredictionRow {
                id: format!("u{item:03}"),
                reference: if item % 2 == 0 { "yes" } else { "no" }.into(),
                prediction: if (item % 2 == 0) == (place < right) { "yes" } else { "no" }.into(),
                score: 1.0,
            }
        })
        .collect()
}

#[test]
fn methods_that_the_utterances_do_not_tell_apart_are_ties_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut records = Vec::new();
    for (method, value, from_the_start) in
        [("lora", 0.90, true), ("conv", 0.88, false), ("prefix", 0.60, true), ("unknown", 0.89, true)]
    {
        for seed in 0..2 {
            let record = with(method, seed, value, 60);
            if method != "unknown" {
                let right = (100.0 * value) as usize;
                store.put_predictions(&record.id, &predictions(right, from_the_start)).unwrap();
            }
            records.push(record);
        }
    }
    let table = Table::build(&records, Some(&store)).unwrap();
    let marks: Vec<(&str, bool, bool)> = table.sections[0]
        .rows
        .iter()
        .map(|row| {
            let entry = row.entries[0].as_ref().unwrap();
            (row.label.as_str(), entry.best, entry.tie)
        })
        .collect();
    assert_eq!(
        marks,
        [
            ("random", false, false),
            ("conv", false, true),
            ("lora", true, false),
            ("prefix", false, false),
            ("unknown", false, false)
        ]
    );
}

/// One of each: floors, seeds, a failure, a partial failure, one that had not converged, an empty place.
fn everything() -> Table {
    let failed = |method: &str, seed: u64| {
        let mut record = with(method, seed, 0.5, 60);
        let message = "`a.down` did not move".to_owned();
        record.outcome =
            Outcome::Error { kind: "dead_parameter".into(), message, tensor: Some("a.down".into()) };
        record.scores.clear();
        record
    };
    let mut elsewhere = cell("linear", 0);
    elsewhere.task = "ser".into();
    elsewhere.set = "emodb".into();
    let mut slow = with("conv", 0, 0.5, 60);
    slow.converged = false;
    build(&[
        with("linear", 0, 0.7, 40),
        record(elsewhere, 1.0),
        with("lora", 0, 0.9, 60),
        with("lora", 1, 0.9, 60),
        failed("prefix", 0),
        failed("bitfit", 0),
        with("bitfit", 1, 0.6, 1),
        slow,
    ])
}

#[test]
fn the_terminal_table_is_plain_and_explains_its_marks() {
    let expected = "\
sure v1, backbone tiny

method          trainable %  ks/digits             ser/emodb
                             accuracy %            accuracy %
random (floor)            -     10.0 ±0.0             10.0 [98.0 101.0]
linear (floor)    4.00-10.0     70.0 [68.0 71.0]   > 100.0 [98.0 101.0]
bitfit            0.10-6.00     60.0 [58.0 61.0]!
conv                   6.00     50.0 [48.0 51.0]*
lora                   6.00  >  90.0 ±0.0
prefix                 6.00      error

>: best of the column
±: half the 95 % interval of the mean over seeds (Student's t)
[low high]: one seed, 95 % interval over utterances (bootstrap)
*: had not converged on validation data
!: some seeds failed
error: all seeds failed; the record says why
(floor): `random` draws labels from the training distribution, `linear` trains the head alone
";
    assert_eq!(everything().render(TableFormat::Terminal), expected);
}

#[test]
fn columns_that_do_not_fit_the_terminal_stand_in_blocks_below_each_other() {
    let tasks = ["asr", "ic", "ks", "pr", "ser", "sf", "sr"].map(|task| {
        let mut cell = cell("lora", 0);
        cell.task = task.into();
        record(cell, 1.0)
    });
    let table = build(&tasks);
    for (width, blocks) in [(usize::MAX, 1), (160, 2), (100, 3), (60, 7), (1, 7)] {
        let text = table.terminal(width);
        assert_eq!(text.matches("\nmethod ").count(), blocks, "at {width}:\n{text}");
        assert_eq!(text.matches("\nlora ").count(), blocks);
        let longest = text.lines().take_while(|line| !line.starts_with('>')).map(|line| line.chars().count());
        assert!(width < 60 || longest.max().unwrap() <= width, "at {width}:\n{text}");
    }
    assert_eq!(table.render(TableFormat::Terminal), table.terminal(160));
    assert_eq!(table.render(TableFormat::Markdown).matches("| lora").count(), 1);
}

#[test]
fn the_markdown_table_has_one_line_a_row() {
    let expected = "\
| method         | trainable % | ks/digits<br>accuracy % | ser/emodb<br>accuracy % |
|----------------|-------------|-------------------------|-------------------------|
| random (floor) |           - | 10.0 ±0.0               | 10.0 [98.0 101.0]       |
| linear (floor) |   4.00-10.0 | 70.0 [68.0 71.0]        | **100.0** [98.0 101.0]  |
| bitfit         |   0.10-6.00 | 60.0 [58.0 61.0]!       |                         |
| conv           |        6.00 | 50.0 [48.0 51.0]\\*      |                         |
| lora           |        6.00 | **90.0** ±0.0           |                         |
| prefix         |        6.00 | error                   |                         |

- bold: best of the column
- ±: half the 95 % interval";
    let text = everything().render(TableFormat::Markdown);
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_tie_is_marked_in_both_human_formats() {
    let mut table = everything();
    table.sections[0].rows[3].entries[0].as_mut().unwrap().tie = true;
    let (terminal, markdown) = (table.render(TableFormat::Terminal), table.render(TableFormat::Markdown));
    assert!(terminal.contains("~  50.0 [48.0 51.0]*"), "{terminal}");
    assert!(terminal.contains("\n~: a tie with the best (paired bootstrap"), "{terminal}");
    assert!(markdown.contains("| _50.0_ [48.0 51.0]\\*"), "{markdown}");
}

#[test]
fn the_csv_has_one_line_an_entry() {
    let text = everything().render(TableFormat::Csv);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "suite,suite_version,backbone,task,set,metric,method,kind,trainable_percent,mean,low,high,level,seeds,failed,n,\
         best,tie,converged,cells,published,published_source"
    );
    let id = |method, seed| cell(method, seed).id();
    assert_eq!(
        lines[5],
        format!(
            "sure,1,tiny,ks,digits,accuracy,bitfit,method,6,0.6,0.58,0.61,0.95,1,1,100,false,false,true,{} {},,",
            id("bitfit", 0),
            id("bitfit", 1)
        )
    );
    assert_eq!(
        lines[8],
        format!(
            "sure,1,tiny,ks,digits,accuracy,prefix,method,6,,,,,0,1,0,false,false,true,{},,",
            id("prefix", 0)
        )
    );
    assert_eq!(lines.len(), 9);
}

#[test]
fn figures_of_others_stand_beside_the_entries_that_they_are_about() {
    let figure = |method: &str, metric: &str| Published {
        task: "ks".into(),
        set: "digits".into(),
        method: method.into(),
        metric: metric.into(),
        value: 0.875,
        source: "a log".into(),
    };
    let table = everything().with_published(&[figure("lora", "accuracy"), figure("conv", "weighted-f1")]);
    let text = table.render(TableFormat::Terminal);
    assert!(text.contains(">  90.0 ±0.0 (87.5)\n"), "{text}");
    assert_eq!(text.matches("(87.5)").count(), 1, "another metric is another figure: {text}");
    assert!(text.contains("(n): reported by others"), "{text}");
    assert!(table.render(TableFormat::Csv).contains(",0.875,a log\n"));
}

#[test]
fn a_quick_look_with_a_limit_has_a_row_that_names_the_limit_alone() {
    let limited = |limit: serde_json::Value, data: &str| {
        let mut record = record(cell("lora", 0), 0.5);
        record.cell.config["limit"] = limit;
        record.cell.data_fingerprint = data.into();
        record.id = record.cell.id();
        record
    };
    let table = build(&[limited(json!(null), "d0"), limited(json!(20), "d1")]);
    assert_eq!(labels_of(&table), ["random", "lora [limit=20]", "lora [limit=none]"]);
}

#[test]
fn scores_by_two_metrics_stand_in_two_columns() {
    let by = |metric: &str, method: &str, value: f64| {
        let mut record = record(cell(method, 0), value);
        record.scores[0].score.name = metric.into();
        record
    };
    let table = build(&[by("accuracy", "conv", 0.8), by("weighted-f1", "lora", 0.7)]);
    let metrics: Vec<&str> =
        table.sections[0].columns.iter().filter_map(|column| column.metric.as_deref()).collect();
    assert_eq!(metrics, ["accuracy", "weighted-f1"]);
}

#[test]
fn the_json_is_the_table_itself() {
    let value: Value = serde_json::from_str(&everything().render(TableFormat::Json)).unwrap();
    assert_eq!(value["sections"][0]["rows"][1]["label"], "linear");
    assert_eq!(value["sections"][0]["rows"][1]["kind"], "floor");
    assert_eq!(value["sections"][0]["columns"][0]["metric"], "accuracy");
}

#[test]
fn no_records_give_a_line_that_says_so() {
    assert_eq!(build(&[]).render(TableFormat::Terminal), "no records yet\n");
}

#[test]
fn backbones_together_share_a_section_and_its_best() {
    let mut reader = cell("lora", 0);
    reader.backbone = "bert".to_owned();
    let records = [with("lora", 0, 0.8, 60), record(reader, 0.9), with("linear", 0, 0.7, 40)];
    assert_eq!(build(&records).sections.len(), 2);
    let table = Table::together(&records, None).unwrap();
    let [section] = &table.sections[..] else { panic!("{table:?}") };
    let own = &cell("lora", 0).backbone;
    assert_eq!(section.backbone, format!("bert + {own}"));
    let labels: Vec<&str> = section.rows.iter().map(|row| row.label.as_str()).collect();
    let expected =
        ["random".to_owned(), format!("linear, {own}"), format!("lora, {own}"), "lora, bert".to_owned()];
    let mut sorted = (labels.clone(), expected.iter().map(String::as_str).collect::<Vec<_>>());
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    assert_eq!(sorted.0, sorted.1);
    let best: Vec<&str> = section
        .rows
        .iter()
        .filter(|row| row.entries[0].as_ref().is_some_and(|entry| entry.best))
        .map(|row| row.label.as_str())
        .collect();
    assert_eq!(best, ["lora, bert"]);
}
