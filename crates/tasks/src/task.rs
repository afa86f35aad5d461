//! The seam between the training loop and the tasks.

use std::fmt::Debug;

use sure_data::{Example, Labels, TaskCard, Written};
use sure_nn::{Encoded, Loader, NnError, tch::Tensor};

use crate::{Ctc, JointClassification, SequenceClassification, Tagging};

/// The answer for one clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The answer as text: a label, a transcript.
    pub value: String,
    /// How sure the model is, 0 to 1: the probability of the label, or of the frames' tokens (see [`Ctc`]).
    pub score: f64,
}

/// What a head says of a batch.
#[derive(Debug)]
pub struct Logits {
    /// `[batch, classes]`, or `[batch, frames, tokens]`.
    pub values: Tensor,
    /// How many frames of each clip are real; those behind them mean nothing.
    pub frames: Vec<i64>,
}

impl Logits {
    /// What `head` makes of hidden states.
    pub fn of(head: &dyn Head, encoded: &Encoded) -> Self {
        Self { values: head.forward(encoded), frames: encoded.mask.lengths().to_vec() }
    }
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
    fn loss(&self, logits: &Logits, examples: &[&Example]) -> Tensor;

    /// The answers, one a clip. `written` has the text of each clip that was read and not heard, which only tasks that
    /// label words need.
    fn decode(&self, logits: &Logits, written: &[Option<&Written>]) -> Vec<Prediction>;

    /// The right answer, in the form that [`Task::decode`] gives.
    fn reference(&self, example: &Example) -> String;

    /// What saying nothing gives, where that is the floor of the task; `None` where the floor is to guess.
    fn silence(&self) -> Option<String> {
        None
    }

    /// How many of the examples cannot be right whatever the model learns, because they have fewer frames than tokens.
    /// They add nothing to the loss.
    fn too_short(&self, _logits: &Logits, _examples: &[&Example]) -> usize {
        0
    }
}

/// The task that `card` describes, with these labels in the order of the logits.
pub fn task_for(card: &TaskCard, labels: &Labels) -> Box<dyn Task> {
    match labels {
        Labels::Classes(classes) => Box::new(SequenceClassification::new(classes.clone())),
        Labels::Heads(heads) => Box::new(JointClassification::new(heads.clone())),
        Labels::Tokens(alphabet) => Box::new(Ctc::new(alphabet.clone(), card.decoding, card.scoring)),
        Labels::Slots(kinds) => Box::new(Tagging::new(kinds.clone(), card.scoring)),
    }
}
