//! Files on their way into the index of entities: a bar on a terminal, else a line now and then.

use std::{
    io::{self, IsTerminal},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Printer, Verbosity};
use crate::diagnostics::counted;

const FILES: &str = "{spinner} [{bar:30}] {human_pos} of {human_len} files  {per_sec:0}  {eta} left";

/// Without a terminal, long work says so once in this time.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Shows how far the index is with files.
pub struct IndexProgress {
    printer: Printer,
    bar: ProgressBar,
    /// When a line was last said; `None` where no lines are.
    last: Mutex<Option<Instant>>,
}

impl IndexProgress {
    /// A bar on a terminal, lines elsewhere, nothing beside JSON.
    pub fn new(printer: Printer) -> Self {
        let is_silent = printer.json || printer.verbosity == Verbosity::Quiet;
        let has_bar = !is_silent && io::stderr().is_terminal();
        // The template is a constant, covered by a test.
        let style = ProgressStyle::with_template(FILES).unwrap_or_else(|_| ProgressStyle::default_bar());
        let target = if has_bar { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target).with_style(style.progress_chars("=> "));
        Self { printer, bar, last: Mutex::new((!is_silent && !has_bar).then(Instant::now)) }
    }

    /// The files of a view were found.
    pub fn listed(&self, view: &str, files: usize) {
        self.around(|| self.printer.say(format_args!("{view}: {}", counted(files, "file"))));
    }

    /// So many files are to be done.
    pub fn expect(&self, files: usize) {
        self.bar.set_length(files as u64);
        self.around(|| self.printer.say(format_args!("{} differ from the index", counted(files, "file"))));
    }

    /// One more is done.
    pub fn step(&self) {
        self.bar.inc(1);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() >= LOG_INTERVAL) {
            *last = Some(Instant::now());
            self.printer.say(format_args!("{} so far", counted(self.bar.position(), "file")));
        }
    }

    /// Says something where the bar is not.
    pub fn around(&self, say: impl FnOnce()) {
        if !self.printer.json {
            self.bar.suspend(say);
        }
    }
}

impl Drop for IndexProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_valid() {
        ProgressStyle::with_template(FILES).unwrap();
    }
}
