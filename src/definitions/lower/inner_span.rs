use crate::{diagnostics::Span, yaml::Spanned};

/// Where in the file a part of a text value stands: from character `start` of the value up to `end`.
/// The whole value, where YAML's escapes make the part impossible to find.
pub(crate) fn span_inside(value: &Spanned<String>, start: usize, end: usize) -> Span {
    let last = end.max(start + 1) - 1;
    match (source_offset(value, start), source_offset(value, last)) {
        (Some(first), Some(last)) if first <= last => {
            let width = value.span.file.text[last..].chars().next().map_or(0, char::len_utf8);
            Span::new(&value.span.file, first..last + width)
        }
        _ => value.span.clone(),
    }
}

/// The byte of the file that character `index` of the value stands at.
///
/// Folding, indentation and quotes change nothing but blanks, so the characters between them are
/// found again in their order.
fn source_offset(value: &Spanned<String>, index: usize) -> Option<usize> {
    let raw = value.span.text();
    let wanted = value.value.chars().nth(index)?;
    // Blanks are not counted: the place before a blank is that of what follows.
    let before = value.value.chars().take(index).filter(|c| !c.is_whitespace()).count();
    if wanted.is_whitespace() {
        return None;
    }
    let quote = raw.chars().next().filter(|c| ['"', '\''].contains(c));
    let content = match raw.chars().next()? {
        '"' | '\'' => 1,
        // A block starts behind its first line, which may hold indicators and a comment.
        '|' | '>' => raw.find('\n')?,
        _ => 0,
    };
    let mut expected = value.value.chars().filter(|c| !c.is_whitespace());
    let mut characters = raw[content..].char_indices().filter(|(_, c)| !c.is_whitespace()).peekable();
    let mut seen = 0;
    loop {
        let meant = expected.next()?;
        let (mut at, mut found) = characters.next()?;
        if quote == Some('"') && found == '\\' {
            (at, found) = characters.next()?;
        }
        if found != meant {
            return None;
        }
        if quote == Some('\'') && found == '\'' {
            characters.next();
        }
        if seen == before {
            return Some(value.span.range.start + content + at);
        }
        seen += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        diagnostics::{Diagnostics, SourceText},
        yaml::{self, Read},
    };

    /// The text and place of `part` inside the value of `a`.
    fn find(yaml: &str, part: &str) -> (String, (usize, usize)) {
        let file = Arc::new(SourceText::new("t.yaml", yaml));
        let mut diagnostics = Diagnostics::default();
        let node = yaml::parse(&file, &mut diagnostics).unwrap();
        let value = Spanned::<String>::read(&node.entries().unwrap()[0].1, &mut diagnostics).unwrap();
        let start = value.value[..value.value.find(part).unwrap()].chars().count();
        let span = span_inside(&value, start, start + part.chars().count());
        (span.text().to_owned(), span.line_column())
    }

    #[test]
    fn parts_are_found_in_every_style() {
        for (yaml, line, column) in [
            ("a: x + conv\n", 1, 8),
            ("a:   x + 1 +\n    conv\n", 2, 5),
            ("a: 'x || '' '' || conv'\n", 1, 19),
            ("a: \"x || \\\"q\\\" || conv\"\n", 1, 19),
            ("a: |\n  é +\n  x + conv\n", 3, 7),
            ("a: >-\n    x +\n    conv\n", 3, 5),
            ("a: |2 # note\n  x +\n   conv\n", 3, 4),
        ] {
            assert_eq!(find(yaml, "conv"), ("conv".to_owned(), (line, column)), "{yaml}");
        }
    }

    #[test]
    fn the_whole_value_stands_for_what_cannot_be_found() {
        assert_eq!(find("a: \"\\x41 + conv\"\n", "conv").1, (1, 4));
    }
}
