//! The tree of a YAML document, and which type a plain text has.

use crate::diagnostics::Span;

/// A piece of a YAML document with its place in the file.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub content: Content,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// A single value.
    Scalar(Scalar),
    /// Values in order.
    List(Vec<Node>),
    /// Entries in file order; keys are unique.
    Mapping(Vec<(Node, Node)>),
}

/// A single value as YAML types it; the text behind it is that of the span.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `null`, or nothing written.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Everything else, and what stands in quotes.
    Text(String),
}

impl Scalar {
    /// What a text without quotes stands for, by the core schema of YAML 1.2. Numbers that are not
    /// finite stay texts: nothing in a repo takes them.
    pub fn plain(text: &str) -> Self {
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        match text.as_bytes().first() {
            None | Some(b'~') if text.len() < 2 => Self::Null,
            Some(b'n' | b'N') if is("null") => Self::Null,
            Some(b't' | b'T') if is("true") => Self::Bool(true),
            Some(b'f' | b'F') if is("false") => Self::Bool(false),
            Some(b'0'..=b'9' | b'+' | b'-' | b'.') => integer(text)
                .map(Self::Integer)
                .or_else(|| float(text).map(Self::Float))
                .unwrap_or_else(|| Self::Text(text.to_owned())),
            _ => Self::Text(text.to_owned()),
        }
    }
}

fn integer(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, radix) = match unsigned.get(..2) {
        Some("0x") => (&unsigned[2..], 16),
        Some("0o") => (&unsigned[2..], 8),
        _ => (unsigned, 10),
    };
    // Written as 007 it may be meant as anything.
    let padded = radix == 10 && digits.len() > 1 && digits.starts_with('0');
    if padded || digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(digits, radix).ok()?);
    i64::try_from(if text.starts_with('-') { -magnitude } else { magnitude }).ok()
}

fn float(text: &str) -> Option<f64> {
    // Rust also knows words such as `infinity`.
    let is_number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    if is_number { text.parse().ok().filter(|value: &f64| value.is_finite()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_texts_are_typed_as_yaml_1_2_does() {
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(Scalar::plain(text), Scalar::Null, "{text}");
        }
        assert_eq!(Scalar::plain("True"), Scalar::Bool(true));
        assert_eq!(Scalar::plain("false"), Scalar::Bool(false));
        for (text, value) in [
            ("0", 0),
            ("+7", 7),
            ("-12", -12),
            ("0x1F", 31),
            ("-0o17", -15),
            ("-9223372036854775808", i64::MIN),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(Scalar::plain(text), Scalar::Integer(value), "{text}");
        }
        for (text, value) in [
            ("1.50", 1.5),
            ("-.5", -0.5),
            ("1.", 1.0),
            ("1e3", 1e3),
            ("9223372036854775808", 9_223_372_036_854_775_808.0),
        ] {
            assert_eq!(Scalar::plain(text), Scalar::Float(value), "{text}");
        }
        for text in [
            "yes",
            "no",
            "on",
            "y",
            "nan",
            "inf",
            "-inf",
            ".inf",
            ".nan",
            "1e999",
            "1_000",
            "--1",
            "+-1",
            "0x",
            "0x-1",
            "1.2.3",
            "2026-01-01",
            "12:30",
            "e",
            ".",
            "-",
            "+",
            "~~",
            "nullable",
            "-infinity",
            "1d",
        ] {
            assert_eq!(Scalar::plain(text), Scalar::Text(text.to_owned()), "{text}");
        }
    }
}
