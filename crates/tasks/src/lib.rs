//! Heads, losses and decoding of the tasks.
//!
//! A [`Task`] turns the hidden states of any backbone into an answer. It knows neither backbones nor methods: it is
//! told a width, and gets an [`Encoded`](sure_nn::Encoded).

mod ctc;
mod sequence;
mod task;

pub use ctc::CtcHead;
pub use sequence::{SequenceClassification, SequenceClassifier};
pub use task::{Head, Prediction, Task, task_for};
