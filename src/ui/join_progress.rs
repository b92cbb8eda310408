//! A join as it goes on: a line on a terminal, elsewhere one line a minute.

use std::{
    io::{self, IsTerminal},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use super::{Printer, Verbosity};

/// How far a join is: rows of sources that were looked at, and entity rows that were handed on, each with all that are
/// known of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Steps {
    /// Rows of sources.
    pub scanned: (u64, u64),
    /// Entity rows.
    pub joined: (u64, u64),
}

/// Shows how far a join is, until it is dropped.
pub struct JoinProgress {
    end: Option<Sender<()>>,
    shown: Option<JoinHandle<()>>,
}

impl JoinProgress {
    /// Begins to show what `steps` tell. Nobody sees it when quiet, or with JSON.
    pub fn begin(printer: Printer, steps: impl Fn() -> Steps + Send + 'static) -> Self {
        /// How often a line on a terminal changes.
        const OFTEN: Duration = Duration::from_millis(100);
        /// Without a terminal.
        const SELDOM: Duration = Duration::from_secs(60);
        if printer.verbosity == Verbosity::Quiet || printer.json {
            return Self { end: None, shown: None };
        }
        let bar = io::stderr().is_terminal().then(|| {
            let style =
                ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            ProgressBar::new_spinner().with_style(style)
        });
        let (end, ended) = mpsc::channel();
        let show = move || {
            let began = Instant::now();
            let pause = if bar.is_some() { OFTEN } else { SELDOM };
            while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let line = line(steps(), began.elapsed());
                match &bar {
                    Some(bar) => {
                        bar.set_message(line);
                        bar.tick();
                    }
                    None => printer.say(line),
                }
            }
            bar.iter().for_each(ProgressBar::finish_and_clear);
        };
        let shown = thread::Builder::new().name("progress".to_owned()).spawn(show).ok();
        Self { end: Some(end), shown }
    }
}

impl Drop for JoinProgress {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(shown) = self.shown.take() {
            let _ = shown.join();
        }
    }
}

/// What is being done, how much of it is done, and how long the rest will take at this speed.
fn line(Steps { scanned, joined }: Steps, elapsed: Duration) -> String {
    let (what, (done, all)) = match (scanned, joined) {
        (_, joined @ (1.., _)) => ("rows written", joined),
        (scanned @ (1.., _), _) => ("source rows read", scanned),
        _ => return format!("opening sources, {}", HumanDuration(elapsed)),
    };
    if all <= done {
        return format!("{} {what}, {}", HumanCount(done), HumanDuration(elapsed));
    }
    let share = done as f64 / all as f64;
    let left = elapsed.mul_f64((1.0 - share) / share);
    format!("{} of {} {what}, {} left", HumanCount(done), HumanCount(all), HumanDuration(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_done_and_left() {
        let at = |scanned, joined| line(Steps { scanned, joined }, Duration::from_secs(10));
        assert_eq!(at((0, 0), (0, 100)), "opening sources, 10 seconds");
        assert_eq!(at((2_000, 10_000), (0, 100)), "2,000 of 10,000 source rows read, 40 seconds left");
        assert_eq!(at((10_000, 10_000), (50, 100)), "50 of 100 rows written, 10 seconds left");
        assert_eq!(at((10_000, 10_000), (150, 0)), "150 rows written, 10 seconds");
    }
}
