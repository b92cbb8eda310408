//! A file into a tree of nodes with their places, from the events of the parser: duplicate keys, unknown tags and
//! aliases that would grow without end are refused.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
    sync::Arc,
};

use granit_parser::{Event, Parser, ScalarStyle, StrInput, Tag};

use super::node::{Content, Node, Scalar};
use crate::diagnostics::{Diagnostics, SourceText, Span};

/// Reads a document. `None` means that it is empty, or that it is not YAML: then `diagnostics`
/// has the reason.
///
/// It is strict where YAML is lax: no `yes`/`on` booleans, no duplicate keys, no tags but those of
/// the core schema, one document.
pub fn parse(file: &Arc<SourceText>, diagnostics: &mut Diagnostics) -> Option<Node> {
    match Reader::new(file).document() {
        Ok(node) => node,
        Err(Problem { span, message }) => {
            diagnostics.error(&span, format!("not readable as YAML: {message}"));
            None
        }
    }
}

/// Most values of one file, those counted again that aliases stand for. Each takes some hundred
/// bytes while it is read, so this bounds memory; a repo of five thousand views needs half a million.
const MAX_NODES: usize = 2_000_000;

/// Deepest nesting of each of the two ways to write collections; definitions need less than ten.
const MAX_DEPTH: usize = 32;

/// Why a document cannot be read.
struct Problem {
    span: Span,
    message: String,
}

/// Makes a tree of the parser's events.
struct Reader<'a> {
    file: &'a Arc<SourceText>,
    events: Parser<'a, StrInput<'a>>,
    /// What aliases stand for, with its number of values.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn new(file: &'a Arc<SourceText>) -> Self {
        let options = granit_parser::options! {
            emit_comments: false,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        let events = Parser::new_from_str_with_options(&file.text, options);
        Self { file, events, anchors: HashMap::new(), nodes: 0 }
    }

    fn problem(&self, range: Range<usize>, message: impl Into<String>) -> Problem {
        Problem { span: Span::new(self.file, range), message: message.into() }
    }

    fn next(&mut self) -> Result<(Event<'a>, Range<usize>), Problem> {
        let end = self.file.text.len();
        match self.events.next() {
            Some(Ok((event, place))) => Ok((event, place.byte_range().unwrap_or(end..end))),
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or(end);
                Err(self.problem(at..at, error.info().replace('\n', " ")))
            }
            None => Err(self.problem(end..end, "the document is not complete")),
        }
    }

    fn document(mut self) -> Result<Option<Node>, Problem> {
        let mut document = None;
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
                (Event::StreamEnd, _) => return Ok(document),
                (_, range) if document.is_some() => return Err(self.problem(range, "a file holds one document")),
                (event, range) => document = Some(self.node(event, range)?),
            }
        }
    }

    /// The value that an event begins.
    fn node(&mut self, event: Event<'a>, range: Range<usize>) -> Result<Node, Problem> {
        let before = self.nodes;
        self.count(1, &range)?;
        let (content, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = scalar(text.into_owned(), style, tag.as_deref());
                (Content::Scalar(scalar.ok_or_else(|| self.problem(range.clone(), UNKNOWN_TAG))?), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", &range)?;
                (Content::List(self.list()?), anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", &range)?;
                (Content::Mapping(self.mapping()?), anchor)
            }
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id).cloned() else {
                    return Err(self.problem(range, "the alias stands for what it is a part of"));
                };
                self.count(size, &range)?;
                return Ok(node);
            }
            _ => return Err(self.problem(range, "a value is missing")),
        };
        let node = Node { span: Span::new(self.file, range.clone()), content };
        if anchor != 0 {
            let size = self.nodes - before;
            self.count(size, &range)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn count(&mut self, nodes: usize, range: &Range<usize>) -> Result<(), Problem> {
        self.nodes += nodes;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        Err(self.problem(range.clone(), format!("a file may not hold more than {MAX_NODES} values")))
    }

    fn check_tag(&self, tag: Option<&Tag>, own: &str, range: &Range<usize>) -> Result<(), Problem> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema_tag(own) => Err(self.problem(range.clone(), UNKNOWN_TAG)),
            _ => Ok(()),
        }
    }

    fn list(&mut self) -> Result<Vec<Node>, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, range) => items.push(self.node(event, range)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<Vec<(Node, Node)>, Problem> {
        let (mut entries, mut merged) = (Vec::new(), Vec::new());
        loop {
            let (event, range) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let merges = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key = self.node(event, range)?;
            if key.scalar().is_none() {
                return Err(Problem { span: key.span, message: "a key must be a plain value".to_owned() });
            }
            let (event, range) = self.next()?;
            let value = self.node(event, range)?;
            if merges { merged.push(value) } else { entries.push((key, value)) }
        }
        check_unique(&entries)?;
        if !merged.is_empty() {
            merge(&mut entries, merged)?;
        }
        Ok(entries)
    }
}

