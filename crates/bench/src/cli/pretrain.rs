//! `pretrain`: a backbone of one's own, from recordings without labels.

use std::{ops::ControlFlow, path::PathBuf};

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use sure_train::{Event, Observer};

use super::{
    Ended,
    common::{complain, say, say_json},
};
use crate::{
    cell::is_interrupt,
    environment,
    observe::AbortAt,
    pretrain::{PretrainRequest, read_recipe, run},
};

/// Pretrain a backbone on recordings without labels, as HuBERT was.
///
/// Of each data set those rows are used whose keys `split` and `sid_split`, as far as they are there, all say "train", so
/// that nothing is learnt from what is tested on. The folder can then be named as --backbone, and transformers opens it as
/// a HuBERT model. The same command resumes a run that was interrupted or killed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask pretrain --recipe datasets/mini/nano-hubert/pretrain.toml --data speech/libri --data speech/wake --out nano
  cargo xtask pretrain --recipe my.toml --data speech --out try --max-steps 100 --json")]
pub(super) struct Pretrain {
    /// The recipe: the model, the iterations and every number of the training, as TOML
    #[arg(long, value_name = "FILE")]
    recipe: PathBuf,
    /// A folder with one or several data sets; may be given several times
    #[arg(long, value_name = "DIR", required = true)]
    data: Vec<PathBuf>,
    /// The folder of the backbone
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Threads; their number is part of what makes runs equal to the byte [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// At most N training steps an iteration
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_steps: Option<u64>,
    /// Print the record as JSON
    #[arg(long)]
    json: bool,
    /// Kill the process at an event, as `step:7`: for tests of resuming
    #[arg(long, hide = true)]
    abort_at: Option<String>,
}

impl Pretrain {
    pub(super) fn run(self) -> Result<Ended> {
        let request = PretrainRequest {
            recipe: read_recipe(&self.recipe, self.max_steps)?,
            data: self.data,
            out: self.out,
            threads: self.threads.unwrap_or_else(environment::cores).max(1),
        };
        let mut bar = Bar::new();
        let drawn = bar.drawn.clone();
        let mut note = |text: &str| drawn.suspend(|| complain(&format!("note: {text}")));
        let record = match &self.abort_at {
            None => run(&request, &mut note, &mut bar),
            Some(point) => run(&request, &mut note, &mut AbortAt::new(&mut bar, point)?),
        };
        bar.drawn.finish_and_clear();
        let record = match record {
            Err(error) if is_interrupt(&error) => {
                complain(&format!("{error:#}"));
                return Ok(Ended::Interrupted);
            }
            record => record?,
        };
        if self.json {
            say_json(&record)?;
            return Ok(Ended::Done);
        }
        for (number, iteration) in record.iterations.iter().enumerate() {
            let Some(last) = iteration.curve.last() else { continue };
            say(&format!(
                "iteration {}: {} steps in {:.0} s, validation loss {:.3}, masked accuracy {:.3} (most frequent cluster \
                 {:.3})",
                number + 1,
                iteration.steps,
                iteration.seconds_train,
                last.valid_loss,
                last.valid_accuracy,
                iteration.baseline_accuracy
            ));
        }
        Ok(Ended::Done)
    }
}

/// A bar on standard error, where that is a terminal.
struct Bar {
    drawn: ProgressBar,
    loss: f64,
    accuracy: Option<f64>,
}

impl Bar {
    fn new() -> Self {
        let drawn = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {eta} {msg}");
        drawn.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { drawn, loss: 0.0, accuracy: None }
    }

    fn at(&self, done: u64, total: u64, message: String) {
        if self.drawn.length() != Some(total) {
            self.drawn.set_length(total);
            self.drawn.reset_eta();
        }
        self.drawn.set_position(done);
        self.drawn.set_message(message);
    }
}

impl Observer for Bar {
    fn on(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Filled { done, total } => self.at(done as u64, total as u64, "recordings".to_owned()),
            Event::Step { done, total, loss } => {
                self.loss = loss;
                let accuracy = self.accuracy.map(|value| format!(", masked accuracy {value:.3}"));
                self.at(done, total, format!("loss {:.3}{}", self.loss, accuracy.unwrap_or_default()));
            }
            Event::Evaluated { score, .. } => self.accuracy = Some(score),
            Event::Trained { .. } => self.accuracy = None,
            _ => {}
        }
        if environment::interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
