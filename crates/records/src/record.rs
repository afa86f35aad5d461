//! What a cell gave.

use serde::{Deserialize, Deserializer, Serialize};
use sure_metrics::{Interval, Score};

use crate::{Cell, CellId, canonical};

/// The generation of [`RunRecord`] that this crate writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

/// What one cell gave. There is no clock in it: running the cell again gives the same bytes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// [`SCHEMA_VERSION`] at the time of writing.
    pub schema_version: u32,
    /// The cell's id.
    pub id: CellId,
    /// The cell.
    pub cell: Cell,
    /// What computed it.
    pub provenance: Provenance,
    /// How many parameters each part has.
    pub counts: Counts,
    /// Whether it succeeded.
    pub outcome: Outcome,
    /// The scores of the best step: for each split the metric that decides, then the others.
    pub scores: Vec<SplitScore>,
    /// What drawing labels from the training distribution scores, or saying nothing where transcripts are wanted.
    pub floor: Option<SplitScore>,
    /// Loss and validation score over the steps.
    pub curve: Vec<CurvePoint>,
    /// The step whose weights were kept.
    pub best_step: Option<u64>,
    /// Whether the validation score had stopped rising when training ended.
    pub converged: bool,
    /// What the run proved of itself.
    pub checks: Vec<CheckResult>,
}

impl RunRecord {
    /// The bytes of `record.json`: indented, with a last line end.
    pub fn to_json(&self) -> String {
        canonical::file(self)
    }

    /// The score on a split, where the run has one.
    pub fn score(&self, split: &str) -> Option<&SplitScore> {
        self.scores.iter().find(|score| score.split == split)
    }
}

/// What computed a record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The version of this project.
    pub sure: String,
    /// The commit it was built from, with `-dirty` where the tree had changes.
    pub commit: Option<String>,
    /// The version of libtorch.
    pub libtorch: String,
    /// The processor, or the accelerator.
    pub processor: String,
    /// The operating system.
    pub os: String,
}

/// How many parameters each part has.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// The pretrained backbone.
    pub backbone: u64,
    /// The adapter.
    pub adapter: u64,
    /// The task's head.
    pub head: u64,
    /// Those of the backbone that train.
    pub unfrozen: u64,
    /// Adapter, head and unfrozen.
    pub trainable: u64,
    /// Backbone, adapter and head.
    pub total: u64,
}

impl Counts {
    /// Trainable over total, in percent; 0 where nothing was counted.
    pub fn trainable_percent(&self) -> f64 {
        if self.total == 0 { 0.0 } else { 100.0 * self.trainable as f64 / self.total as f64 }
    }
}

/// How a run ended.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// It ended as it should.
    Ok,
    /// It did not.
    Error {
        /// Which kind of failure, in kebab case, for example `dead-parameter`.
        kind: String,
        /// What to tell a person.
        message: String,
        /// The tensor at fault, where there is one.
        tensor: Option<String>,
    },
}

impl Outcome {
    /// Whether the run ended as it should.
    pub const fn is_ok(&self) -> bool {
        matches!(self, Self::Ok)
    }
}

/// A score on one split, with its interval over utterances.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SplitScore {
    /// The split's name.
    pub split: String,
    /// The score.
    pub score: Score,
    /// Its bootstrap interval.
    pub interval: Option<Interval>,
}

/// One evaluation during training.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// How many steps were done.
    pub step: u64,
    /// The mean training loss since the point before; `null` in JSON where it is not a number.
    #[serde(deserialize_with = "number_or_null")]
    pub train_loss: f64,
    /// The validation score.
    #[serde(deserialize_with = "number_or_null")]
    pub valid: f64,
    /// The mean validation loss; `None` in records that were made before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_loss: Option<f64>,
}

// JSON has no NaN: serde_json writes null. A diverged run's record must still be readable.
fn number_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// One thing that a run proved of itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// The check's name, in kebab case.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
}

/// One line of `predictions.jsonl`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PredictionRow {
    /// The utterance.
    pub id: String,
    /// What it is.
    pub reference: String,
    /// What was said of it.
    pub prediction: String,
    /// How sure the model was, between 0 and 1.
    pub score: f64,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::cell::tests::cell;

    pub(crate) fn record(cell: Cell, value: f64) -> RunRecord {
        let score =
            Score { name: "accuracy".into(), value, unit: "ratio".into(), higher_is_better: true, n: 100 };
        let interval = Some(Interval { low: value - 0.02, high: value + 0.01, level: 0.95 });
        RunRecord {
            schema_version: SCHEMA_VERSION,
            id: cell.id(),
            cell,
            provenance: Provenance {
                sure: "0.1.0".into(),
                commit: None,
                libtorch: "2.13.0".into(),
                processor: "test".into(),
                os: "linux".into(),
            },
            counts: Counts { backbone: 900, adapter: 60, head: 40, unfrozen: 0, trainable: 100, total: 1000 },
            outcome: Outcome::Ok,
            scores: vec![SplitScore { split: "test".into(), score: score.clone(), interval }],
            floor: Some(SplitScore { split: "test".into(), score: Score { value: 0.1, ..score }, interval }),
            curve: vec![CurvePoint { step: 10, train_loss: 0.5, valid: 0.75, valid_loss: Some(0.5) }],
            best_step: Some(10),
            converged: true,
            checks: vec![CheckResult { name: "alive".into(), ok: true, detail: "all moved".into() }],
        }
    }

    #[test]
    fn a_record_reads_back_as_it_was_and_gives_the_same_bytes() {
        let before = record(cell("lora", 1), 1.0 / 3.0);
        let after: RunRecord = serde_json::from_str(&before.to_json()).unwrap();
        assert_eq!(after, before);
        assert_eq!(after.to_json(), before.to_json());
    }

    #[test]
    fn outcomes_are_tagged_by_their_name() {
        assert_eq!(serde_json::to_string(&Outcome::Ok).unwrap(), r#""ok""#);
        let error = Outcome::Error {
            kind: "dead_parameter".into(),
            message: "m".into(),
            tensor: Some("a.down".into()),
        };
        assert_eq!(
            serde_json::to_string(&error).unwrap(),
            r#"{"error":{"kind":"dead_parameter","message":"m","tensor":"a.down"}}"#
        );
    }

    #[test]
    fn a_diverged_curve_can_be_read() {
        let point = CurvePoint { step: 3, train_loss: f64::NAN, valid: f64::INFINITY, valid_loss: None };
        let text = serde_json::to_string(&point).unwrap();
        let read: CurvePoint = serde_json::from_str(&text).unwrap();
        assert!(read.train_loss.is_nan() && read.valid.is_nan(), "{text}");
    }
}
