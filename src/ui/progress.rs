//! A materialization as it goes on: bars on a terminal, else lines or JSON.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, IsTerminal},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::{
    Printer, Verbosity, advice,
    progress_line::{self, Written},
};
use crate::{
    diagnostics::counted,
    materialize::{Event, Outcome, ViewReport},
};

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
    /// Bars, lines or JSON, as the printer is set up.
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
                    self.printer.say(format_args!("{view}: {} so far", counted(*rows, "row")));
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
            help.iter().for_each(|help| self.printer.help(advice(help)));
        } else if let Some(line) = line(event) {
            self.printer.say(line);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The line about an event that stays on the screen, if the event deserves one.
fn line(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Waiting { lock, holder } => format!("waiting for {lock}, {holder}"),
        Event::ViewStarted { view, interval, chunks } => {
            let chunks = if *chunks > 1 { format!(" in {chunks} chunks") } else { String::new() };
            format!("{view}: from {} to {}{chunks}", interval.start, interval.end)
        }
        Event::ChunkFinished { view, chunk } => {
            format!("{view}: until {}: {}", chunk.interval.end, counted(chunk.counts.written, "row"))
        }
        Event::ViewFinished(report) => finished(report),
        Event::Counted { .. } | Event::Staging { .. } | Event::Progress { .. } | Event::Warning { .. } => return None,
    })
}

fn finished(report: &ViewReport) -> String {
    match &report.outcome {
        Outcome::Done if report.counts.read == 0 => {
            format!("{}: nothing new until {}", report.view, report.interval.end)
        }
        Outcome::Done => {
            format!("{}: {} in {:.1} s", report.view, counted(report.counts.written, "row"), report.seconds)
        }
        Outcome::Open(open) => {
            let files = counted(open.files, "file");
            format!("{}: {files} in {:.1} s, to be written in {} shards", report.view, report.seconds, open.shards)
        }
        Outcome::Failed(problem) => format!("{}: failed: {problem}", report.view),
        Outcome::NotStarted => format!("{}: not started", report.view),
    }
}

/// A line for each running view and one for all of them.
struct Bars {
    all: MultiProgress,
    /// Only worth its line if there are several views.
    total: Option<Total>,
    running: BTreeMap<String, ViewBar>,
}

struct Total {
    bar: ProgressBar,
    finished: Arc<AtomicUsize>,
}

struct ViewBar {
    /// Counts the rows of all chunks.
    bar: ProgressBar,
    chunks: Arc<Chunks>,
    /// Rows that the total line knows of.
    told: u64,
}

/// Which chunk of a view is being written.
struct Chunks {
    all: usize,
    finished: AtomicUsize,
    /// Rows of the finished ones.
    rows: AtomicU64,
    /// Whether the next one was not counted yet.
    reading: AtomicBool,
    /// Tasks of an engine that writes the rows to files: how many are done, and known.
    tasks: Mutex<Option<(u64, u64)>>,
}

impl Chunks {
    fn draw(&self, view: &str, state: &ProgressState, width: usize) -> String {
        let chunk = (self.all > 1).then(|| (self.all.min(self.finished.load(Ordering::Relaxed) + 1), self.all));
        if let Some(tasks) = *lock(&self.tasks) {
            return progress_line::staging(view, tasks, state.elapsed(), width);
        }
        if self.reading.load(Ordering::Relaxed) {
            return progress_line::reading(view, state.elapsed(), chunk, width);
        }
        let before = self.rows.load(Ordering::Relaxed);
        let written = Written {
            rows: state.pos().saturating_sub(before),
            expected: state.len().unwrap_or(0).saturating_sub(before),
            per_second: state.per_sec(),
            left: state.eta(),
        };
        progress_line::writing(view, written, chunk, width)
    }

    fn finish_one(&self, rows: u64) {
        self.finished.fetch_add(1, Ordering::Relaxed);
        self.rows.store(rows, Ordering::Relaxed);
        self.reading.store(true, Ordering::Relaxed);
    }
}

