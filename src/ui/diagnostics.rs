use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};

use super::Style;
use crate::diagnostics::{Diagnostic, Severity};

/// Findings with the lines they are about, and a last line that counts them.
pub fn draw(diagnostics: &[Diagnostic], style: Style) -> String {
    let renderer = if style.enabled { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&renderer.render(&[group(diagnostic)]));
        text.push_str("\n\n");
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    if errors > 0 {
        let noun = if errors == 1 { "error" } else { "errors" };
        text.push_str(&format!("{} {errors} {noun} in the repo; nothing was done\n", style.bad("error:")));
    }
    text
}

fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()));
    if let Some(span) = &diagnostic.span {
        // An empty range would mark nothing.
        let end = span.range.end.max(span.range.start + 1).min(span.file.text.len());
        let first_line =
            span.file.text[span.range.start..end].find('\n').map_or(end, |at| span.range.start + at.max(1));
        let path = span.file.path.display().to_string();
        group = group.element(
            Snippet::source(span.file.text.as_str())
                .path(path)
                .annotation(AnnotationKind::Primary.span(span.range.start.min(first_line)..first_line)),
        );
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}
