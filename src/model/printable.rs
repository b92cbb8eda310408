use std::borrow::Cow;

/// A text from elsewhere as it can be printed on one line: control characters, which could end the line or command the
/// terminal, are escaped.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("ünï `x`\\n"), "ünï `x`\\n");
        assert_eq!(printable("a\n::error::\u{1b}[2J\0é"), "a\\n::error::\\u{1b}[2J\\u{0}é");
    }
}
