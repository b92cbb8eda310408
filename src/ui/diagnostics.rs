use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};

use super::Style;
use crate::{
    diagnostics::{Diagnostic, Severity},
    model::printable,
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
        let file = diagnostic.span.as_ref().map(|span| without_passwords(&span.file.text)).unwrap_or_default();
        text.push_str(&renderer.render(&[group(diagnostic, &file)]));
        text.push_str("\n\n");
    }
    if left_out > 0 {
        text.push_str(&format!("… and {left_out} more\n\n"));
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
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
        diagnostics.iter().partition(|diagnostic| diagnostic.severity == Severity::Error);
    (errors.into_iter().chain(warnings).take(MOST).collect(), left_out)
}

/// The text of a file with passwords starred out, byte for byte, so that positions stay.
fn without_passwords(text: &str) -> String {
    const SECRET_KEYS: [&str; 4] = ["password", "secret", "token", "passwd"];
    let mut hidden = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let key = line.split([':', '=']).next().unwrap_or_default().to_ascii_lowercase();
        let secret = if SECRET_KEYS.iter().any(|word| key.contains(word)) {
            // Everything behind the key.
            line.find([':', '=']).map(|at| at + 1..line.trim_end().len())
        } else {
            url_password(line).or_else(|| assigned_password(line)).or_else(|| behind_servers(line))
        };
        match secret.filter(|range| range.start < range.end) {
            Some(range) => {
                hidden.push_str(&line[..range.start]);
                hidden.push_str(&"*".repeat(range.len()));
                hidden.push_str(&line[range.end..]);
            }
            None => hidden.push_str(line),
        }
    }
    hidden
}

/// Where the password of `scheme://user:password@host` is in a line.
fn url_password(line: &str) -> Option<std::ops::Range<usize>> {
    let start = line.find("://")? + 3;
    let end = line[start..].find(char::is_whitespace).map_or(line.len(), |at| start + at);
    let at = start + line[start..end].rfind('@')?;
    let colon = start + line[start..at].find(':')?;
    Some(colon + 1..at)
}

/// Where the keywords of a connection string are in a line: one of them may be a misspelled `password`.
fn behind_servers(line: &str) -> Option<std::ops::Range<usize>> {
    let name = line.find("connection_string")?;
    let start = name + line[name..].find('=')? + 1;
    Some(start..line.trim_end().len())
}

/// Where the password of `{host: …, password: …}` or of a connection string such as
/// `host:6379,password=…` is in a line.
fn assigned_password(line: &str) -> Option<std::ops::Range<usize>> {
    let name = line.find("password")?;
    let start = name + line[name..].find([':', '='])? + 1;
    // It may hold a comma, so nothing behind it is shown.
    Some(start..line.trim_end().len())
}

fn group<'a>(diagnostic: &'a Diagnostic, text: &'a str) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(printable(&diagnostic.message)));
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
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Style, draw, without_passwords};
    use crate::diagnostics::{Diagnostics, SourceText, Span};

    #[test]
    fn characters_of_several_bytes_are_marked_whole() {
        let file = Arc::new(SourceText::new("a.yaml", "a: \u{fffd}x\n"));
        let mut diagnostics = Diagnostics::default();
        diagnostics.error(&Span::new(&file, 3..3), "the file is not UTF-8 text");
        let text = draw(&diagnostics.into_sorted(), Style { enabled: false });
        assert!(text.contains("1 | a: \u{fffd}x\n  |    ^\n"), "{text}");
    }

    #[test]
    fn passwords_are_starred_out() {
        assert_eq!(without_passwords("path: pg://u:s3:c@ret@db/x\n"), "path: pg://u:********@db/x\n");
        assert_eq!(without_passwords("  password: abc\nport: 1\n"), "  password:****\nport: 1\n");
        assert_eq!(without_passwords("s: h:1,password=a,b,db=0\n"), "s: h:1,password=********\n");
        assert_eq!(without_passwords("s: {u: v, \"password\": a, b: c}\n"), "s: {u: v, \"password\":*********\n");
        assert_eq!(without_passwords("connection_string: h:1,pasword=a\n"), "connection_string: h:1,pasword=*\n");
        assert_eq!(without_passwords("url: https://host/path\n"), "url: https://host/path\n");
    }
}
