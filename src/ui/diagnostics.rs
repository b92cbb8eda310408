use annotate_snippets::{AnnotationKind, Group, Level as Title, Renderer, Snippet, renderer::DecorStyle};

use super::Style;
use crate::{
    diagnostics::{Diagnostic, Level, without_logins},
    model::printable,
    problem::Advice,
};

/// Most findings that are drawn; who has more has made one mistake many times.
const MOST: usize = 100;

/// Findings with the lines they are about, errors first where there are too many, and a last line that counts them.
pub fn draw(diagnostics: &[Diagnostic], style: Style) -> String {
    let renderer = if style.enabled { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    let (shown, left_out) = most_important(diagnostics);
    for diagnostic in shown {
        let file = diagnostic.span.as_ref().map(|span| span.file.shown()).unwrap_or_default();
        text.push_str(&renderer.render(&[group(&without_secrets(diagnostic), &file)]));
        text.push_str("\n\n");
    }
    if left_out > 0 {
        text.push_str(&format!("… and {left_out} more\n\n"));
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
    if errors > 0 {
        let noun = if errors == 1 { "error" } else { "errors" };
        text.push_str(&format!("{} {errors} {noun} in the repo; nothing was done\n", style.bad("error:")));
    }
    text
}

/// The findings to be drawn, in their order, and how many are left out.
fn most_important(diagnostics: &[Diagnostic]) -> (Vec<&Diagnostic>, usize) {
    let left_out = diagnostics.len().saturating_sub(MOST);
    if left_out == 0 {
        return (diagnostics.iter().collect(), 0);
    }
    let (errors, warnings): (Vec<_>, Vec<_>) =
        diagnostics.iter().partition(|diagnostic| diagnostic.level == Level::Error);
    (errors.into_iter().chain(warnings).take(MOST).collect(), left_out)
}

/// A finding that quotes of a file what is shown of it.
pub(crate) fn without_secrets(diagnostic: &Diagnostic) -> Diagnostic {
    let mut diagnostic = diagnostic.clone();
    if let Some(span) = &diagnostic.span {
        let shown = span.file.shown();
        let unquoted = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
        let written = unquoted(span.text());
        if !written.is_empty() && shown.get(span.range.clone()).map(unquoted).is_some_and(|shown| shown != written) {
            diagnostic.message = without_quoted(&diagnostic.message, &written);
            if let Some(Advice::Text(help)) = &mut diagnostic.advice {
                *help = without_quoted(help, &written);
            }
        }
    }
    // It may come from the environment. The help has examples of URLs.
    diagnostic.message = without_logins(&diagnostic.message);
    diagnostic
}

/// The text with `***` where it quotes a secret.
fn without_quoted(text: &str, secret: &str) -> String {
    let text = text.replace(&format!("`{secret}`"), "`***`").replace(&format!("[{secret}]"), "[***]");
    text.replace(&format!("number {secret}"), "number ***")
}

fn group<'a>(diagnostic: &'a Diagnostic, text: &'a str) -> Group<'a> {
    let title = match diagnostic.level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
    };
    let mut group = Group::with_title(title.primary_title(printable(&diagnostic.message)));
    if let Some(span) = &diagnostic.span {
        // An empty range would mark nothing, and one over several lines too much.
        let end = text.ceil_char_boundary(span.range.end.max(span.range.start + 1));
        let marked = text.get(span.range.start..end).unwrap_or_default();
        let end = marked.find('\n').map_or(end, |newline| span.range.start + newline.max(1));
        let path = span.file.path.display().to_string();
        group = group.element(
            Snippet::source(text).path(path).annotation(AnnotationKind::Primary.span(span.range.start.min(end)..end)),
        );
    }
    match &diagnostic.advice {
        Some(given) => group.element(Title::HELP.message(super::advice(given))),
        None => group,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Style, draw};
    use crate::diagnostics::{Diagnostics, SourceText, Span};

    #[test]
    fn characters_of_several_bytes_are_marked_whole() {
        let file = Arc::new(SourceText::new("a.yaml", "a: \u{fffd}x\n"));
        let mut diagnostics = Diagnostics::default();
        diagnostics.error(&Span::new(&file, 3..3), "the file is not UTF-8 text");
        let text = draw(&diagnostics.into_sorted(), Style { enabled: false });
        assert!(text.contains("1 | a: \u{fffd}x\n  |    ^\n"), "{text}");
    }
}
