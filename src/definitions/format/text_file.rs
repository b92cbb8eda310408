//! What definitions say about files that have no types of their own.

use std::fmt::Write as _;

use chrono::{
    DateTime,
    format::{Item, Parsed, StrftimeItems, parse},
};
use serde_json::{Value, json};

use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    model::FileSource,
    yaml::{Node, Read, Schemas},
};

/// The character between the fields of a CSV file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delimiter(pub char);

impl Read for Delimiter {
    const EXPECTED: &'static str = "a character such as ;";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        let delimiter = FileSource::parse_delimiter(&text);
        if delimiter.is_none() {
            let help = "use one ASCII character that is not a letter, digit or quote, such as `;`, or the word `tab`";
            let message = format!("`{}` cannot separate fields", text.escape_debug());
            diagnostics.error_with_help(&node.span, message, help.to_owned());
        }
        delimiter.map(Self)
    }

    fn schema(_: &mut Schemas) -> Value {
        json!({ "anyOf": [{ "const": "tab" }, { "type": "string", "minLength": 1, "maxLength": 1 }] })
    }
}

/// How times are written, as the model has it: empty for ISO 8601, a word, or a pattern.
#[derive(Debug, Clone)]
pub(crate) struct TimestampFormat(pub String);

/// The word for ISO 8601.
const ISO: &str = "iso";

impl Read for TimestampFormat {
    const EXPECTED: &'static str = "a way to write times such as epoch_seconds";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        if text == ISO {
            return Some(Self(String::new()));
        }
        if FileSource::EPOCH_FORMATS.contains(&text.as_str()) {
            return Some(Self(text));
        }
        let (problem, help) = if text.contains('%') {
            let Some(problem) = problem_of_pattern(&text) else { return Some(Self(text)) };
            (problem, Some("write it like `%Y-%m-%d %H:%M:%S`".to_owned()))
        } else {
            let words = std::iter::once(ISO).chain(FileSource::EPOCH_FORMATS);
            let help = did_you_mean(&text, words).map(|help| format!("{help}; or write a pattern such as `%d.%m.%Y`"));
            (format!("there is no timestamp format `{text}`"), help)
        };
        diagnostics.error_with_help(&node.span, problem, help);
        None
    }

    fn schema(_: &mut Schemas) -> Value {
        let words: Vec<&str> = std::iter::once(ISO).chain(FileSource::EPOCH_FORMATS).collect();
        json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": "%" }] })
    }
}

/// Why a pattern of strftime cannot be read: it has a part that nobody knows, or does not say which day it is.
fn problem_of_pattern(pattern: &str) -> Option<String> {
    let items: Vec<Item<'_>> = StrftimeItems::new(pattern).collect();
    if items.contains(&Item::Error) {
        return Some(format!("`{pattern}` has a part that no pattern of times knows"));
    }
    // What is written by the pattern must be read by it again, and give a day.
    let sample = DateTime::from_timestamp(SAMPLE_SECONDS, SAMPLE_NANOS)?;
    let mut written = String::new();
    let mut parsed = Parsed::new();
    let is_written = write!(written, "{}", sample.format_with_items(items.iter())).is_ok();
    if !is_written || parse(&mut parsed, &written, items.iter()).is_err() {
        return Some(format!("times written as `{pattern}` cannot be read again"));
    }
    let has_day = parsed.to_naive_date().is_ok() || parsed.timestamp().is_some();
    (!has_day).then(|| format!("times written as `{pattern}` do not say which day it is"))
}

/// Some moment in 2026 whose parts all differ.
const SAMPLE_SECONDS: i64 = 1_794_497_723;
const SAMPLE_NANOS: u32 = 123_456_789;

#[cfg(test)]
mod tests {
    use crate::{
        definitions::testing::{each, findings, repo},
        model::{DataSource, FileSource, SourceKind},
    };

    fn file(keys: &str) -> FileSource {
        let repo = repo(&format!("data_sources:\n  - {{type: file, path: x, timestamp_field: at, {keys}}}\n"));
        let [source] = each::<DataSource, 1>(&repo);
        match &source.kind {
            SourceKind::File(file) => file.clone(),
            other => panic!("{other}"),
        }
    }

    fn refused(keys: &str) -> String {
        let text = format!("data_sources:\n  - {{type: file, path: x, timestamp_field: at, {keys}}}\n");
        findings(&text).join("; ")
    }

    #[test]
    fn delimiters_are_a_character_or_a_word() {
        for (written, meant) in [("';'", ';'), ("'|'", '|'), ("tab", '\t'), (r#""\t""#, '\t'), (r#""\x01""#, '\u{1}')] {
            assert_eq!(file(&format!("file_format: csv, delimiter: {written}")).delimiter, Some(meant));
        }
        assert_eq!(file("file_format: csv").delimiter, None);
        for wrong in ["';;'", "''", "x", "'é'", r#""\n""#, r#"'"'"#] {
            let found = refused(&format!("file_format: csv, delimiter: {wrong}"));
            assert!(found.contains("cannot separate fields"), "{wrong}: {found}");
        }
        assert_eq!(refused("delimiter: ';'"), "only CSV files have a `delimiter`, and these are parquet");
    }

    #[test]
    fn times_are_iso_numbers_or_a_pattern() {
        for word in FileSource::EPOCH_FORMATS {
            assert_eq!(file(&format!("timestamp_format: {word}")).timestamp_format, word);
        }
        assert_eq!(file("timestamp_format: iso").timestamp_format, "", "the default is not said");
        for pattern in ["%d.%m.%Y %H:%M", "%Y-%j", "%s", "%m/%d/%y", "%Y-%m-%dT%H:%M:%S%.f%z", "%d %b %Y %I:%M %p"] {
            assert_eq!(file(&format!("timestamp_format: '{pattern}'")).timestamp_format, pattern);
        }
        assert_eq!(refused("timestamp_format: epoch_second"), "there is no timestamp format `epoch_second`");
        assert_eq!(refused("timestamp_format: '%H:%M'"), "times written as `%H:%M` do not say which day it is");
        let unknown = refused("timestamp_format: '%Y-%m-%d %Q'");
        assert_eq!(unknown, "`%Y-%m-%d %Q` has a part that no pattern of times knows");
        assert!(refused("file_format: delta, timestamp_format: epoch_seconds").starts_with("Delta tables have times"));
    }
}