/// A bar whose line is drawn anew for the width that the terminal then has.
fn bar(draw: impl Fn(&ProgressState, usize) -> String + Send + Sync + Clone + 'static) -> ProgressBar {
    let write = move |state: &ProgressState, out: &mut dyn fmt::Write| {
        let (_, width) = console::Term::stderr().size();
        // A line as wide as the terminal would wrap in some of them.
        let _ = out.write_str(&draw(state, usize::from(width).saturating_sub(1)));
    };
    // The template is a constant, covered by a test.
    let style = ProgressStyle::with_template(LINE).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::no_length().with_style(style.with_key("line", write))
}

const LINE: &str = "{line}";
/// Time between two drawings.
const TICK: Duration = Duration::from_millis(120);

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { all, total: None, running: BTreeMap::new() }
    }

    fn expect(&mut self, views: usize) {
        if views > 1 {
            let finished = Arc::new(AtomicUsize::new(0));
            let done = Arc::clone(&finished);
            let bar = self.all.add(bar(move |state, width| {
                let done = done.load(Ordering::Relaxed);
                progress_line::total(state.pos(), state.per_sec(), (done, views), state.elapsed(), width)
            }));
            bar.enable_steady_tick(TICK);
            self.total = Some(Total { bar, finished });
        }
    }

    fn show(&mut self, event: &Event<'_>, printer: Printer) {
        match event {
            Event::ViewStarted { view, chunks, .. } => {
                let chunks = Arc::new(Chunks {
                    all: *chunks,
                    finished: AtomicUsize::new(0),
                    rows: AtomicU64::new(0),
                    reading: AtomicBool::new(true),
                    tasks: Mutex::new(None),
                });
                let (name, drawn) = ((*view).to_owned(), Arc::clone(&chunks));
                let bar = bar(move |state, width| drawn.draw(&name, state, width));
                let bar = match &self.total {
                    Some(total) => self.all.insert_before(&total.bar, bar),
                    None => self.all.add(bar),
                };
                bar.enable_steady_tick(TICK);
                self.running.insert((*view).to_owned(), ViewBar { bar, chunks, told: 0 });
            }
            Event::Counted { view, entities, .. } => {
                if let Some(ViewBar { bar, chunks, told }) = self.running.get(*view) {
                    bar.set_length(told + entities);
                    if *told == 0 {
                        // Reading took its time, too, but says nothing of how quick writing is.
                        bar.reset_eta();
                    }
                    chunks.reading.store(false, Ordering::Relaxed);
                }
            }
            Event::Progress { view, rows } => self.progress(view, *rows),
            Event::Staging { view, done, known } => {
                if let Some(ViewBar { chunks, .. }) = self.running.get(*view) {
                    *lock(&chunks.tasks) = Some((*done, *known));
                }
            }
            Event::ChunkFinished { view, .. } => {
                if let Some(ViewBar { chunks, told, .. }) = self.running.get(*view) {
                    chunks.finish_one(*told);
                }
            }
            Event::ViewFinished(report) => {
                if let Some(ViewBar { bar, .. }) = self.running.remove(&report.view) {
                    bar.finish_and_clear();
                }
                if let Some(total) = &self.total {
                    total.finished.fetch_add(1, Ordering::Relaxed);
                }
                self.say(&finished(report));
            }
            Event::Warning { message, help } => {
                self.say(&format!("{} {message}", printer.err.notice("warning:")));
                if let Some(help) = help {
                    self.say(&format!("{} {}", printer.err.strong("help:"), advice(help)));
                }
            }
            Event::Waiting { .. } => self.say(&line(event).unwrap_or_default()),
        }
    }

    fn progress(&mut self, view: &str, rows: u64) {
        if let Some(ViewBar { bar, told, chunks }) = self.running.get_mut(view) {
            *lock(&chunks.tasks) = None;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_valid() {
        ProgressStyle::with_template(LINE).unwrap();
    }
}
