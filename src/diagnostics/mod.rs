//! What is wrong with a repo, and where: problems are collected as values and drawn at the edge.

use crate::problem::{Advice, Problem};

mod article;
mod count;
mod hints;
mod secrets;
mod span;

pub use article::with_article;
pub use count::counted;
pub use hints::{closest, did_you_mean};
pub use secrets::without_logins;
pub use span::{SourceText, Span};

/// How serious a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing is planned or written while there is one.
    Error,
    /// Worth knowing; work goes on.
    Warning,
}

/// One finding about the files of a repo.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// Whether it is in the way.
    pub level: Level,
    /// What is wrong, without position: a lower-case fragment.
    pub message: String,
    /// Where; `None` only when no file can be named.
    pub span: Option<Span>,
    /// What to do about it.
    pub advice: Option<Advice>,
    /// What is referred to and not there, if that is what is wrong.
    pub missing: Option<Missing>,
}

/// Something that is referred to and not declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// In words, such as `feature view`.
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// The feature of the view of this name; `None` when it is all of it.
    pub feature: Option<String>,
    /// Who needs it, in words; empty if that is not worth saying.
    pub user: String,
}

impl Missing {
    /// The thing of this kind and name.
    pub fn named(what: &'static str, name: &str) -> Self {
        Self { what, name: name.to_owned(), feature: None, user: String::new() }
    }

    /// The same, needed by `user`.
    pub fn needed_by(self, user: &str) -> Self {
        Self { user: user.to_owned(), ..self }
    }
}

/// The findings of one run, in the order they were made.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Records an error at `span`.
    pub fn error(&mut self, span: &Span, message: impl Into<String>) {
        self.push(Level::Error, span, message.into(), None);
    }

    /// Records an error at `span` together with the way out.
    pub fn error_with_help(&mut self, span: &Span, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.push(Level::Error, span, message.into(), help.into().map(Advice::Text));
    }

    /// The same with advice that the face words.
    pub fn error_with_advice(&mut self, span: &Span, message: impl Into<String>, advice: Advice) {
        self.push(Level::Error, span, message.into(), Some(advice));
    }

    /// Records that what stands at `span` cannot be used.
    pub fn problem(&mut self, span: &Span, problem: Problem) {
        self.push(Level::Error, span, problem.message, problem.advice);
    }

    /// Records that something is referred to at `span` that is not among the `known` names.
    pub fn missing<'a>(&mut self, span: &Span, missing: Missing, known: impl IntoIterator<Item = &'a str>) {
        let Missing { what, name, feature, .. } = &missing;
        let (message, wanted) = match feature {
            Some(feature) => (format!("{what} `{name}` has no feature `{feature}`"), feature),
            None => (format!("there is no {what} `{name}`"), name),
        };
        let help = did_you_mean(wanted, known);
        self.error_with_help(span, message, help);
        if let Some(diagnostic) = self.found.last_mut() {
            diagnostic.missing = Some(missing);
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
                diagnostic.advice = Some(Advice::Text(help));
            }
        }
    }

    /// Records something that does not stop the work.
    pub fn warning(&mut self, span: &Span, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.push(Level::Warning, span, message.into(), help.into().map(Advice::Text));
    }

    /// Rewrites findings about missing things that this change itself removes.
    pub fn explain_removed(&mut self, removed: impl Fn(&Missing) -> bool) {
        for diagnostic in &mut self.found {
            let Some(missing) =
                diagnostic.missing.as_ref().filter(|missing| !missing.user.is_empty() && removed(missing))
            else {
                continue;
            };
            let Missing { name: view, feature, user, .. } = missing;
            let what = match feature {
                Some(feature) => format!("feature `{view}.{feature}`"),
                None => format!("feature view `{view}`"),
            };
            diagnostic.message = format!("{what} is removed by this change, but {user} needs it");
            let help = format!("keep it, or change {user} first, so that it does without");
            diagnostic.advice = Some(Advice::Text(help));
        }
    }

    /// Records something that no file can be named for and that does not stop the work.
    pub fn warning_without_place(&mut self, message: impl Into<String>, advice: Advice) {
        let (message, advice) = (message.into(), Some(advice));
        self.found.push(Diagnostic { level: Level::Warning, message, span: None, advice, missing: None });
    }

    fn push(&mut self, level: Level, span: &Span, message: String, advice: Option<Advice>) {
        self.found.push(Diagnostic { level, message, span: Some(span.clone()), advice, missing: None });
    }

    /// Takes over the findings of another run.
    pub fn append(&mut self, mut other: Self) {
        self.found.append(&mut other.found);
    }

    /// Takes over the findings of another run, but for those about something that has a finding here already: they are
    /// its consequences.
    pub fn append_others(&mut self, mut other: Self) {
        let known: Vec<Span> = self.found.iter().filter_map(|found| found.span.clone()).collect();
        let is_known = |span: &Span| known.iter().any(|place| place.contains(span));
        other.found.retain(|found| !found.span.as_ref().is_some_and(is_known));
        self.append(other);
    }

    /// Whether something is in the way.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.level == Level::Error)
    }

    /// Whether nothing was found.
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
