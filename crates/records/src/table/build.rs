//! From records to rows and columns.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sure_metrics::{Interval, t_interval};

use super::{Column, Entry, Row, RowKind, Section, Table, ties};
use crate::{RecordsError, RunRecord, SplitScore, Store, canonical, canonical_json};

/// The split that tables report.
const SPLIT: &str = "test";
/// The floors.
pub(super) const RANDOM: &str = "random";
const LINEAR: &str = "linear";
/// What tells two configurations apart is shown no longer than this.
const LABEL_WIDTH: usize = 12;

/// Task, data set and the metric that decides: scores of two metrics are not for one column.
type Place<'a> = (&'a str, &'a str, &'a str);

/// With a section for each backbone, or with all of them `together`.
pub(super) fn table(
    records: &[RunRecord],
    store: Option<&Store>,
    together: bool,
) -> Result<Table, RecordsError> {
    let mut groups: BTreeMap<(&str, u32, &str), Vec<&RunRecord>> = BTreeMap::new();
    for record in records {
        let cell = &record.cell;
        let backbone = if together { "" } else { &cell.backbone };
        groups.entry((&cell.suite, cell.suite_version, backbone)).or_default().push(record);
    }
    let sections = groups.into_values().map(|group| section(&group, store)).collect::<Result<_, _>>()?;
    Ok(Table { sections })
}

fn section(records: &[&RunRecord], store: Option<&Store>) -> Result<Section, RecordsError> {
    let of = Places::new(records);
    let places: Vec<Place<'_>> =
        records.iter().map(|record| of.of(record)).collect::<BTreeSet<_>>().into_iter().collect();
    let mut by_backbone: BTreeMap<&str, Vec<&RunRecord>> = BTreeMap::new();
    for record in records {
        by_backbone.entry(&record.cell.backbone).or_default().push(record);
    }
    let mut by_row: BTreeMap<String, Vec<&RunRecord>> = BTreeMap::new();
    for (backbone, own) in &by_backbone {
        for (record, mut label) in own.iter().zip(labels(own, &of)) {
            if by_backbone.len() > 1 {
                label = format!("{label}, {backbone}");
            }
            by_row.entry(label).or_default().push(record);
        }
    }
    let mut methods: Vec<Row> =
        by_row.iter().map(|(label, group)| method_row(label, group, &places, &of)).collect();
    methods.sort_by(by_cost);
    let mut rows: Vec<Row> = random_row(records, &places, &of).into_iter().chain(methods).collect();
    let columns: Vec<Column> = places.iter().map(|place| column(records, *place, &of)).collect();
    for (index, column) in columns.iter().enumerate() {
        mark_best(&mut rows, index, column.higher_is_better);
    }
    if let Some(store) = store {
        ties::mark(&mut rows, &columns, records, store)?;
    }
    let cell = &records[0].cell;
    Ok(Section {
        suite: cell.suite.clone(),
        suite_version: cell.suite_version,
        backbone: by_backbone.into_keys().collect::<Vec<_>>().join(" + "),
        columns,
        rows,
    })
}

/// Floors first, then from the smallest trainable share to the largest.
fn by_cost(left: &Row, right: &Row) -> Ordering {
    let is_method = |row: &Row| row.kind == RowKind::Method;
    let share = |row: &Row| row.trainable_percent.unwrap_or_default()[1];
    is_method(left)
        .cmp(&is_method(right))
        .then(share(left).total_cmp(&share(right)))
        .then_with(|| left.label.cmp(&right.label))
}

/// What a task on a data set is scored by where a record does not say, because it failed.
struct Places<'a>(BTreeMap<(&'a str, &'a str), &'a str>);

impl<'a> Places<'a> {
    fn new(records: &[&'a RunRecord]) -> Self {
        let mut metrics = BTreeMap::new();
        for record in records {
            if let Some(metric) = own_metric(record) {
                metrics.entry((record.cell.task.as_str(), record.cell.set.as_str())).or_insert(metric);
            }
        }
        Self(metrics)
    }

    fn of(&self, record: &'a RunRecord) -> Place<'a> {
        let (task, set) = (record.cell.task.as_str(), record.cell.set.as_str());
        let metric = own_metric(record).or_else(|| self.0.get(&(task, set)).copied());
        (task, set, metric.unwrap_or_default())
    }
}

fn own_metric(record: &RunRecord) -> Option<&str> {
    let scored = record.score(SPLIT).map(|score| score.score.name.as_str());
    scored.or_else(|| record.cell.config.pointer("/task/metric")?.as_str())
}

fn column<'a>(records: &[&'a RunRecord], place: Place<'a>, of: &Places<'a>) -> Column {
    let score = records.iter().filter(|record| of.of(record) == place).find_map(|record| record.score(SPLIT));
    Column {
        task: place.0.to_owned(),
        set: place.1.to_owned(),
        metric: score.map(|score| score.score.name.clone()),
        higher_is_better: score.is_none_or(|score| score.score.higher_is_better),
    }
}

