use std::{fmt, sync::Arc};

use serde::{
    Deserialize,
    de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_yaml::{DuplicateKeyPolicy, MergeKeyPolicy, Options};

use crate::diagnostics::{Diagnostics, SourceText, Span};

/// A piece of a YAML document with its place in the file.
#[derive(Debug, Clone)]
pub struct Node {
    pub span: Span,
    pub content: Content,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone)]
pub enum Content {
    Scalar(Scalar),
    List(Vec<Node>),
    /// Entries in file order; keys are unique.
    Mapping(Vec<(Node, Node)>),
}

/// A single value as YAML types it; the text behind it is that of the span.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
}

/// Reads a document. `None` means that it is empty, or that it is no YAML: then `diagnostics`
/// has the reason.
pub fn parse(file: &Arc<SourceText>, diagnostics: &mut Diagnostics) -> Option<Node> {
    if file.text.trim().is_empty() {
        return None;
    }
    match serde_yaml::from_str_with_options::<Located>(&file.text, options()) {
        Ok(tree) => Some(attach(tree, file)),
        Err(error) => {
            let span = error
                .location()
                .and_then(|location| span_of(&location))
                .map_or_else(|| Span::new(file, file.text.len()..file.text.len()), |range| Span::new(file, range));
            let message = error.without_snippet().to_string();
            let message = message.split(" at line ").next().unwrap_or(&message).replace('\n', " ");
            // What the crate offers its caller is nothing to the person.
            let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or(&message).trim();
            diagnostics.error(&span, format!("not readable as YAML: {message}"));
            None
        }
    }
}

/// Most values of one file. Each takes some hundred bytes while it is read, so this bounds memory;
/// a repo of five thousand views needs half a million.
const MAX_NODES: usize = 2_000_000;

/// Deepest nesting; definitions need less than ten.
const MAX_DEPTH: usize = 32;

/// Strict where YAML is lax: no `yes`/`on` booleans, no duplicate keys, no unknown tags. Nesting and
/// what aliases stand for are bounded by the crate.
fn options() -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_depth: MAX_DEPTH,
        },
        strict_booleans: true,
        reject_unsupported_tags: true,
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Merge,
        with_snippet: false,
    }
}

/// A tree as the YAML crate places it, before the spans know their file.
type Located = serde_yaml::Spanned<Tree>;

