//! Lineage in the language of Mermaid.

use std::fmt::Write as _;

use super::{edges, numbers, some_features};
use crate::{
    discovery::Excerpt,
    model::{ObjectKind, printable},
};

/// A flowchart from left to right, from sources to what is made of them.
pub fn draw(excerpt: &Excerpt) -> String {
    let numbers = numbers(excerpt);
    let mut chart = "flowchart LR\n".to_owned();
    for (number, node) in excerpt.nodes.iter().enumerate() {
        let mut lines = vec![node.id.kind.as_str().to_owned(), node.id.name.clone()];
        if number == 0 {
            lines.extend(excerpt.focus.feature.clone());
        }
        if !node.registered {
            lines.push("not registered".to_owned());
        }
        let label = lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br>");
        let (open, close) = brackets(node.id.kind);
        // Writing to a text cannot fail.
        let _ = writeln!(chart, "  n{number}{open}\"{label}\"{close}");
    }
    for edge in edges(excerpt) {
        let (Some(from), Some(to)) = (numbers.get(&edge.from), numbers.get(&edge.to)) else { continue };
        let label = some_features(edge).map(|text| format!("|\"{}\"|", escaped(&text))).unwrap_or_default();
        let _ = writeln!(chart, "  n{from} -->{label} n{to}");
    }
    chart.push_str("  style n0 stroke-width:3px\n");
    for (number, _) in excerpt.nodes.iter().enumerate().filter(|(_, node)| !node.registered) {
        let _ = writeln!(chart, "  style n{number} stroke-dasharray:4");
    }
    chart
}

const fn brackets(kind: ObjectKind) -> (&'static str, &'static str) {
    match kind {
        ObjectKind::DataSource | ObjectKind::SavedDataset => ("[(", ")]"),
        ObjectKind::Entity => ("([", "])"),
        ObjectKind::FeatureService => ("[[", "]]"),
        _ => ("[", "]"),
    }
}

/// A text within quotes: what could end them or be taken for HTML or for a number is written as a number.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in printable(text).chars() {
        match letter {
            '"' | '<' | '>' | '&' | '#' | ';' | '`' => {
                let _ = write!(escaped, "#{};", u32::from(letter));
            }
            other => escaped.push(other),
        }
    }
    escaped
}
