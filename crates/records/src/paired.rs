//! Two runs on the same utterances: how far apart, and whether the utterances tell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sure_metrics::{Metric, MetricError, PairedDifference, Statistic, metric, paired_bootstrap};

use crate::{PredictionRow, RecordsError, RunRecord, Store};

/// Enough for the ends of a 95 % interval to move by less than their printed digits.
const RESAMPLES: usize = 2000;
/// The same comparison gives the same answer on every machine.
const SEED: u64 = 0;

/// What a run answered, sorted by utterance.
pub(crate) struct Answers {
    ids: Vec<String>,
    references: Vec<String>,
    predictions: Vec<String>,
}

impl Answers {
    pub(crate) fn new(mut rows: Vec<PredictionRow>) -> Self {
        rows.sort_by(|left, right| left.id.cmp(&right.id));
        let mut answers = Self { ids: Vec::new(), references: Vec::new(), predictions: Vec::new() };
        for row in rows {
            answers.ids.push(row.id);
            answers.references.push(row.reference);
            answers.predictions.push(row.prediction);
        }
        answers
    }
}

/// The mean over pairs of left minus right, with its paired bootstrap over utterances; `None` where there is no pair or
/// the utterances are not the same, for example where one run had a limit.
pub(crate) fn difference(
    pairs: &[(&Answers, &Answers)],
    metric: &dyn Metric,
) -> Result<Option<PairedDifference>, MetricError> {
    let Some((first, _)) = pairs.first() else { return Ok(None) };
    if pairs.iter().any(|(left, right)| left.ids != first.ids || right.ids != first.ids) {
        return Ok(None);
    }
    let statistics: Vec<(Statistic<'_>, Statistic<'_>)> = pairs
        .iter()
        .map(|(left, right)| {
            Ok((
                metric.statistic(&left.predictions, &left.references)?,
                metric.statistic(&right.predictions, &right.references)?,
            ))
        })
        .collect::<Result<_, MetricError>>()?;
    let difference = |items: &[usize]| {
        let sum: f64 = statistics.iter().map(|(left, right)| left(items) - right(items)).sum();
        sum / statistics.len() as f64
    };
    paired_bootstrap(first.ids.len(), RESAMPLES, SEED, difference).map(Some)
}

/// How far the cells of one backbone are from the same cells of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The backbone.
    pub backbone: String,
    /// The other one.
    pub against: String,
    /// Task and set.
    pub column: String,
    /// The method.
    pub method: String,
    /// The seeds that both have.
    pub seeds: Vec<u64>,
    /// The metric that decides.
    pub metric: String,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// The scores of the two, means over the seeds.
    pub scores: (f64, f64),
    /// The first minus the second, over the test utterances.
    pub difference: PairedDifference,
}

impl Difference {
    /// Whether the interval lies wholly on the side where the first backbone is better.
    pub fn is_better(&self) -> bool {
        if self.higher_is_better { self.difference.low > 0.0 } else { self.difference.high < 0.0 }
    }
}

/// A cell's record and that of its like.
type Pair<'a> = (&'a RunRecord, &'a RunRecord);

