use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar};

use super::{Printer, spinner::spinner};

const LINE: &str = "{spinner} {prefix} {msg} {elapsed}";

/// Shows on a terminal what is tried at an engine, which may let one wait.
pub struct EngineProgress(ProgressBar);

impl EngineProgress {
    /// A line on a terminal, else nothing.
    pub fn new(printer: Printer) -> Self {
        let bar = spinner(printer, LINE);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Shows what is tried.
    pub fn begin(&self, name: &'static str) {
        self.0.set_prefix(name);
        self.0.set_message("");
    }

    /// Shows how far it is: as a count, because more tasks become known as it goes on.
    pub fn count(&self, (done, known): (u64, u64), bytes: u64) {
        self.0.set_message(format!("{done} of {known} tasks until now, {} read", HumanBytes(bytes)));
    }
}

impl Drop for EngineProgress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressStyle;

    use super::*;

    #[test]
    fn the_template_is_valid() {
        ProgressStyle::with_template(LINE).unwrap();
    }
}
