//! How far a benchmark is: bars where standard error is a terminal, a line for each finished cell everywhere.

use std::{
    fmt,
    io::{IsTerminal as _, Write as _},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use sure_records::{Cell, Outcome, RunRecord};

use crate::observe::Bar;

/// The cells of a benchmark.
#[derive(Debug)]
pub struct Progress {
    bars: MultiProgress,
    overall: ProgressBar,
    done: AtomicUsize,
    total: usize,
    several_seeds: bool,
    is_terminal: bool,
}

impl Progress {
    /// Of `total` cells `done` have a record already.
    pub fn new(total: usize, done: usize, several_seeds: bool) -> Self {
        let bars = MultiProgress::new();
        // It is drawn from where it joins the others.
        let overall = ProgressBar::new(total as u64);
        let (start, before) = (Instant::now(), done as u64);
        let left = move |state: &ProgressState, text: &mut dyn fmt::Write| {
            let (now, all) = (state.pos(), state.len().unwrap_or_default());
            if let Some(left) = left(start.elapsed(), now.saturating_sub(before), all.saturating_sub(now)) {
                // A bar that cannot be drawn is no loss.
                let _ = write!(text, "{} left", clock(left));
            }
        };
        let style = ProgressStyle::with_template("{prefix:32!} {wide_bar} {pos}/{len} {left}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        overall.set_style(style.with_key("left", left));
        overall.set_prefix("cells");
        let overall = bars.add(overall);
        overall.set_position(done as u64);
        overall.enable_steady_tick(Duration::from_secs(1));
        let is_terminal = std::io::stderr().is_terminal();
        Self { bars, overall, done: AtomicUsize::new(done), total, several_seeds, is_terminal }
    }

    /// The bar of a cell that begins.
    pub fn begin(&self, cell: &Cell) -> Bar {
        let bar = Bar::new(&self.title(cell));
        self.bars.insert_before(&self.overall, bar.drawn().clone());
        bar
    }

    /// A cell is finished, with its record where it has one, after so long.
    pub fn finish(&self, cell: &Cell, record: Option<&RunRecord>, took: Duration) {
        let number = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.overall.inc(1);
        let Some(record) = record else { return };
        let (total, title) = (self.total, self.title(cell));
        self.line(&format!("[{number}/{total}] {title} {} in {:.1} s", result(record), took.as_secs_f64()));
    }

    /// Takes the bars off the screen.
    pub fn clear(&self) {
        self.overall.finish_and_clear();
    }

    fn title(&self, cell: &Cell) -> String {
        let seed = if self.several_seeds { format!(" seed {}", cell.seed) } else { String::new() };
        format!("{} {}{seed}", cell.column(), cell.method)
    }

    /// Writes a line above the bars. A reader that has gone away is no error.
    fn line(&self, text: &str) {
        let _ = if self.is_terminal {
            self.bars.println(text)
        } else {
            writeln!(std::io::stderr().lock(), "{text}")
        };
    }
}

/// The first score on test in percent, with its interval; or why there is none.
fn result(record: &RunRecord) -> String {
    if let Outcome::Error { kind, .. } = &record.outcome {
        return format!("failed ({kind})");
    }
    let Some(split) = record.score("test") else { return "no score".to_owned() };
    let interval = split.interval.map(|interval| {
        let [low, high] = [interval.low, interval.high].map(|end| 100.0 * end);
        format!(" [{low:.1} {high:.1}]")
    });
    format!("{} {:.1} %{}", split.score.name, 100.0 * split.score.value, interval.unwrap_or_default())
}

/// How long the other cells will take, if they take as long as those that were run so far; cells run side by side.
fn left(elapsed: Duration, run: u64, others: u64) -> Option<Duration> {
    let each = elapsed.as_secs_f64() / Some(run).filter(|&run| run > 0)? as f64;
    Duration::try_from_secs_f64(each * others as f64).ok()
}

/// `1:05` or `2:01:05`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let [hours, minutes, seconds] = [seconds / 3600, seconds / 60 % 60, seconds % 60];
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_cells_that_were_run() {
        let seconds = Duration::from_secs;
        assert_eq!(left(seconds(10), 0, 5), None);
        assert_eq!(left(seconds(10), 4, 6), Some(seconds(15)));
        assert_eq!(left(seconds(10), 4, 0), Some(seconds(0)));
        assert_eq!([clock(seconds(65)), clock(seconds(7265))], ["1:05", "2:01:05"]);
    }
}