enum Tree {
    Scalar(Scalar),
    List(Vec<Located>),
    Mapping(Vec<(Located, Located)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Scalar::Null))
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Scalar::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar(Scalar::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar(Scalar::Integer(value)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Tree, E> {
        i64::try_from(value)
            .map(|value| Tree::Scalar(Scalar::Integer(value)))
            .map_err(|_| E::custom(format!("the number {value} is too large")))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Scalar(Scalar::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar(Scalar::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut mapping = Vec::new();
        while let Some(key) = entries.next_key::<Located>()? {
            if !matches!(key.value, Tree::Scalar(_)) {
                return Err(A::Error::custom("a key must be a plain value"));
            }
            mapping.push((key, entries.next_value()?));
        }
        Ok(Tree::Mapping(mapping))
    }
}

fn attach(tree: Located, file: &Arc<SourceText>) -> Node {
    let span = span_of(&tree.referenced).map_or_else(|| Span::start_of(file), |range| Span::new(file, range));
    let content = match tree.value {
        Tree::Scalar(scalar) => Content::Scalar(scalar),
        Tree::List(items) => Content::List(items.into_iter().map(|item| attach(item, file)).collect()),
        Tree::Mapping(entries) => {
            Content::Mapping(entries.into_iter().map(|(key, value)| (attach(key, file), attach(value, file))).collect())
        }
    };
    Node { span, content }
}

fn span_of(location: &serde_yaml::Location) -> Option<std::ops::Range<usize>> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len().unwrap_or(0)).ok()?;
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Node>, Vec<crate::diagnostics::Diagnostic>) {
        let file = Arc::new(SourceText { path: "t.yaml".into(), text: text.to_owned() });
        let mut diagnostics = Diagnostics::default();
        let node = parse(&file, &mut diagnostics);
        (node, diagnostics.into_sorted())
    }

    #[test]
    fn every_node_knows_its_place() {
        let (node, _) = read("entities:\n  - name: dräver\n    join_keys: [a, 'b']\n    n: 1.50\n");
        let root = node.unwrap();
        let (key, list) = &root.entries().unwrap()[0];
        assert_eq!(key.span.text(), "entities");
        let Content::List(items) = &list.content else { panic!() };
        let entity = items[0].entries().unwrap();
        assert_eq!(entity[0].1.span.text(), "dräver");
        assert_eq!(entity[0].1.span.line_column(), (2, 11));
        let Content::List(keys) = &entity[1].1.content else { panic!() };
        assert_eq!(keys[1].span.text(), "'b'");
        assert_eq!(entity[2].1.scalar(), Some(&Scalar::Float(1.5)));
        assert_eq!(entity[2].1.span.text(), "1.50");
    }

    #[test]
    fn yaml_is_read_strictly() {
        let scalar =
            |text: &str| read(text).0.and_then(|node| node.entries().map(|e| e[0].1.scalar().cloned())).flatten();
        assert_eq!(scalar("a: yes"), Some(Scalar::Text("yes".into())));
        assert_eq!(scalar("a: true"), Some(Scalar::Bool(true)));
        assert_eq!(scalar("a: '7'"), Some(Scalar::Text("7".into())));
        assert_eq!(scalar("a: 7"), Some(Scalar::Integer(7)));
        assert_eq!(scalar("a:"), Some(Scalar::Null));
        assert_eq!(scalar("a: 2026-01-01"), Some(Scalar::Text("2026-01-01".into())));
        assert!(read("").0.is_none());
        assert!(read("# only a comment\n").1.is_empty());
    }

    #[test]
    fn broken_yaml_is_placed() {
        for (text, line) in [("a: [1, 2", 1), ("a: 1\na: 2\n", 2), ("a:\n  b: 1\n c: 2\n", 3), ("a: !weird 1\n", 1)] {
            let (node, found) = read(text);
            assert!(node.is_none(), "{text}");
            assert_eq!(found.len(), 1);
            assert!(found[0].span.as_ref().unwrap().line_column().0 >= line, "{text}");
        }
    }

    #[test]
    fn hostile_documents_are_refused() {
        let bomb = format!(
            "a: &a [x,x,x,x,x,x,x,x,x]\n{}",
            (0..12)
                .map(|i| {
                    let (from, to) = ((b'a' + i) as char, (b'b' + i) as char);
                    format!("{to}: &{to} [*{from},*{from},*{from},*{from},*{from},*{from},*{from},*{from},*{from}]\n")
                })
                .collect::<String>()
        );
        let merges = format!("a: &a {{x: 1}}\nb:\n{}", "  - {<<: *a}\n".repeat(60_000));
        let block = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>();
        for text in [
            bomb,
            merges,
            block,
            "[".repeat(100_000),
            "{a: ".repeat(100_000),
            "- ".repeat(100_000),
            "[x,".repeat(100_000),
            format!("a: [{}]", "x,".repeat(MAX_NODES)),
            "? ".repeat(10_000),
            "&a ".repeat(10_000),
            "--- a\n".repeat(10_000),
            "a: *a\n".to_owned(),
            "a: &a [*a]\n".to_owned(),
            "a: b\0c\n".to_owned(),
            "a:\n\t- 1\n".to_owned(),
            "a: 1\nb: 2\na: 3\n".to_owned(),
            "a: 99999999999999999999999\n: : :\n- x".to_owned(),
            "%YAML 9.9\n---\n%TAG\n".to_owned(),
            "\u{0}".to_owned(),
            "a: \"\\uD800\"\n".to_owned(),
            "a: !!binary x\n".to_owned(),
        ] {
            let (node, found) = read(&text);
            let start = text.chars().take(40).collect::<String>();
            assert!(node.is_none(), "{start:?}");
            assert_eq!(found.len(), 1, "{start:?}");
            assert!(found[0].message.starts_with("not readable as YAML: "), "{}", found[0].message);
            assert!(found[0].message.len() < 300 && found[0].span.is_some(), "{}", found[0].message);
        }
    }

    #[test]
    fn odd_but_valid_documents_are_read() {
        let (node, found) = read("\u{feff}a: 1\r\nb: [x, é]\r\nc: |\r\n  two\r\n  lines\r\n");
        assert!(found.is_empty(), "{found:?}");
        let node = node.unwrap();
        let entries = node.entries().unwrap();
        assert_eq!(entries[0].0.span.text(), "a");
        assert_eq!(entries[1].0.span.line_column(), (2, 1));
        let Content::List(items) = &entries[1].1.content else { panic!() };
        assert_eq!(items[1].span.text(), "é");
        assert_eq!(entries[2].1.scalar(), Some(&Scalar::Text("two\nlines\n".into())));
        let long = format!("a: {}\nb: \"{}\"\n", "x".repeat(2_000_000), "y".repeat(2_000_000));
        assert_eq!(read(&long).0.unwrap().entries().unwrap()[1].1.as_text().unwrap().len(), 2_000_000);
        let many = format!("a:\n{}", "  - {name: feature, dtype: Int64}\n".repeat(100_000));
        assert!(read(&many).1.is_empty());
        assert!(read("a: &x [1]\nb: *x\nc: {<<: {d: 1}}\n").1.is_empty());
    }
}
