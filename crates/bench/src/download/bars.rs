//! How far a download is: a bar where standard error is a terminal, else a line a file.

use std::{
    cell::RefCell,
    io::{IsTerminal as _, Write as _},
};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use sure_hub::Watch;

use crate::environment;

/// Shows downloads on standard error, and stops them on Ctrl-C.
#[derive(Debug)]
pub struct Bars {
    bar: RefCell<Option<ProgressBar>>,
    is_terminal: bool,
}

/// A file as long as this is worth a line where there are no bars.
const WORTH_A_LINE: u64 = 1 << 20;

impl Bars {
    /// None yet.
    pub fn new() -> Self {
        Self { bar: RefCell::new(None), is_terminal: std::io::stderr().is_terminal() }
    }

    fn clear(&self) {
        if let Some(bar) = self.bar.borrow_mut().take() {
            bar.finish_and_clear();
        }
    }
}

impl Default for Bars {
    fn default() -> Self {
        Self::new()
    }
}

impl Watch for Bars {
    fn begins(&self, file: &str, have: u64, size: Option<u64>) {
        if !self.is_terminal {
            if size.is_none_or(|size| size >= WORTH_A_LINE) {
                let size = size.map_or_else(String::new, |size| format!(" ({})", HumanBytes(size)));
                let from = if have > 0 { format!(", from {}", HumanBytes(have)) } else { String::new() };
                self.says(&format!("fetching {file}{size}{from}"));
            }
            return;
        }
        self.clear();
        let template = "{msg:40!} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(size.unwrap_or(0)).with_style(style);
        bar.set_message(file.to_owned());
        bar.set_position(have);
        bar.reset_eta();
        *self.bar.borrow_mut() = Some(bar);
    }

    fn has(&self, _file: &str, have: u64) {
        if let Some(bar) = &*self.bar.borrow() {
            bar.set_position(have);
        }
    }

    fn ends(&self, _file: &str) {
        self.clear();
    }

    fn says(&self, text: &str) {
        self.clear();
        // Nobody may be listening, which is no error.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    fn stops(&self) -> bool {
        environment::interrupted()
    }
}
