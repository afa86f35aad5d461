//! Answers and scores for a subset.

use sure_data::{Example, Written};
use sure_metrics::Metric;
use sure_nn::{Cx, tch};
use sure_tasks::{Prediction, Task};

use crate::{Model, Subset, TrainError, Trunk, sampler};

/// Clips in an evaluation batch at most, and padded samples at most (six minutes at 16 kHz).
const BATCH: usize = 64;
const BATCH_SAMPLES: usize = 360 * 16_000;

/// What a model says of a split.
#[derive(Debug)]
pub struct Evaluation {
    /// One answer an example, in the split's order.
    pub predictions: Vec<Prediction>,
    /// The right answers, likewise.
    pub references: Vec<String>,
    /// The metric's value.
    pub score: f64,
    /// Mean loss.
    pub loss: f64,
    /// How many of the clips have fewer frames than their answer needs, see [`Task::too_short`].
    pub too_short: usize,
}

/// Runs the model over `split` in eval mode and scores its answers.
///
/// # Errors
/// When the cache is damaged, or the metric refuses the answers.
pub fn evaluate(
    model: &Model,
    task: &dyn Task,
    trunk: &Trunk,
    split: &Subset,
    metric: &dyn Metric,
) -> Result<Evaluation, TrainError> {
    let _guard = tch::no_grad_guard();
    // Clips of similar length together; the order is a function of the split alone.
    let mut order: Vec<usize> = (0..split.examples.len()).collect();
    let length = |index: usize| trunk.clips()[split.clips[index]].facts.samples;
    order.sort_by(|&a, &b| (length(a), &split.examples[a].id).cmp(&(length(b), &split.examples[b].id)));
    let mut predictions: Vec<Option<Prediction>> = vec![None; order.len()];
    let (mut loss, mut too_short) = (0.0, 0);
    for chunk in sampler::chunks(&order, BATCH, Some(BATCH_SAMPLES), length) {
        let clips: Vec<usize> = chunk.iter().map(|&index| split.clips[index]).collect();
        let examples: Vec<&Example> = chunk.iter().map(|&index| &split.examples[index]).collect();
        let logits = model.logits(trunk.batch(&clips)?, &Cx::eval());
        loss += task.loss(&logits, &examples).double_value(&[]) * chunk.len() as f64;
        too_short += task.too_short(&logits, &examples);
        let written: Vec<Option<&Written>> =
            examples.iter().map(|example| example.written.as_ref()).collect();
        for (&index, prediction) in chunk.iter().zip(task.decode(&logits, &written)) {
            predictions[index] = Some(prediction);
        }
    }
    let predictions: Vec<Prediction> = predictions.into_iter().flatten().collect();
    let references: Vec<String> = split.examples.iter().map(|example| task.reference(example)).collect();
    let answers: Vec<String> = predictions.iter().map(|prediction| prediction.value.clone()).collect();
    let score = metric.score(&answers, &references)?;
    Ok(Evaluation { predictions, references, score, loss: loss / order.len().max(1) as f64, too_short })
}
