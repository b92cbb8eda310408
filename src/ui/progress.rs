use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Printer, Verbosity};
use crate::materialize::{Event, Outcome, ViewReport};

/// Without a terminal, long work says so once in this time.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Shows materialization as it goes: bars on a terminal, lines elsewhere, or JSON.
pub struct MaterializeView {
    printer: Printer,
    mode: Mode,
}

enum Mode {
    Bars(Mutex<Bars>),
    Lines(Mutex<BTreeMap<String, Running>>),
    Json,
    Silent,
}

/// A view that is being written, without a terminal.
struct Running {
    chunks: usize,
    /// When a line was last said about it.
    last: Instant,
}

impl MaterializeView {
    pub fn new(printer: Printer) -> Self {
        let mode = if printer.verbosity == Verbosity::Quiet {
            Mode::Silent
        } else if printer.json {
            Mode::Json
        } else if io::stderr().is_terminal() {
            Mode::Bars(Mutex::new(Bars::new()))
        } else {
            Mode::Lines(Mutex::default())
        };
        Self { printer, mode }
    }

    /// Tells how many views there are to do.
    pub fn expect(&self, views: usize) {
        if let Mode::Bars(bars) = &self.mode {
            lock(bars).expect(views);
        }
    }

    /// Removes what is only for the time of the work.
    pub fn finish(&self) {
        if let Mode::Bars(bars) = &self.mode
            && let Some(total) = lock(bars).total.take()
        {
            total.bar.finish_and_clear();
        }
    }

    /// Takes note of an event and shows it.
    pub fn show(&self, event: &Event<'_>) {
        match &self.mode {
            Mode::Silent => {}
            Mode::Json => {
                if let Ok(line) = serde_json::to_string(event) {
                    self.printer.stderr(format_args!("{line}\n"));
                }
            }
            Mode::Lines(running) => self.show_line(event, &mut lock(running)),
            Mode::Bars(bars) => lock(bars).show(event, self.printer),
        }
    }

    fn show_line(&self, event: &Event<'_>, running: &mut BTreeMap<String, Running>) {
        match event {
            Event::ViewStarted { view, chunks, .. } => {
                running.insert((*view).to_owned(), Running { chunks: *chunks, last: Instant::now() });
            }
            Event::Progress { view, rows } => {
                if let Some(view_runs) = running.get_mut(*view).filter(|view| view.last.elapsed() >= LOG_INTERVAL) {
                    view_runs.last = Instant::now();
                    self.printer.say(format_args!("{view}: {rows} rows so far"));
                }
            }
            // An only chunk is the view.
            Event::ChunkFinished { view, .. } if running.get(*view).is_none_or(|view| view.chunks == 1) => return,
            Event::ViewFinished(report) => {
                running.remove(&report.view);
            }
            _ => {}
        }
        if let Event::Warning { message, help } = event {
            self.printer.warn(message);
            help.iter().for_each(|help| self.printer.help(help));
        } else if let Some(line) = line(event) {
            self.printer.say(line);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an event is worth saying for ever.
fn line(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Waiting { lock, holder } => format!("waiting for {lock}, {holder}"),
        Event::ViewStarted { view, interval, chunks } => {
            let chunks = if *chunks > 1 { format!(" in {chunks} chunks") } else { String::new() };
            format!("{view}: from {} to {}{chunks}", interval.start, interval.end)
        }
        Event::ChunkFinished { view, chunk } => {
            format!("{view}: until {}: {} rows", chunk.interval.end, chunk.counts.written)
        }
        Event::ViewFinished(report) => finished(report),
        Event::Counted { .. } | Event::Progress { .. } | Event::Warning { .. } => return None,
    })
}

fn finished(report: &ViewReport) -> String {
    match &report.outcome {
        Outcome::Done if report.counts.read == 0 => {
            format!("{}: nothing new until {}", report.view, report.interval.end)
        }
        Outcome::Done => format!("{}: {} rows in {:.1} s", report.view, report.counts.written, report.seconds),
        Outcome::Failed { message, .. } => format!("{}: failed: {message}", report.view),
        Outcome::NotStarted => format!("{}: not started", report.view),
    }
}

const READING: &str = "{prefix:24} {spinner} reading the source ({elapsed})";
const WRITING: &str = "{prefix:24} [{bar:30}] {human_pos} of about {human_len} rows  {per_sec}  {eta} left  {msg}";
const TOTAL: &str = "{prefix:24} {human_pos} rows  {per_sec}  {msg}  {elapsed}";

/// A bar for each running view and a line for all of them.
struct Bars {
    all: MultiProgress,
    /// Only worth its line if there are several views.
    total: Option<Total>,
    running: BTreeMap<String, ViewBar>,
}

struct Total {
    bar: ProgressBar,
    views: usize,
    finished: usize,
}

struct ViewBar {
    bar: ProgressBar,
    /// Rows to expect, of the chunks counted so far.
    expected: u64,
    /// Rows that the total line knows of.
    told: u64,
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { all, total: None, running: BTreeMap::new() }
    }

