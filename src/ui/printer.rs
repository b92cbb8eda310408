use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use clap::ValueEnum;

use super::Style;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Also in files and pipes
    Always,
    /// Nowhere
    Never,
}

/// How much is said besides results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Results, errors, warnings and what happens.
    #[default]
    Normal,
    /// Also what is usually not worth knowing.
    Verbose,
}

/// The two streams: results on stdout, everything said to the person on stderr.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    /// How much is said.
    pub verbosity: Verbosity,
    /// Whether results are wanted as JSON.
    pub json: bool,
    /// Colours of stdout.
    pub out: Style,
    /// Colours of stderr.
    pub err: Style,
}

impl Printer {
    /// Decides colours once; `no_color` is whether the NO_COLOR variable is set.
    pub fn new(verbosity: Verbosity, json: bool, color: ColorChoice, no_color: bool) -> Self {
        let enabled = |is_terminal: bool| match color {
            ColorChoice::Auto => is_terminal && !no_color,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        Self {
            verbosity,
            json,
            out: Style { enabled: enabled(io::stdout().is_terminal()) },
            err: Style { enabled: enabled(io::stderr().is_terminal()) },
        }
    }

    /// Writes a result, as it is.
    ///
    /// # Errors
    /// When stdout cannot be written; a closed pipe is one of these and ends the program quietly.
    pub fn result(&self, text: impl Display) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        write!(stdout, "{text}")?;
        stdout.flush()
    }

    /// Writes a result line.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub fn result_line(&self, text: impl Display) -> io::Result<()> {
        self.result(format_args!("{text}\n"))
    }

    /// Writes a value as indented JSON.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub fn json(&self, value: &impl serde::Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
        self.result_line(text)
    }

    /// Says something about the work.
    pub fn say(&self, text: impl Display) {
        if self.verbosity >= Verbosity::Normal {
            self.stderr(format_args!("{text}\n"));
        }
    }

    /// Says something that needs attention but does not stop the work.
    pub fn warn(&self, text: impl Display) {
        if self.verbosity >= Verbosity::Normal {
            self.stderr(format_args!("{} {text}\n", self.err.notice("warning:")));
        }
    }

    /// Says what went wrong, however quiet the rest is.
    pub fn error(&self, text: impl Display) {
        self.stderr(format_args!("{} {text}\n", self.err.bad("error:")));
    }

    /// Says what to do, below an error or a warning.
    pub fn help(&self, text: impl Display) {
        self.stderr(format_args!("{} {text}\n", self.err.strong("help:")));
    }

    /// Writes text to stderr as it is.
    pub fn stderr(&self, text: impl Display) {
        // Nobody is left to tell when stderr is gone.
        let _ = write!(io::stderr().lock(), "{text}");
    }
}
