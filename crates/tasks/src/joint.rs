//! Several labels a clip, one for each head: intents, as action, object and location.
//!
//! The head is that of [`SequenceClassification`](crate::SequenceClassification) with the classes of all heads side by
//! side; its logits are cut into one part a head, and the cross entropies of the parts are added with equal weight, as in
//! the SURE paper. An answer is right when all its parts are.

use sure_data::{Example, HeadLabels, Labels, Target, Written};
use sure_nn::{Loader, NnError, tch::Tensor};

use crate::sequence::most_probable;
use crate::{Head, Logits, Prediction, SequenceClassifier, Task};

/// The task: which heads there are, and their labels.
#[derive(Debug, Clone)]
pub struct JointClassification {
    labels: Labels,
    /// Classes of each head.
    widths: Vec<i64>,
}

impl JointClassification {
    /// A task with these heads, in the order of the logits.
    pub fn new(heads: Vec<HeadLabels>) -> Self {
        let widths = heads.iter().map(|head| head.labels.len() as i64).collect();
        Self { labels: Labels::Heads(heads), widths }
    }

    /// The logits `[batch, classes]` of each head.
    fn parts(&self, logits: &Tensor) -> Vec<Tensor> {
        logits.split_with_sizes(&self.widths[..], -1)
    }
}

impl Task for JointClassification {
    fn head(&self, hidden: i64, loader: &Loader) -> Result<Box<dyn Head>, NnError> {
        let classes = self.labels.outputs() as i64;
        Ok(Box::new(SequenceClassifier::new(loader, hidden, SequenceClassifier::PROJECTOR, classes)?))
    }

    fn head_count(&self, hidden: i64) -> u64 {
        SequenceClassifier::count(hidden, self.labels.outputs() as i64)
    }

    fn loss(&self, logits: &Logits, examples: &[&Example]) -> Tensor {
        let device = logits.values.device();
        let of = |part: usize| -> Vec<i64> {
            let class = |example: &&Example| match &example.target {
                Target::Classes(classes) => classes.get(part).map_or(-1, |class| *class as i64),
                // The set of another task; cross entropy refuses it.
                Target::Class(_) | Target::Text(_) => -1,
            };
            examples.iter().map(class).collect()
        };
        let parts = self.parts(&logits.values).into_iter().enumerate().map(|(part, values)| {
            values.cross_entropy_for_logits(&Tensor::from_slice(&of(part)).to_device(device))
        });
        parts.reduce(|sum, part| sum + part).unwrap_or_else(|| logits.values.sum(logits.values.kind()) * 0.0)
    }

    fn decode(&self, logits: &Logits, _written: &[Option<&Written>]) -> Vec<Prediction> {
        let parts: Vec<Vec<(usize, f64)>> = self.parts(&logits.values).iter().map(most_probable).collect();
        let answer = |row: usize| {
            let chosen = || parts.iter().filter_map(|part| part.get(row));
            Prediction {
                value: self.labels.render(&Target::Classes(chosen().map(|(class, _)| *class).collect())),
                score: chosen().map(|(_, score)| score).product(),
            }
        };
        (0..logits.frames.len()).map(answer).collect()
    }

    fn reference(&self, example: &Example) -> String {
        self.labels.render(&example.target)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn task() -> JointClassification {
        let head = |name: &str, labels: &[&str]| HeadLabels {
            name: name.to_owned(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        };
        JointClassification::new(vec![
            head("action", &["off", "on"]),
            head("object", &["heat", "lamp", "none"]),
        ])
    }

    fn example(classes: &[usize]) -> Example {
        let target = Target::Classes(classes.to_vec());
        Example { id: String::new(), audio: PathBuf::new(), written: None, target, speaker: None }
    }

    #[test]
    fn the_head_has_the_papers_count() {
        // 6 + 14 + 4 classes on the large model: 268,568.
        let head = |classes: usize| HeadLabels {
            name: classes.to_string(),
            labels: (0..classes).map(|class| class.to_string()).collect(),
        };
        assert_eq!(JointClassification::new([6, 14, 4].map(head).into()).head_count(1024), 268_568);
    }

    #[test]
    fn the_loss_is_the_sum_over_the_heads_and_the_answer_their_best_classes() {
        let values = Tensor::from_slice(&[0.0f32, 3.0f32.ln(), 0.0, 0.0, 2.0f32.ln()]).view([1, 5]);
        let logits = Logits { values, frames: vec![1] };
        let answer = task().decode(&logits, &[None]).remove(0);
        assert_eq!(answer.value, "action=on; object=none");
        assert!((answer.score - 0.75 * 0.5).abs() < 1e-6);
        let right = example(&[1, 2]);
        assert_eq!(task().reference(&right), answer.value);
        let loss = task().loss(&logits, &[&right]).double_value(&[]);
        assert!((loss + 0.75f64.ln() + 0.5f64.ln()).abs() < 1e-6);
    }
}
