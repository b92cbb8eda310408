use std::fmt::{self, Write};

/// A text out of data as a message shows it: control characters, which could change what a terminal
/// shows, are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if character.is_control() { write!(f, "{}", character.escape_default()) } else { f.write_char(character) }?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(
            Printable("žluť \\ \"a\"\0\u{1b}[2J\n\u{9b}").to_string(),
            "žluť \\ \"a\"\\u{0}\\u{1b}[2J\\n\\u{9b}"
        );
    }
}
