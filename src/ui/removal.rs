use std::time::Duration;

use indicatif::ProgressBar;

use super::{Printer, spinner::spinner};

const REMOVING: &str = "{spinner} removing online values, entities so far: {human_pos}  {per_sec:0}  {elapsed}";

/// Shows on a terminal that online values are being removed.
pub struct RemovalProgress(ProgressBar);

impl RemovalProgress {
    /// A line on a terminal, else nothing.
    pub fn new(printer: Printer) -> Self {
        Self(spinner(printer, REMOVING))
    }

    /// Shows of how many entities values were removed so far.
    pub fn show(&self, entities: u64) {
        self.0.enable_steady_tick(Duration::from_millis(120));
        self.0.set_position(entities);
    }
}

impl Drop for RemovalProgress {
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
        ProgressStyle::with_template(REMOVING).unwrap();
    }
}
