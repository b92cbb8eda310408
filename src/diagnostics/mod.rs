//! What is wrong with a repo, and where: problems are collected as values and drawn at the edge.

mod count;
mod hints;
mod secrets;
mod span;

pub use count::counted;
pub use hints::{closest, did_you_mean};
pub use secrets::without_logins;
pub use span::{SourceText, Span};

/// How serious a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is planned or written while there is one.
    Error,
    /// Worth knowing; work goes on.
    Warning,
}

/// One finding about the files of a repo.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// What is wrong, without position: a lower-case fragment.
    pub message: String,
    /// Where; `None` only when no file can be named.
    pub span: Option<Span>,
    /// What to do about it.
    pub help: Option<String>,
}

/// The findings of one run, in the order they were made.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Records an error at `span`.
    pub fn error(&mut self, span: &Span, message: impl Into<String>) {
        self.push(Severity::Error, span, message.into(), None);
    }

    /// Records an error at `span` together with the way out.
    pub fn error_with_help(&mut self, span: &Span, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.push(Severity::Error, span, message.into(), help.into());
    }

    /// Records something that does not stop the work.
    pub fn warning(&mut self, span: &Span, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.push(Severity::Warning, span, message.into(), help.into());
    }

    fn push(&mut self, severity: Severity, span: &Span, message: String, help: Option<String>) {
        self.found.push(Diagnostic { severity, message, span: Some(span.clone()), help });
    }

    /// Takes over the findings of another run.
    pub fn append(&mut self, mut other: Self) {
        self.found.append(&mut other.found);
    }

    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The findings by file and position, each said once.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by(|a, b| a.span.cmp(&b.span).then_with(|| a.message.cmp(&b.message)));
        self.found.dedup();
        self.found
    }
}
