use std::fmt::Display;

use anstyle::{AnsiColor, Style as Ansi};

/// The colours of one stream; plain text when they are off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether there are colours.
    pub enabled: bool,
}

impl Style {
    /// Something that comes into being, or went well.
    pub fn good(self, text: impl Display) -> String {
        self.paint(AnsiColor::Green.on_default().bold(), text)
    }

    /// Something that goes away, or went wrong.
    pub fn bad(self, text: impl Display) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// Something that changes, or needs attention.
    pub fn notice(self, text: impl Display) -> String {
        self.paint(AnsiColor::Yellow.on_default().bold(), text)
    }

    /// What matters in a line.
    pub fn strong(self, text: impl Display) -> String {
        self.paint(Ansi::new().bold(), text)
    }

    /// What can be overlooked.
    pub fn faint(self, text: impl Display) -> String {
        self.paint(Ansi::new().dimmed(), text)
    }

    fn paint(self, ansi: Ansi, text: impl Display) -> String {
        if self.enabled { format!("{ansi}{text}{ansi:#}") } else { text.to_string() }
    }
}
