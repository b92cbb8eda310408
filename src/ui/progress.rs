use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Printer, Verbosity};
use crate::materialize::{Event, Outcome};

/// Without a terminal, long work says so once in this time.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Shows materialization as it goes: bars on a terminal, lines elsewhere, or JSON.
pub struct MaterializeView {
    printer: Printer,
    mode: Mode,
}

enum Mode {
    Bars(Option<ProgressBar>),
    Lines { last: Instant },
    Json,
    Silent,
}

impl MaterializeView {
    pub fn new(printer: Printer) -> Self {
        let mode = if printer.json {
            Mode::Json
        } else if printer.verbosity == Verbosity::Quiet {
            Mode::Silent
        } else if io::stderr().is_terminal() {
            Mode::Bars(None)
        } else {
            Mode::Lines { last: Instant::now() }
        };
        Self { printer, mode }
    }

    /// Takes note of an event and shows it.
    pub fn show(&mut self, event: &Event<'_>) {
        let printer = self.printer;
        match &mut self.mode {
            Mode::Silent => {}
            Mode::Json => {
                if let Ok(line) = serde_json::to_string(event) {
                    printer.stderr(format_args!("{line}\n"));
                }
            }
            Mode::Lines { last } => show_line(event, last, printer),
            Mode::Bars(bar) => show_bar(event, bar, printer),
        }
    }
}

fn show_line(event: &Event<'_>, last: &mut Instant, printer: Printer) {
    match event {
        Event::ViewStarted { view, interval } => {
            *last = Instant::now();
            printer.say(format_args!("{view}: from {} to {}", interval.start, interval.end));
        }
        Event::Counted { .. } => {}
        Event::Progress { view, rows } => {
            if last.elapsed() >= LOG_INTERVAL {
                *last = Instant::now();
                printer.say(format_args!("{view}: {rows} rows so far"));
            }
        }
        Event::ViewFinished(report) => match &report.outcome {
            Outcome::Done => {
                printer.say(format_args!("{}: {} rows in {:.1} s", report.view, report.written, report.seconds));
            }
            Outcome::Failed { message, .. } => printer.say(format_args!("{}: failed: {message}", report.view)),
        },
    }
}

fn show_bar(event: &Event<'_>, bar: &mut Option<ProgressBar>, printer: Printer) {
    match event {
        Event::ViewStarted { view, .. } => {
            let started = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
                .with_style(style("{prefix:24} {spinner} reading the source ({elapsed})"))
                .with_prefix((*view).to_owned());
            started.enable_steady_tick(Duration::from_millis(120));
            *bar = Some(started);
        }
        Event::Counted { entities, .. } => {
            if let Some(bar) = bar {
                bar.set_style(style(
                    "{prefix:24} [{bar:30}] {human_pos} of about {human_len} rows  {per_sec}  {eta} left",
                ));
                bar.set_length(*entities);
            }
        }
        Event::Progress { rows, .. } => {
            if let Some(bar) = bar {
                bar.set_length(bar.length().unwrap_or(0).max(*rows));
                bar.set_position(*rows);
            }
        }
        Event::ViewFinished(_) => {
            if let Some(bar) = bar.take() {
                bar.finish_and_clear();
            }
            show_line(event, &mut Instant::now(), printer);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file, covered by a test.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}
