//! Which methods the data cannot tell from the best.

use std::collections::{BTreeMap, BTreeSet};

use sure_metrics::{Metric, Statistic, metric, paired_bootstrap};

use super::build::RANDOM;
use super::{Column, Entry, Row};
use crate::{CellId, PredictionRow, RecordsError, RunRecord, Store};

/// Enough for the ends of a 95 % interval to move by less than their printed digits.
const RESAMPLES: usize = 2000;
/// The same comparison gives the same answer on every machine.
const SEED: u64 = 0;

/// Marks the entries that the paired bootstrap over utterances does not tell from their column's best, pooled over the
/// seeds that both have. Where predictions are missing nothing is claimed.
pub(super) fn mark(
    rows: &mut [Row],
    columns: &[Column],
    records: &[&RunRecord],
    store: &Store,
) -> Result<(), RecordsError> {
    let seeds: BTreeMap<&CellId, u64> = records.iter().map(|record| (&record.id, record.cell.seed)).collect();
    for (index, column) in columns.iter().enumerate() {
        let Some(metric) = column.metric.as_deref().and_then(|name| metric(name).ok()) else { continue };
        let entries = || rows.iter().filter(|row| row.label != RANDOM);
        let best = entries().filter_map(|row| row.entries[index].as_ref()).find(|entry| entry.best);
        let Some(best) = best.map(|entry| Predictions::read(entry, &seeds, store)).transpose()?.flatten()
        else {
            continue;
        };
        // `random` has no predictions of its own: its cells are other methods'.
        for row in rows.iter_mut().filter(|row| row.label != RANDOM) {
            let Some(entry) = row.entries[index].as_mut().filter(|entry| !entry.best) else { continue };
            let Some(other) = Predictions::read(entry, &seeds, store)? else { continue };
            entry.tie = best.ties_with(&other, metric)?;
        }
    }
    Ok(())
}

/// The predictions of one entry: by seed, sorted by utterance.
struct Predictions {
    cell: CellId,
    by_seed: BTreeMap<u64, Seed>,
}

struct Seed {
    ids: Vec<String>,
    references: Vec<String>,
    predictions: Vec<String>,
}

impl Seed {
    fn new(mut rows: Vec<PredictionRow>) -> Self {
        rows.sort_by(|left, right| left.id.cmp(&right.id));
        let mut seed = Self { ids: Vec::new(), references: Vec::new(), predictions: Vec::new() };
        for row in rows {
            seed.ids.push(row.id);
            seed.references.push(row.reference);
            seed.predictions.push(row.prediction);
        }
        seed
    }
}

impl Predictions {
    /// `None` where a seed failed or its predictions were not stored.
    fn read(
        entry: &Entry,
        seeds: &BTreeMap<&CellId, u64>,
        store: &Store,
    ) -> Result<Option<Self>, RecordsError> {
        if entry.failed > 0 {
            return Ok(None);
        }
        let mut by_seed = BTreeMap::new();
        for id in &entry.cells {
            let Some(rows) = store.predictions(id)? else { return Ok(None) };
            by_seed.insert(seeds[id], Seed::new(rows));
        }
        Ok(entry.cells.first().map(|cell| Self { cell: cell.clone(), by_seed }))
    }

    fn ties_with(&self, other: &Self, metric: &dyn Metric) -> Result<bool, RecordsError> {
        let common: BTreeSet<u64> =
            self.by_seed.keys().copied().filter(|seed| other.by_seed.contains_key(seed)).collect();
        let pairs: Vec<(&Seed, &Seed)> =
            common.iter().map(|seed| (&self.by_seed[seed], &other.by_seed[seed])).collect();
        let Some((first, _)) = pairs.first() else { return Ok(false) };
        // Only the same utterances can be compared, for example not where one run had a limit.
        if pairs.iter().any(|(left, right)| left.ids != first.ids || right.ids != first.ids) {
            return Ok(false);
        }
        let compare = |source| RecordsError::Compare { id: other.cell.clone(), source };
        let statistics: Vec<(Statistic<'_>, Statistic<'_>)> = pairs
            .iter()
            .map(|(left, right)| {
                Ok((
                    metric.statistic(&left.predictions, &left.references)?,
                    metric.statistic(&right.predictions, &right.references)?,
                ))
            })
            .collect::<Result<_, _>>()
            .map_err(compare)?;
        let difference = |items: &[usize]| {
            let sum: f64 = statistics.iter().map(|(left, right)| left(items) - right(items)).sum();
            sum / statistics.len() as f64
        };
        paired_bootstrap(first.ids.len(), RESAMPLES, SEED, difference)
            .map(|difference| difference.is_tie())
            .map_err(compare)
    }
}
