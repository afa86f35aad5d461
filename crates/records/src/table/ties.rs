//! Which methods the data cannot tell from the best.

use std::collections::BTreeMap;

use sure_metrics::{Metric, metric};

use super::build::RANDOM;
use super::{Column, Entry, Row};
use crate::{
    CellId, RecordsError, RunRecord, Store,
    paired::{Answers, difference},
};

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
    by_seed: BTreeMap<u64, Answers>,
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
            by_seed.insert(seeds[id], Answers::new(rows));
        }
        Ok(entry.cells.first().map(|cell| Self { cell: cell.clone(), by_seed }))
    }

    fn ties_with(&self, other: &Self, metric: &dyn Metric) -> Result<bool, RecordsError> {
        let common = self.by_seed.iter().filter_map(|(seed, own)| Some((own, other.by_seed.get(seed)?)));
        let pairs: Vec<(&Answers, &Answers)> = common.collect();
        difference(&pairs, metric)
            .map(|difference| difference.is_some_and(|difference| difference.is_tie()))
            .map_err(|source| RecordsError::Compare { id: other.cell.clone(), source })
    }
}
