//! How far an extraction is: a bar, where standard error is a terminal, and a line where it goes on from before.

use std::{
    io::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// The bar of one extraction.
#[derive(Debug)]
pub struct Meter {
    bar: ProgressBar,
    speaks: bool,
    begun: Instant,
    /// Milliseconds of audio so far.
    heard: AtomicU64,
}

impl Meter {
    /// One that is seen.
    pub fn drawn() -> Self {
        Self::of(ProgressBar::new(0), true)
    }

    /// One that is not.
    pub fn silent() -> Self {
        Self::of(ProgressBar::hidden(), false)
    }

    fn of(bar: ProgressBar, speaks: bool) -> Self {
        Self { bar, speaks, begun: Instant::now(), heard: AtomicU64::new(0) }
    }

    /// Of `total` recordings `done` are there from an earlier call, or what was there is of no use.
    pub(super) fn begin(&self, total: usize, done: usize, began_anew: bool) {
        if began_anew {
            self.line("what an earlier call left is of another backbone, other options or other recordings: beginning anew");
        } else if done > 0 {
            self.line(&format!("{done} of {total} recordings are there from an earlier call"));
        }
        let style = ProgressStyle::with_template("recordings {wide_bar} {pos}/{len} {eta} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        self.bar.set_style(style);
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        self.bar.reset_eta();
        self.bar.enable_steady_tick(Duration::from_secs(1));
    }

    /// So many more are done, and so much audio.
    pub(super) fn add(&self, recordings: u64, seconds: f64) {
        let more = (seconds * 1e3) as u64;
        let heard = (self.heard.fetch_add(more, Ordering::Relaxed) + more) as f64 / 1e3;
        self.bar
            .set_message(format!("{:.1} s of audio a second", heard / self.begun.elapsed().as_secs_f64()));
        self.bar.inc(recordings);
    }

    /// Takes the bar off the screen.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Writes a line to standard error. A reader that has gone away is no error.
    fn line(&self, text: &str) {
        if self.speaks {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }
}