/// Compares every cell with the cell of the backbone `against` that is its like in all else: suite, task, set, method,
/// configuration and seed. Cells without their like, and failed ones, are left out.
///
/// # Errors
/// When predictions cannot be read or scored.
pub fn differences(
    records: &[RunRecord],
    against: &str,
    store: &Store,
) -> Result<Vec<Difference>, RecordsError> {
    let key = |record: &RunRecord| {
        let cell = &record.cell;
        let configuration = crate::canonical_json(&cell.config);
        let place = (cell.suite_version, cell.task.clone(), cell.set.clone(), cell.data_fingerprint.clone());
        (cell.suite.clone(), place, cell.method.clone(), configuration, cell.seed)
    };
    let good = |record: &&RunRecord| record.outcome.is_ok();
    let others: BTreeMap<_, &RunRecord> = records
        .iter()
        .filter(good)
        .filter(|record| record.cell.backbone == against)
        .map(|record| (key(record), record))
        .collect();
    let mut groups: BTreeMap<(String, String, String), Vec<Pair<'_>>> = BTreeMap::new();
    for record in records.iter().filter(good).filter(|record| record.cell.backbone != against) {
        if let Some(other) = others.get(&key(record)) {
            let cell = &record.cell;
            let group = (cell.backbone.clone(), cell.method.clone(), cell.column());
            groups.entry(group).or_default().push((record, other));
        }
    }
    let mut found = Vec::new();
    for ((backbone, method, column), pairs) in groups {
        let Some(score) = pairs[0].0.score("test") else { continue };
        let (name, higher_is_better) = (score.score.name.clone(), score.score.higher_is_better);
        let compare = |source| RecordsError::Compare { id: pairs[0].0.id.clone(), source };
        let metric = metric(&name).map_err(compare)?;
        let answers = |record: &RunRecord| Ok(store.predictions(&record.id)?.map(Answers::new));
        let mut read = Vec::new();
        for (one, other) in &pairs {
            if let (Some(left), Some(right)) = (answers(one)?, answers(other)?) {
                read.push(((*one, *other), left, right));
            }
        }
        let both: Vec<(&Answers, &Answers)> = read.iter().map(|(_, left, right)| (left, right)).collect();
        let Some(difference) = difference(&both, metric).map_err(compare)? else { continue };
        let mean = |side: fn(&Pair<'_>) -> f64| {
            read.iter().map(|(pair, ..)| side(pair)).sum::<f64>() / read.len() as f64
        };
        found.push(Difference {
            backbone,
            against: against.to_owned(),
            column,
            method,
            seeds: read.iter().map(|((one, _), ..)| one.cell.seed).collect(),
            metric: name,
            higher_is_better,
            scores: (mean(|(one, _)| test_score(one)), mean(|(_, other)| test_score(other))),
            difference,
        });
    }
    Ok(found)
}

fn test_score(record: &RunRecord) -> f64 {
    record.score("test").map_or(f64::NAN, |split| split.score.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cell::tests::cell, record::tests::record};

    fn rows(right: usize) -> Vec<PredictionRow> {
        let row = |item: usize| PredictionRow {
            id: format!("u{item:03}"),
            reference: "yes".into(),
            prediction: if item < right { "yes" } else { "no" }.into(),
            score: 1.0,
        };
        (0..100).map(row).collect()
    }

    #[test]
    fn cells_are_compared_with_their_like_on_the_other_backbone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut records = Vec::new();
        for (backbone, method, right) in [
            ("tiny", "lora", 90),
            ("random:tiny", "lora", 60),
            ("tiny", "conv", 61),
            ("random:tiny", "conv", 62),
        ] {
            let mut cell = cell(method, 0);
            cell.backbone = backbone.into();
            let record = record(cell, right as f64 / 100.0);
            store.put_predictions(&record.id, &rows(right)).unwrap();
            records.push(record);
        }
        let mut alone = cell("prefix", 0);
        alone.backbone = "tiny".into();
        records.push(record(alone, 0.5));
        let found = differences(&records, "random:tiny", &store).unwrap();
        let summary: Vec<_> = found.iter().map(|found| (found.method.as_str(), found.is_better())).collect();
        assert_eq!(summary, [("conv", false), ("lora", true)]);
        let lora = &found[1];
        assert!((lora.difference.mean - 0.3).abs() < 1e-12);
        // Thirty of a hundred differ: mean ± 1.96 · √(0.3 · 0.7 / 100), to the bootstrap's noise.
        assert!((lora.difference.low - 0.21).abs() < 0.02 && (lora.difference.high - 0.39).abs() < 0.02);
        assert!(found[0].difference.is_tie());
        assert_eq!(differences(&records, "nowhere", &store).unwrap(), []);
    }
}
