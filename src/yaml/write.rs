//! Objects as YAML a person would write.

use std::fmt::Write as _;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A value to be written as YAML (or as JSON, with the same keys and values).
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<Tree>),
    /// Entries in the order they are written; no key twice.
    Mapping(Vec<(String, Tree)>),
    /// A list or mapping that is short enough to stand on one line.
    Inline(Box<Tree>),
}

impl Tree {
    /// A list of texts, on one line where that is short.
    pub fn texts(texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::List(texts.into_iter().map(|text| Self::Text(text.into())).collect()).inline_if_short()
    }

    /// The tree on one line where that is short enough to be read at a glance.
    pub fn inline_if_short(self) -> Self {
        const LONGEST: usize = 100;
        let mut line = String::new();
        write_inline(&self, &mut line);
        if line.len() <= LONGEST { Self::Inline(Box::new(self)) } else { self }
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Mapping(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Inline(tree) => tree.serialize(serializer),
        }
    }
}

/// `key:` with its value as a document, an empty line between items of several lines.
pub fn write_collection(key: &str, value: &Tree) -> String {
    let mut text = String::new();
    let Tree::List(items) = value else {
        write_entry(key, value, 0, &mut text);
        return text;
    };
    let mut separate = false;
    for item in items {
        let mut lines = String::new();
        write_item(item, 2, &mut lines);
        let is_long = lines.lines().count() > 1;
        if !text.is_empty() && (separate || is_long) {
            text.push('\n');
        }
        text.push_str(&lines);
        separate = is_long;
    }
    if items.is_empty() { format!("{key}: []\n") } else { format!("{key}:\n{text}") }
}

/// `key: value` with its line end.
fn write_entry(key: &str, value: &Tree, indent: usize, out: &mut String) {
    let _ = write!(out, "{:indent$}{}:", "", scalar(key, Place::Flow));
    write_value(value, indent, out);
}

/// What stands behind a key: on the same line, or on the following ones.
fn write_value(value: &Tree, indent: usize, out: &mut String) {
    match value {
        Tree::List(items) if !items.is_empty() => {
            out.push('\n');
            for item in items {
                write_item(item, indent + 2, out);
            }
        }
        Tree::Mapping(entries) if !entries.is_empty() => {
            out.push('\n');
            for (key, value) in entries {
                write_entry(key, value, indent + 2, out);
            }
        }
        Tree::Text(text) if is_block(text) => write_block(text, indent + 2, out),
        Tree::Text(text) => {
            let _ = writeln!(out, " {}", scalar(text, Place::Block));
        }
        short => {
            out.push(' ');
            write_inline(short, out);
            out.push('\n');
        }
    }
}

/// An item of a list, its first key beside the dash.
fn write_item(item: &Tree, indent: usize, out: &mut String) {
    let _ = write!(out, "{:indent$}-", "");
    match item {
        Tree::Mapping(entries) if !entries.is_empty() => {
            let mut lines = String::new();
            for (key, value) in entries {
                write_entry(key, value, indent + 2, &mut lines);
            }
            out.push(' ');
            out.push_str(lines.trim_start_matches(' '));
        }
        other => write_value(other, indent, out),
    }
}

fn write_inline(value: &Tree, out: &mut String) {
    match value {
        Tree::Null => out.push_str("null"),
        Tree::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        Tree::Integer(value) => {
            let _ = write!(out, "{value}");
        }
        // Debug keeps the point, without which the number would be another type.
        Tree::Float(value) => {
            let _ = write!(out, "{value:?}");
        }
        Tree::Text(text) => out.push_str(&scalar(text, Place::Flow)),
        Tree::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_inline(item, out);
            }
            out.push(']');
        }
        Tree::Mapping(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                let separator = if index == 0 { "" } else { ", " };
                let _ = write!(out, "{separator}{}: ", scalar(key, Place::Flow));
                write_inline(value, out);
            }
            out.push('}');
        }
        Tree::Inline(tree) => write_inline(tree, out),
    }
}

/// Where a text stands: between brackets (and as a key) more characters have a meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Block,
    Flow,
}

/// A text on one line, in quotes where YAML would read something else.
fn scalar(text: &str, place: Place) -> String {
    if is_plain(text, place) {
        text.to_owned()
    } else if text.chars().all(is_printable) && text.contains(['\\', '"']) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        let mut quoted = String::from("\"");
        for c in text.chars() {
            match c {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '\t' => quoted.push_str("\\t"),
                c if is_printable(c) => quoted.push(c),
                c => {
                    let number = u32::from(c);
                    let _ = match number {
                        0..=0xff => write!(quoted, "\\x{number:02x}"),
                        0x100..=0xffff => write!(quoted, "\\u{number:04x}"),
                        _ => write!(quoted, "\\U{number:08x}"),
                    };
                }
            }
        }
        quoted.push('"');
        quoted
    }
}

/// Whether a character may stand in a file as it is, inside a line.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a text needs no quotes: no reader of YAML 1.1 or 1.2 takes it for anything else.
fn is_plain(text: &str, place: Place) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let Some(first) = text.chars().next() else { return false };
    if first.is_ascii_digit() {
        return is_span(text);
    }
    (first.is_alphabetic() || matches!(first, '_' | '/' | '('))
        && text.chars().all(is_printable)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !(place == Place::Flow && text.contains([',', '[', ']', '{', '}', ':', '?', '"', '\'']))
        && !WORDS.contains(&text.to_lowercase().as_str())
}

