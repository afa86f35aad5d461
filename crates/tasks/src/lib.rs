//! Heads, losses and decoding of the tasks.
//!
//! A [`Task`] turns the hidden states of any backbone into an answer. It knows neither backbones nor methods: it is
//! told a width, and gets an [`Encoded`](sure_nn::Encoded).

mod beam;
mod ctc;
mod joint;
mod sequence;
mod tagging;
mod task;

pub use beam::{Hypothesis, prefix_beam_search};
pub use ctc::{Ctc, CtcHead};
pub use joint::JointClassification;
pub use sequence::{SequenceClassification, SequenceClassifier};
pub use tagging::Tagging;
pub use task::{Head, Logits, Prediction, Task, task_for};
