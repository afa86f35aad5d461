//! What a running cell tells: to a terminal, to a parent process, or to a test that kills it.

use std::{io::Write as _, ops::ControlFlow};

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use sure_train::{Event, Observer};

use crate::environment;

/// An event as a line of JSON from a cell's process to its parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields are those of Event, documented there")]
pub enum Line {
    Filled { done: usize, total: usize },
    Step { done: u64, total: u64, loss: f64 },
    Evaluated { done: u64, score: f64 },
    Checkpointed { done: u64 },
    Trained { best_step: u64 },
}

impl Line {
    /// The line for `event`; `None` for an event that has none.
    pub fn of(event: Event) -> Option<Self> {
        Some(match event {
            Event::Filled { done, total } => Self::Filled { done, total },
            Event::Step { done, total, loss } => Self::Step { done, total, loss },
            Event::Evaluated { done, score } => Self::Evaluated { done, score },
            Event::Checkpointed { done } => Self::Checkpointed { done },
            Event::Trained { best_step } => Self::Trained { best_step },
            _ => return None,
        })
    }

    /// Its kind, as [`AbortAt`] names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Filled { .. } => "filled",
            Self::Step { .. } => "step",
            Self::Evaluated { .. } => "evaluated",
            Self::Checkpointed { .. } => "checkpointed",
            Self::Trained { .. } => "trained",
        }
    }
}

/// Asks for a stop once Ctrl-C was pressed.
fn flow() -> ControlFlow<()> {
    if environment::interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Writes each event to standard output as a line of JSON.
#[derive(Debug, Default)]
pub struct JsonLines;

impl Observer for JsonLines {
    fn on(&mut self, event: Event) -> ControlFlow<()> {
        if let Some(text) = Line::of(event).and_then(|line| serde_json::to_string(&line).ok()) {
            // A parent that is gone reads nothing; the cell goes on and is found finished later.
            let _ = writeln!(std::io::stdout(), "{text}");
        }
        flow()
    }
}

/// Draws a progress bar on standard error, where that is a terminal.
#[derive(Debug)]
pub struct Bar {
    drawn: ProgressBar,
    loss: f64,
    score: Option<f64>,
}

impl Bar {
    /// A bar with a title.
    pub fn new(title: &str) -> Self {
        let bar = ProgressBar::new(0);
        bar.set_style(style());
        bar.set_prefix(title.to_owned());
        Self { drawn: bar, loss: 0.0, score: None }
    }

    /// What is drawn, for others to place among theirs.
    pub fn drawn(&self) -> &ProgressBar {
        &self.drawn
    }

    /// Shows a line from a cell's process.
    pub fn show(&mut self, line: &Line) {
        match line {
            Line::Filled { done, total } => {
                self.drawn.set_length(*total as u64);
                self.drawn.set_position(*done as u64);
                self.drawn.set_message("frozen part");
            }
            Line::Step { done, total, loss } => {
                self.drawn.set_length(*total);
                self.drawn.set_position(*done);
                self.loss = *loss;
                self.message();
            }
            Line::Evaluated { score, .. } => {
                self.score = Some(*score);
                self.message();
            }
            Line::Checkpointed { .. } => {}
            Line::Trained { .. } => self.drawn.set_message("checking"),
        }
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.drawn.finish_and_clear();
    }

    fn message(&self) {
        let score = self.score.map(|score| format!(", valid {score:.3}")).unwrap_or_default();
        self.drawn.set_message(format!("loss {:.3}{score}", self.loss));
    }
}

impl Observer for Bar {
    fn on(&mut self, event: Event) -> ControlFlow<()> {
        if let Some(line) = Line::of(event) {
            self.show(&line);
        }
        flow()
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix:32!} {wide_bar} {pos}/{len} {eta} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Kills the process at the n-th event of a kind, as a power cut would: the tests of resuming need it.
#[expect(missing_debug_implementations, reason = "it borrows an observer, which need not have one")]
pub struct AbortAt<'a> {
    inner: &'a mut dyn Observer,
    kind: String,
    left: u64,
}

impl<'a> AbortAt<'a> {
    /// `point` is `kind:n`, counted from 1, for example `step:7`.
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn new(inner: &'a mut dyn Observer, point: &str) -> anyhow::Result<Self> {
        let (kind, number) =
            point.split_once(':').ok_or_else(|| anyhow::anyhow!("{point:?} is not of the form kind:n"))?;
        Ok(Self { inner, kind: kind.to_owned(), left: number.parse()? })
    }
}

impl Observer for AbortAt<'_> {
    fn on(&mut self, event: Event) -> ControlFlow<()> {
        if Line::of(event).is_some_and(|line| line.kind() == self.kind) {
            self.left -= 1;
            if self.left == 0 {
                std::process::abort();
            }
        }
        self.inner.on(event)
    }
}
