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
    /// What is not declared, when that is what is wrong.
    pub missing: Option<Missing>,
}

/// A view, or a feature of one, that a definition needs and that is not declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub view: String,
    /// `None` when it is the whole view.
    pub feature: Option<String>,
    /// Who needs it, in words.
    pub user: String,
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

    /// Records that something at `span` is not declared, together with the way out.
    pub fn missing(
        &mut self,
        span: &Span,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
        missing: Missing,
    ) {
        self.error_with_help(span, message, help);
        if let Some(last) = self.found.last_mut() {
            last.missing = Some(missing);
        }
    }

    /// Tells of what is missing because it is being removed, which `removed` knows, that it is.
    pub fn explain_removed(&mut self, removed: impl Fn(&Missing) -> bool) {
        for diagnostic in &mut self.found {
            let Some(missing) = diagnostic.missing.as_ref().filter(|missing| removed(missing)) else { continue };
            let Missing { view, feature, user } = missing;
            let what = match feature {
                Some(feature) => format!("feature `{view}.{feature}`"),
                None => format!("feature view `{view}`"),
            };
            diagnostic.message = format!("{what} is removed by this change, but {user} needs it");
            diagnostic.help = Some(format!("keep it, or change {user} first, so that it does without"));
        }
    }

    /// Whether something is missing, rather than wrong in itself.
    pub fn has_missing(&self) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.missing.is_some())
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
