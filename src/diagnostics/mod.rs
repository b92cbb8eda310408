//! What is wrong with a repo, and where: problems are collected as values and drawn at the edge.

mod hints;
mod span;

pub use hints::{closest, did_you_mean};
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
    /// What is referred to and not there, if that is what is wrong.
    pub missing: Option<Missing>,
}

/// Something that is referred to and not declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// In words, such as `feature view`.
    pub what: &'static str,
    pub name: String,
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

    /// Records that something is referred to that is not among the `known` names.
    pub fn missing<'a>(
        &mut self,
        span: &Span,
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        self.error_with_help(span, format!("there is no {what} `{name}`"), did_you_mean(name, known));
        if let Some(diagnostic) = self.found.last_mut() {
            diagnostic.missing = Some(Missing { what, name: name.to_owned() });
        }
    }

    /// Whether something is referred to and not there.
    pub fn has_missing(&self) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.missing.is_some())
    }

    /// Replaces the advice about missing things by what `explain` knows of them.
    pub fn explain_missing(&mut self, explain: impl Fn(&Missing) -> Option<String>) {
        for diagnostic in &mut self.found {
            if let Some(help) = diagnostic.missing.as_ref().and_then(&explain) {
                diagnostic.help = Some(help);
            }
        }
    }

    /// Records something that does not stop the work.
    pub fn warning(&mut self, span: &Span, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.push(Severity::Warning, span, message.into(), help.into());
    }

    /// Records something that no file can be named for and that does not stop the work.
    pub fn warning_without_place(&mut self, message: impl Into<String>, help: impl Into<Option<String>>) {
        let (message, help) = (message.into(), help.into());
        self.found.push(Diagnostic { severity: Severity::Warning, message, span: None, help, missing: None });
    }

    fn push(&mut self, severity: Severity, span: &Span, message: String, help: Option<String>) {
        self.found.push(Diagnostic { severity, message, span: Some(span.clone()), help, missing: None });
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