const UNKNOWN_TAG: &str = "the tag before this value is none that is known here, or does not fit the value";

/// A single value; `None` if its tag does not fit.
fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Option<Scalar> {
    let plain = || Some(Scalar::plain(&text));
    let Some(tag) = tag else {
        return if style == ScalarStyle::Plain { plain() } else { Some(Scalar::Text(text)) };
    };
    let fits = |scalar: &Scalar, tag: &str| {
        matches!(
            (scalar, tag),
            (Scalar::Null, "null")
                | (Scalar::Bool(_), "bool")
                | (Scalar::Integer(_), "int" | "float")
                | (Scalar::Float(_), "float")
        )
    };
    match tag.core_suffix()? {
        "str" => Some(Scalar::Text(text)),
        other => plain().filter(|scalar| fits(scalar, other)),
    }
}

/// A key as it is compared with others.
fn name_of(key: &Node) -> &str {
    key.as_text().unwrap_or_else(|| key.span.text())
}

fn check_unique(entries: &[(Node, Node)]) -> Result<(), Problem> {
    let mut names: Vec<&str> = entries.iter().map(|(key, _)| name_of(key)).collect();
    names.sort_unstable();
    let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]) else { return Ok(()) };
    let again = entries.iter().rfind(|(key, _)| name_of(key) == twice);
    again.map_or(Ok(()), |(key, _)| {
        Err(Problem { span: key.span.clone(), message: format!("duplicate mapping key: {twice}") })
    })
}

/// Adds the entries that `<<` names. What is written in the mapping itself goes before them, and
/// what is named first before what is named later.
fn merge(entries: &mut Vec<(Node, Node)>, merged: Vec<Node>) -> Result<(), Problem> {
    let mut names: BTreeSet<String> = entries.iter().map(|(key, _)| name_of(key).to_owned()).collect();
    let mut add = |node: Node| match node.content {
        Content::Mapping(others) => {
            entries.extend(others.into_iter().filter(|(key, _)| names.insert(name_of(key).to_owned())));
            Ok(())
        }
        _ => Err(Problem { span: node.span, message: "`<<` takes a mapping, or a list of mappings".to_owned() }),
    };
    for node in merged {
        match node.content {
            Content::List(nodes) => nodes.into_iter().try_for_each(&mut add)?,
            _ => add(node)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Node>, Vec<crate::diagnostics::Diagnostic>) {
        let file = Arc::new(SourceText::new("t.yaml", text));
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
        let keys = (0..1000).map(|n| format!("k{n}: 1, ")).collect::<String>();
        let merges = format!("a: &a {{{keys}}}\nb:\n{}", "  - {<<: *a}\n".repeat(1_000));
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
    }

    #[test]
    fn aliases_and_merges_stand_for_what_they_name() {
        let (node, found) =
            read("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc:\n  <<: [{z: 4, x: 5}, *a]\nd: [&n 7, *n]\ne: {'<<': 1}\n");
        assert!(found.is_empty(), "{found:?}");
        let node = node.unwrap();
        let entries = node.entries().unwrap();
        let written = |index: usize| {
            let entries = entries[index].1.entries().unwrap();
            entries.iter().map(|(key, value)| format!("{}={}", key.span.text(), value.span.text())).collect::<Vec<_>>()
        };
        assert_eq!(written(1), ["y=3", "x=1"]);
        assert_eq!(written(2), ["z=4", "x=5", "y=2"]);
        assert_eq!(written(4), ["'<<'=1"]);
        let Content::List(items) = &entries[3].1.content else { panic!() };
        assert_eq!(items[1].scalar(), Some(&Scalar::Integer(7)));
        for wrong in ["a: {<<: 1}\n", "a: {<<: [1]}\n", "a: 1\n--- \nb: 2\n", "a: !!int x\n", "a: !!seq {}\n"] {
            assert_eq!(read(wrong).1.len(), 1, "{wrong}");
        }
        let scalar = |text: &str| read(text).0.unwrap().entries().unwrap()[0].1.scalar().cloned().unwrap();
        assert_eq!(scalar("a: !!str 7"), Scalar::Text("7".into()));
        assert_eq!(scalar("a: !!int '7'"), Scalar::Integer(7));
    }
}
