//! Lineage in the language of Graphviz.

use std::fmt::Write as _;

use super::{edges, numbers, some_features};
use crate::{
    discovery::Excerpt,
    model::{ObjectKind, printable},
};

/// A graph from left to right, from sources to what is made of them.
pub fn draw(excerpt: &Excerpt) -> String {
    let numbers = numbers(excerpt);
    let mut dot = "digraph lineage {\n  rankdir=LR;\n  node [fontname=\"sans-serif\", shape=box];\n  edge \
                   [fontname=\"sans-serif\", fontsize=10];\n"
        .to_owned();
    for (number, node) in excerpt.nodes.iter().enumerate() {
        let mut lines = vec![node.id.kind.as_str().to_owned(), node.id.name.clone()];
        let mut style = vec!["rounded"];
        if number == 0 {
            style.push("bold");
            lines.extend(excerpt.focus.feature.clone());
        }
        if !node.registered {
            style.push("dashed");
            lines.push("not registered".to_owned());
        }
        let label = lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("\\n");
        let (style, shape) = (style.join(","), shape(node.id.kind));
        // Writing to a text cannot fail.
        let _ = writeln!(dot, "  n{number} [label=\"{label}\", shape={shape}, style=\"{style}\"];");
    }
    for edge in edges(excerpt) {
        let (Some(from), Some(to)) = (numbers.get(&edge.from), numbers.get(&edge.to)) else { continue };
        let label = some_features(edge).map(|text| format!(" [label=\"{}\"]", escaped(&text))).unwrap_or_default();
        let _ = writeln!(dot, "  n{from} -> n{to}{label};");
    }
    dot.push_str("}\n");
    dot
}

const fn shape(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::DataSource | ObjectKind::SavedDataset => "cylinder",
        ObjectKind::Entity => "ellipse",
        ObjectKind::FeatureService => "component",
        _ => "box",
    }
}

/// A text within quotes.
fn escaped(text: &str) -> String {
    printable(text).replace('\\', "\\\\").replace('"', "\\\"")
}
