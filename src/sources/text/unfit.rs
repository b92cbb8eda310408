//! Texts that do not fit.

use crate::{diagnostics::with_article, model::printable};

/// A text that is not a value of the type it is read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {}", with_article(.expected))]
pub(crate) struct Unfit {
    /// The beginning of the text, on one line.
    pub text: String,
    /// What it should be, such as `Int64` or `time`.
    pub expected: String,
}

impl Unfit {
    pub(super) fn new(text: &str, expected: &str) -> Self {
        Self { text: excerpt(text), expected: expected.to_owned() }
    }
}

/// Enough of a text to recognise it by.
fn excerpt(text: &str) -> String {
    const LENGTH: usize = 60;
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", printable(&text[..end])),
        None => printable(text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_and_control_characters_escaped() {
        assert_eq!(Unfit::new("a\nb", "Int64").to_string(), "`a\\nb` is not an Int64");
        let long = "é".repeat(61);
        assert_eq!(Unfit::new(&long, "time").text, format!("{}…", "é".repeat(60)));
        assert_eq!(Unfit::new(&long[2..], "time").text, "é".repeat(60));
    }
}