/// Whether a text that starts with a digit is a duration, which cannot be taken for a number.
fn is_span(text: &str) -> bool {
    text.ends_with(['d', 'h', 'm', 's']) && text.chars().all(|c| c.is_ascii_digit() || "dhmsu".contains(c))
}

/// Whether a text reads best, and exactly, as a literal block.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.ends_with('\n')
        && body.chars().all(|c| c == '\n' || is_printable(c))
        && body.lines().all(|line| !line.starts_with(' ') || !line.trim().is_empty())
        && !body.starts_with([' ', '\n'])
}

fn write_block(text: &str, indent: usize, out: &mut String) {
    out.push_str(if text.ends_with('\n') { " |\n" } else { " |-\n" });
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        if line.is_empty() {
            out.push('\n');
        } else {
            let _ = writeln!(out, "{:indent$}{line}", "");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        diagnostics::{Diagnostics, SourceText},
        yaml::{Content, Node, Scalar, parse},
    };

    fn text(text: &str) -> Tree {
        Tree::Text(text.to_owned())
    }

    fn mapping<const N: usize>(entries: [(&str, Tree); N]) -> Tree {
        Tree::Mapping(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    fn read(written: &str) -> Node {
        let file = Arc::new(SourceText::new("t.yaml", written));
        let mut diagnostics = Diagnostics::default();
        let node = parse(&file, &mut diagnostics);
        assert!(!diagnostics.has_errors(), "{written}\n{:?}", diagnostics.into_sorted());
        node.unwrap()
    }

    fn same(tree: &Tree, node: &Node) -> bool {
        match (tree, &node.content) {
            (Tree::Inline(tree), _) => same(tree, node),
            (Tree::Null, Content::Scalar(Scalar::Null)) => true,
            (Tree::Bool(a), Content::Scalar(Scalar::Bool(b))) => a == b,
            (Tree::Integer(a), Content::Scalar(Scalar::Integer(b))) => a == b,
            (Tree::Float(a), Content::Scalar(Scalar::Float(b))) => a == b,
            (Tree::Text(a), Content::Scalar(Scalar::Text(b))) => a == b,
            (Tree::List(a), Content::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
            (Tree::Mapping(a), Content::Mapping(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b).all(|((key, a), (name, b))| name.as_text() == Some(key) && same(a, b))
            }
            _ => false,
        }
    }

    #[test]
    fn documents_read_as_people_write_them() {
        let view = mapping([
            ("name", text("driver_hourly_stats")),
            ("entities", Tree::texts(["driver"])),
            ("ttl", text("1d12h")),
            (
                "schema",
                Tree::List(vec![
                    Tree::Inline(Box::new(mapping([("name", text("a")), ("dtype", text("Float32"))]))),
                    Tree::Inline(Box::new(mapping([("name", text("b")), ("description", text("x, y"))]))),
                ]),
            ),
            ("description", text("two\nlines")),
            ("owner", text("it's me: you")),
            ("tags", mapping([("a", text("1")), ("b", text("yes")), ("c d", text("\\d+"))])),
        ]);
        insta::assert_snapshot!(write_collection("feature_views", &Tree::List(vec![view, mapping([("name", text("x"))])])), @r#"
        feature_views:
          - name: driver_hourly_stats
            entities: [driver]
            ttl: 1d12h
            schema:
              - {name: a, dtype: Float32}
              - {name: b, description: "x, y"}
            description: |-
              two
              lines
            owner: "it's me: you"
            tags:
              a: "1"
              b: "yes"
              c d: '\d+'

          - name: x
        "#);
    }

    /// Characters that mean something in YAML, and some that may not stand in a file.
    fn nasty() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => "[a-z0-9 ]{0,4}",
            4 => proptest::sample::select(vec![
                ": ", ":", " #", "#", "- ", "-", "? ", "&a", "*a", "!t", "|", ">", "%", "@", "`", "'", "\"", "\\", "{", "}",
                "[", "]", ",", "\n", "\n\n", "\r", "\r\n", "\t", " ", "  ", "\n ", "\0", "\u{7}", "\u{85}", "\u{a0}",
                "\u{2028}", "\u{feff}", "\u{1f600}", "ä", "null", "~", "true", "No", "1", "0x1f", "1_000", "1e5", ".5",
                ".inf", "2026-01-01", "12:30:45", "=", "<<", "---", "...", "${HOME}", "1d",
            ]).prop_map(str::to_owned),
            1 => any::<char>().prop_map(|c| c.to_string()),
        ];
        proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let leaf = prop_oneof![
            6 => nasty().prop_map(Tree::Text),
            1 => Just(Tree::Null),
            1 => any::<bool>().prop_map(Tree::Bool),
            1 => any::<i64>().prop_map(Tree::Integer),
            1 => any::<f32>().prop_filter("a number", |value| value.is_finite())
                .prop_map(|value| Tree::Float(f64::from(value))),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Tree::List),
                proptest::collection::btree_map(nasty(), inner.clone(), 0..4)
                    .prop_map(|entries| Tree::Mapping(entries.into_iter().collect())),
                inner.prop_map(|tree| Tree::Inline(Box::new(tree))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(items in proptest::collection::vec(tree(), 0..4)) {
            let tree = Tree::List(items);
            let written = write_collection("key", &tree);
            let node = read(&written);
            prop_assert!(same(&tree, &node.entries().unwrap()[0].1), "{written}\n{node:?}");
        }
    }
}