    fn expect(&mut self, views: usize) {
        if views > 1 {
            let bar = self.all.add(ProgressBar::no_length().with_style(style(TOTAL)).with_prefix("total"));
            bar.set_message(format!("0 of {views} views"));
            self.total = Some(Total { bar, views, finished: 0 });
        }
    }

    fn show(&mut self, event: &Event<'_>, printer: Printer) {
        match event {
            Event::ViewStarted { view, .. } => {
                let bar = ProgressBar::no_length().with_style(style(READING)).with_prefix((*view).to_owned());
                let bar = match &self.total {
                    Some(total) => self.all.insert_before(&total.bar, bar),
                    None => self.all.add(bar),
                };
                bar.enable_steady_tick(Duration::from_millis(120));
                self.running.insert((*view).to_owned(), ViewBar { bar, expected: 0, told: 0 });
            }
            Event::Counted { view, entities, .. } => {
                if let Some(ViewBar { bar, expected, .. }) = self.running.get_mut(*view) {
                    bar.set_style(style(WRITING));
                    *expected += entities;
                    bar.set_length(*expected);
                }
            }
            Event::Progress { view, rows } => self.progress(view, *rows),
            Event::ChunkFinished { view, chunk } => {
                if let Some(ViewBar { bar, .. }) = self.running.get(*view) {
                    bar.set_message(format!("until {}", chunk.interval.end));
                }
            }
            Event::ViewFinished(report) => {
                if let Some(ViewBar { bar, .. }) = self.running.remove(&report.view) {
                    bar.finish_and_clear();
                }
                if let Some(total) = &mut self.total {
                    total.finished += 1;
                    total.bar.set_message(format!("{} of {} views", total.finished, total.views));
                }
                self.say(&finished(report));
            }
            Event::Warning { message, help } => {
                self.say(&format!("{} {message}", printer.err.notice("warning:")));
                if let Some(help) = help {
                    self.say(&format!("{} {help}", printer.err.strong("help:")));
                }
            }
            Event::Waiting { .. } => self.say(&line(event).unwrap_or_default()),
        }
    }

    fn progress(&mut self, view: &str, rows: u64) {
        if let Some(ViewBar { bar, told, .. }) = self.running.get_mut(view) {
            bar.set_length(bar.length().unwrap_or(0).max(rows));
            bar.set_position(rows);
            if let Some(total) = &self.total {
                total.bar.inc(rows.saturating_sub(*told));
            }
            *told = rows;
        }
    }

    /// A line above the bars. Without a terminal nobody would see it, but then there are no bars.
    fn say(&self, line: &str) {
        let _ = self.all.println(line);
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file, covered by a test.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        for template in [READING, WRITING, TOTAL] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
