//! What a run tells while it runs.

use std::ops::ControlFlow;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A group of clips went through the frozen part.
    Filled {
        /// Groups done.
        done: usize,
        /// Groups in all.
        total: usize,
    },
    /// A training step is done.
    Step {
        /// Steps done.
        done: u64,
        /// Steps in all.
        total: u64,
        /// The loss before the step.
        loss: f64,
    },
    /// The validation set was scored.
    Evaluated {
        /// Steps done.
        done: u64,
        /// The score.
        score: f64,
    },
    /// A checkpoint is on disk.
    Checkpointed {
        /// Steps done.
        done: u64,
    },
    /// Training is over, the best weights are in the model.
    Trained {
        /// The step they are from.
        best_step: u64,
    },
}

/// Somebody who watches a run, and may ask it to stop.
pub trait Observer {
    /// Takes note of `event`. After `Break` the run writes a checkpoint and ends with
    /// [`TrainError::Interrupted`](crate::TrainError::Interrupted).
    fn on(&mut self, event: Event) -> ControlFlow<()>;
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn on(&mut self, _event: Event) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
