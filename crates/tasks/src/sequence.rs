//! One label a clip: keywords, emotions, speakers.
//!
//! The head is that of the SURE paper (and of `transformers`' `Wav2Vec2ForSequenceClassification`): hidden states
//! `[batch, time, hidden]` → linear to 256 → mean over the real frames → linear to the classes. No activation, no
//! dropout. It has `256 (hidden + 1) + 257 classes` parameters.

use sure_data::{Example, Labels, Target, Written};
use sure_nn::{
    Dense, Encoded, Loader, NnError,
    tch::{Kind, Tensor},
};

use crate::{Head, Logits, Prediction, Task};

const PROJECTOR: i64 = 256;

/// The task: which labels there are.
#[derive(Debug, Clone)]
pub struct SequenceClassification {
    labels: Labels,
}

impl SequenceClassification {
    /// A task with these labels, in the order of the logits.
    pub fn new(labels: Vec<String>) -> Self {
        Self { labels: Labels::Classes(labels) }
    }
}

/// The head.
#[derive(Debug)]
pub struct SequenceClassifier {
    projector: Dense,
    classifier: Dense,
}

impl SequenceClassifier {
    /// `projector` `[width, hidden]` and `classifier` `[classes, width]` at `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    pub fn new(loader: &Loader, hidden: i64, width: i64, classes: i64) -> Result<Self, NnError> {
        Ok(Self {
            projector: Dense::new(&loader.at("projector"), hidden, width)?,
            classifier: Dense::new(&loader.at("classifier"), width, classes)?,
        })
    }

    /// The paper's width between the two maps.
    pub const PROJECTOR: i64 = PROJECTOR;

    /// The number of parameters at the paper's width of 256.
    pub const fn count(hidden: i64, classes: i64) -> u64 {
        (PROJECTOR * (hidden + 1) + (PROJECTOR + 1) * classes) as u64
    }
}

impl Head for SequenceClassifier {
    fn forward(&self, encoded: &Encoded) -> Tensor {
        let projected = self.projector.forward(encoded.last());
        self.classifier.forward(&encoded.mask.mean(&projected))
    }
}

impl Task for SequenceClassification {
    fn head(&self, hidden: i64, loader: &Loader) -> Result<Box<dyn Head>, NnError> {
        let classes = self.labels.outputs() as i64;
        Ok(Box::new(SequenceClassifier::new(loader, hidden, PROJECTOR, classes)?))
    }

    fn head_count(&self, hidden: i64) -> u64 {
        SequenceClassifier::count(hidden, self.labels.outputs() as i64)
    }

    fn loss(&self, logits: &Logits, examples: &[&Example]) -> Tensor {
        let class = |example: &&Example| match example.target {
            Target::Class(class) => class as i64,
            // The set of another task; cross entropy refuses it.
            Target::Classes(_) | Target::Text(_) => -1,
        };
        let classes: Vec<i64> = examples.iter().map(class).collect();
        logits
            .values
            .cross_entropy_for_logits(&Tensor::from_slice(&classes).to_device(logits.values.device()))
    }

    fn decode(&self, logits: &Logits, _written: &[Option<&Written>]) -> Vec<Prediction> {
        let answer = |(class, score)| Prediction { value: self.labels.render(&Target::Class(class)), score };
        most_probable(&logits.values).into_iter().map(answer).collect()
    }

    fn reference(&self, example: &Example) -> String {
        self.labels.render(&example.target)
    }
}

/// The most probable class of each row of `[batch, classes]`, with its probability.
pub(crate) fn most_probable(logits: &Tensor) -> Vec<(usize, f64)> {
    let (scores, classes) = logits.softmax(-1, Kind::Float).max_dim(-1, false);
    let scores = Vec::<f32>::try_from(scores).unwrap_or_default();
    let classes = Vec::<i64>::try_from(classes).unwrap_or_default();
    classes.into_iter().zip(scores).map(|(class, score)| (class as usize, f64::from(score))).collect()
}

#[cfg(test)]
mod tests {
    use sure_nn::{Loading, Source, tch::Device};

    use super::*;

    #[test]
    fn the_head_has_the_papers_count() {
        // Hidden 1024 and 11 keywords: 265,227 (spec of the benchmark, logged by its authors).
        let task = SequenceClassification::new((0..11).map(|label| label.to_string()).collect());
        assert_eq!(task.head_count(1024), 265_227);
        let loading = Loading::trainable(Source::Blank, Device::Cpu);
        task.head(1024, &loading.root()).unwrap();
        assert_eq!(loading.finish(|_| false).unwrap().count(), 265_227);
    }

    #[test]
    fn the_answer_is_the_most_probable_label_with_its_probability() {
        let task = SequenceClassification::new(vec!["no".to_owned(), "yes".to_owned()]);
        let logits = Tensor::from_slice(&[0.0f32, 3.0f32.ln(), 1.0, 0.0]).view([2, 2]);
        let answers = task.decode(&Logits { values: logits, frames: vec![1, 1] }, &[None, None]);
        assert_eq!(answers[0].value, "yes");
        assert!((answers[0].score - 0.75).abs() < 1e-6);
        assert_eq!(answers[1].value, "no");
    }
}