/// The row that each record belongs to: its method, with the settings that differ among records of the same method
/// and place and are not the seed.
fn labels<'a>(records: &[&'a RunRecord], of: &Places<'a>) -> Vec<String> {
    let settings: Vec<BTreeMap<String, String>> = records.iter().map(|record| settings(record)).collect();
    let mut differing: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
    for (index, record) in records.iter().enumerate() {
        for other in 0..index {
            if of.of(record) != of.of(records[other]) || record.cell.method != records[other].cell.method {
                continue;
            }
            let (ours, theirs) = (&settings[index], &settings[other]);
            let keys = ours.keys().chain(theirs.keys()).filter(|key| ours.get(*key) != theirs.get(*key));
            differing.entry(&record.cell.method).or_default().extend(keys);
        }
    }
    // Another limit or input is other data by nature: they say it better.
    let says_it_better =
        |keys: &BTreeSet<&String>| keys.iter().any(|key| *key == "limit" || *key == "task.input");
    for keys in differing.values_mut().filter(|keys| says_it_better(keys)) {
        keys.retain(|key| *key != "data_fingerprint");
    }
    let label = |(record, settings): (&&RunRecord, &BTreeMap<String, String>)| {
        let method = &record.cell.method;
        let shown: Vec<String> = differing
            .get(method.as_str())
            .into_iter()
            .flatten()
            .map(|key| {
                let value = settings.get(*key).map(String::as_str).filter(|value| *value != "null");
                let value = value.unwrap_or("none");
                format!("{key}={}", value.chars().take(LABEL_WIDTH).collect::<String>())
            })
            .collect();
        if shown.is_empty() { method.clone() } else { format!("{method} [{}]", shown.join(", ")) }
    };
    records.iter().zip(&settings).map(label).collect()
}

/// Everything in a cell but its seed, as dotted keys.
fn settings(record: &RunRecord) -> BTreeMap<String, String> {
    let mut cell = canonical::value(&record.cell);
    if let Some(fields) = cell.as_object_mut() {
        fields.shift_remove("seed");
    }
    let mut settings = BTreeMap::new();
    flatten("", &cell, &mut settings);
    settings
}

fn flatten(prefix: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                // The configuration's own keys are clear enough without the word in front.
                let prefix = match prefix {
                    "" | "config" => key.clone(),
                    _ => format!("{prefix}.{key}"),
                };
                flatten(&prefix, value, into);
            }
        }
        Value::String(text) => drop(into.insert(prefix.to_owned(), text.clone())),
        other => drop(into.insert(prefix.to_owned(), canonical_json(other))),
    }
}

fn method_row<'a>(label: &str, records: &[&'a RunRecord], places: &[Place<'a>], of: &Places<'a>) -> Row {
    let shares = || {
        records
            .iter()
            .filter(|record| record.counts.total > 0)
            .map(|record| record.counts.trainable_percent())
    };
    let trainable_percent =
        shares().reduce(f64::min).zip(shares().reduce(f64::max)).map(|(low, high)| [low, high]);
    let is_floor = records.iter().any(|record| record.cell.method == LINEAR);
    let entries = places
        .iter()
        .map(|place| {
            let here: Vec<&RunRecord> =
                records.iter().copied().filter(|record| of.of(record) == *place).collect();
            let scores =
                |record: &&RunRecord| record.outcome.is_ok().then(|| record.score(SPLIT).cloned()).flatten();
            entry(here, |record| scores(&record))
        })
        .collect();
    let kind = if is_floor { RowKind::Floor } else { RowKind::Method };
    Row { label: label.to_owned(), kind, trainable_percent, entries }
}

/// The floor that the records carry themselves, one of each seed. All methods of a place draw the same.
fn random_row<'a>(records: &[&'a RunRecord], places: &[Place<'a>], of: &Places<'a>) -> Option<Row> {
    let entries: Vec<Option<Entry>> = places
        .iter()
        .map(|place| {
            let mut by_seed: BTreeMap<u64, &RunRecord> = BTreeMap::new();
            for record in records.iter().filter(|record| of.of(record) == *place && record.floor.is_some()) {
                by_seed.entry(record.cell.seed).or_insert(record);
            }
            let mut entry = entry(by_seed.into_values().collect(), |record| record.floor.clone())?;
            // Nothing was trained for it.
            entry.converged = true;
            Some(entry)
        })
        .collect();
    let is_there = entries.iter().any(Option::is_some);
    is_there.then(|| Row { label: RANDOM.to_owned(), kind: RowKind::Floor, trainable_percent: None, entries })
}

/// The records of one row and column, over their seeds.
fn entry(mut records: Vec<&RunRecord>, score: impl Fn(&RunRecord) -> Option<SplitScore>) -> Option<Entry> {
    records.sort_by(|left, right| (left.cell.seed, &left.id).cmp(&(right.cell.seed, &right.id)));
    if records.is_empty() {
        return None;
    }
    let good: Vec<(&RunRecord, SplitScore)> =
        records.iter().filter_map(|record| Some((*record, score(record)?))).collect();
    let values: Vec<f64> = good.iter().map(|(_, score)| score.score.value).collect();
    let (mean, interval) = spread(&values, good.first().and_then(|(_, score)| score.interval));
    Some(Entry {
        mean,
        interval,
        seeds: good.len(),
        failed: records.len() - good.len(),
        n: good.first().map_or(0, |(_, score)| score.score.n),
        best: false,
        tie: false,
        converged: good.iter().all(|(record, _)| record.converged),
        cells: records.iter().map(|record| record.id.clone()).collect(),
        published: None,
    })
}

fn spread(values: &[f64], of_one: Option<Interval>) -> (Option<f64>, Option<Interval>) {
    match values {
        [] => (None, None),
        [value] => (Some(*value), of_one),
        _ => (Some(values.iter().sum::<f64>() / values.len() as f64), t_interval(values).ok()),
    }
}

/// Marks the best mean of a column. `random` is no competitor; methods of the same mean are all best.
fn mark_best(rows: &mut [Row], column: usize, higher_is_better: bool) {
    let better = if higher_is_better { f64::max } else { f64::min };
    let mean = |row: &Row| row.entries[column].as_ref().and_then(|entry| entry.mean);
    let Some(best) = rows.iter().filter(|row| row.label != RANDOM).filter_map(mean).reduce(better) else {
        return;
    };
    for row in rows.iter_mut().filter(|row| row.label != RANDOM) {
        if let Some(entry) = &mut row.entries[column] {
            entry.best = entry.mean == Some(best);
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
