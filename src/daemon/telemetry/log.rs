//! The lines of the log: what happens, as text for people or as JSON for programs, one line for each. What is said while a
//! request is answered has its ids.

use std::{
    fmt,
    io::Write,
    panic::{self, PanicHookInfo},
    sync::Once,
};

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value as Json};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    subscriber::Interest,
};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use super::request;
use crate::model::Timestamp;

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// An object for each line
    Json,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What goes wrong.
    Errors,
    /// Also what happens.
    Events,
    /// Also a line for each request.
    Requests,
}

/// What a log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// How lines are written.
    pub format: LogFormat,
    /// How much is said.
    pub level: LogLevel,
    /// Whether lines for people have colours.
    pub coloured: bool,
}

impl Log {
    /// From now on the log of the process is written so, to standard error; panics as well. Only the first one counts.
    pub fn start(self) {
        // Who is second finds one that is there.
        let _ =
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(self.over(std::io::stderr)));
        static PANICS: Once = Once::new();
        PANICS.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(
                move |info| if tracing::enabled!(Level::ERROR) { told(info) } else { before(info) },
            ));
        });
    }

    fn over<W: Write, M: Fn() -> W>(self, streams: M) -> Lines<M> {
        Lines { log: self, streams }
    }
}

/// A panic in the log. Its message is the program's own, which has no values of requests.
pub(crate) fn told(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let message = info.payload_as_str().unwrap_or("no message");
    tracing::error!(place, "the program has a mistake: {message}");
}

/// Writes what feastr says; what libraries say is left out.
struct Lines<M> {
    log: Log,
    /// Opens the stream for a line.
    streams: M,
}

/// The root of what feastr says.
const OWN: &str = env!("CARGO_CRATE_NAME");

impl<S: Subscriber, W: Write, M: Fn() -> W + 'static> Layer<S> for Lines<M> {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_own(metadata) && *metadata.level() <= self.log.level.most() {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        is_own(metadata) && *metadata.level() <= self.log.level.most()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::from_level(self.log.level.most()))
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        request::current(|request| {
            said.fields.push(("request_id", request.id().into()));
            if let Some(trace) = request.trace_id() {
                said.fields.push(("trace_id", trace.into()));
            }
        });
        let line = match self.log.format {
            LogFormat::Text => said.text(*event.metadata().level(), self.log.coloured),
            LogFormat::Json => said.json(*event.metadata().level()),
        };
        // Nobody is left to tell when the stream is gone.
        let _ = (self.streams)().write_all(line.as_bytes());
    }
}

fn is_own(metadata: &Metadata<'_>) -> bool {
    metadata.target().strip_prefix(OWN).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl LogLevel {
    const fn most(self) -> Level {
        match self {
            Self::Errors => Level::ERROR,
            Self::Events => Level::INFO,
            Self::Requests => Level::DEBUG,
        }
    }
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(&'static str, Json)>,
}

impl Said {
    fn text(&self, level: Level, coloured: bool) -> String {
        use fmt::Write as _;
        let colour = match level {
            _ if !coloured => Style::new(),
            Level::ERROR => AnsiColor::Red.on_default().bold(),
            Level::WARN => AnsiColor::Yellow.on_default().bold(),
            _ => Style::new().dimmed(),
        };
        let mut line = format!("{} {colour}{level:>5}{colour:#} ", Timestamp::now());
        // One line stays one, whatever it repeats.
        self.message.chars().for_each(|c| if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) });
        for (name, value) in &self.fields {
            // Writing to a text cannot fail.
            let _ = match value.as_str() {
                Some(text) if text.chars().all(|c| c.is_ascii_graphic() && c != '"') => write!(line, " {name}={text}"),
                _ => write!(line, " {name}={value}"),
            };
        }
        line + "\n"
    }

    fn json(self, level: Level) -> String {
        let mut object = Map::new();
        object.insert("timestamp".to_owned(), Timestamp::now().to_string().into());
        object.insert("level".to_owned(), level.as_str().to_ascii_lowercase().into());
        object.insert("message".to_owned(), self.message.into());
        object.extend(self.fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Json::Object(object).to_string() + "\n"
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => self.fields.push((name, format!("{value:?}").into())),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = value.to_owned(),
            name => self.fields.push((name, value.into())),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.push((field.name(), value.into()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.fields.push((field.name(), value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.push((field.name(), value.into()));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing::subscriber::DefaultGuard;

    use super::*;

    /// What is said in this thread while it is there.
    pub(crate) struct Heard {
        text: Arc<Mutex<Vec<u8>>>,
        _guard: DefaultGuard,
    }

    struct Stream(Arc<Mutex<Vec<u8>>>);

    impl Write for Stream {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Heard {
        pub(crate) fn listen(format: LogFormat, level: LogLevel) -> Self {
            let text = Arc::<Mutex<Vec<u8>>>::default();
            let heard = Arc::clone(&text);
            let lines = Log { format, level, coloured: false }.over(move || Stream(Arc::clone(&heard)));
            let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines));
            Self { text, _guard }
        }

        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn a_line_is_text_or_json_and_stays_one_line() {
        let heard = Heard::listen(LogFormat::Text, LogLevel::Events);
        tracing::info!(rows = 3, path = "/a b", is_late = true, "It\nhappened");
        tracing::debug!("nothing");
        let text = heard.text();
        let (time, rest) = text.split_once(' ').unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z'), "{text}");
        assert_eq!(rest, " INFO It\\nhappened rows=3 path=\"/a b\" is_late=true\n");
        drop(heard);
        let heard = Heard::listen(LogFormat::Json, LogLevel::Requests);
        tracing::debug!(seconds = 0.5, "It \"happened\"");
        tracing::error!(target: "hyper::proto", "of a library");
        tracing::error!(target: "feastrology", "of another one");
        let line: Json = serde_json::from_str(heard.text().trim_end()).unwrap();
        assert_eq!(
            (&line["level"], &line["message"], &line["seconds"]),
            (&"debug".into(), &"It \"happened\"".into(), &0.5.into())
        );
    }

    #[test]
    fn who_wants_errors_hears_nothing_else() {
        let heard = Heard::listen(LogFormat::Text, LogLevel::Errors);
        tracing::warn!("it may go wrong");
        tracing::error!("it went wrong");
        assert!(heard.text().lines().count() == 1 && heard.text().contains("ERROR it went wrong"), "{}", heard.text());
    }
}
