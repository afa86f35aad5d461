//! The seam between the training loop and the tasks.

use std::fmt::Debug;

use sure_data::{Example, TaskCard, TaskKind};
use sure_nn::{Encoded, Loader, NnError, tch::Tensor};

use crate::SequenceClassification;

/// The answer for one clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The answer as text: a label.
    pub value: String,
    /// How sure the model is, 0 to 1: the probability of the label.
    pub score: f64,
}

/// What turns hidden states into scores; trained with every method.
pub trait Head: Debug + Send {
    /// `[batch, time, hidden]` to the task's logits: `[batch, classes]`, or `[batch, frames, classes]`.
    fn forward(&self, encoded: &Encoded) -> Tensor;
}

/// What a task adds to a backbone.
///
/// # For implementers
/// `loss` must not depend on the order of the batch, and `decode` must give one answer a clip, in order.
pub trait Task: Debug {
    /// A fresh head for hidden states of width `hidden`, with parameters from `loader`.
    ///
    /// # Errors
    /// As [`Loader::param`].
    fn head(&self, hidden: i64, loader: &Loader) -> Result<Box<dyn Head>, NnError>;

    /// The number of the head's parameters by its published formula.
    fn head_count(&self, hidden: i64) -> u64;

    /// Mean loss over the batch, `[]`.
    fn loss(&self, logits: &Tensor, examples: &[&Example]) -> Tensor;

    /// The answers, one a clip.
    fn decode(&self, logits: &Tensor) -> Vec<Prediction>;

    /// The right answer, in the form that [`Task::decode`] gives.
    fn reference(&self, example: &Example) -> String;
}

/// The task that `card` describes, with these labels in the order of the logits.
pub fn task_for(card: &TaskCard, labels: &[String]) -> Box<dyn Task> {
    match card.kind {
        TaskKind::SequenceClassification => Box::new(SequenceClassification::new(labels.to_vec())),
    }
}
