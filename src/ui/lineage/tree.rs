//! Lineage as two trees: what an object is made of, and what is made of it.

use std::{collections::BTreeSet, fmt::Write as _};

use super::some_features;
use crate::{
    discovery::{Edge, Excerpt},
    model::{ObjectId, printable},
    ui::Style,
};

/// The object, and below it both trees. What an object leads to is drawn once, where it comes first.
pub fn draw(excerpt: &Excerpt, style: Style) -> String {
    let Some(first) = excerpt.nodes.first() else { return String::new() };
    let name = match &excerpt.focus.feature {
        Some(feature) => format!("{}:{feature}", first.id.name),
        None => first.id.name.clone(),
    };
    let kind = if excerpt.focus.feature.is_some() { "feature" } else { first.id.kind.as_str() };
    let mut text = format!("{} {}", style.faint(kind), style.strong(printable(&name)));
    if !first.owner.is_empty() {
        // Writing to a text cannot fail.
        let _ = write!(text, "{}", style.faint(format_args!(", of {}", printable(&first.owner))));
    }
    text.push('\n');
    if !first.description.is_empty() && excerpt.focus.feature.is_none() {
        let _ = writeln!(text, "{}", style.faint(printable(&first.description)));
    }
    let missing = excerpt.nodes.iter().filter(|node| !node.registered).map(|node| &node.id).collect();
    let mut tree = Tree { style, missing, drawn: BTreeSet::new(), text };
    tree.part("made of", &first.id, &excerpt.upstream, |edge| (&edge.to, &edge.from));
    tree.part("goes into", &first.id, &excerpt.downstream, |edge| (&edge.from, &edge.to));
    if excerpt.upstream.is_empty() && excerpt.downstream.is_empty() {
        let _ = writeln!(tree.text, "{}", style.faint("nothing leads here, and it leads nowhere"));
    }
    tree.text
}

struct Tree<'a> {
    style: Style,
    missing: BTreeSet<&'a ObjectId>,
    drawn: BTreeSet<&'a ObjectId>,
    text: String,
}

impl<'a> Tree<'a> {
    /// One of the trees. `ends` gives the end of an edge that is nearer to the object, and the other one.
    fn part(
        &mut self,
        heading: &str,
        from: &'a ObjectId,
        edges: &'a [Edge],
        ends: fn(&Edge) -> (&ObjectId, &ObjectId),
    ) {
        if edges.is_empty() {
            return;
        }
        let _ = writeln!(self.text, "\n{}", self.style.strong(heading));
        self.drawn = BTreeSet::from([from]);
        self.branches(from, edges, ends, "");
    }

    fn branches(
        &mut self,
        from: &'a ObjectId,
        edges: &'a [Edge],
        ends: fn(&Edge) -> (&ObjectId, &ObjectId),
        indent: &str,
    ) {
        let branches: Vec<&'a Edge> = edges.iter().filter(|edge| ends(edge).0 == from).collect();
        let last = branches.len().saturating_sub(1);
        for (number, edge) in branches.into_iter().enumerate() {
            let (corner, below) = if number == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let id = ends(edge).1;
            let name = printable(&id.name);
            let name = if self.missing.contains(id) {
                self.style.bad(format_args!("{name} (not registered)"))
            } else {
                name.into_owned()
            };
            let is_new = self.drawn.insert(id);
            let has_more = edges.iter().any(|edge| ends(edge).0 == id);
            let features = some_features(edge).map(|text| format!(": {}", printable(&text))).unwrap_or_default();
            let again = if !is_new && has_more { " …" } else { "" };
            let corner = self.style.faint(format_args!("{indent}{corner}"));
            let kind = self.style.faint(id.kind.as_str());
            let rest = self.style.faint(format_args!("{features}{again}"));
            let _ = writeln!(self.text, "{corner}{kind} {name}{rest}");
            if is_new && has_more {
                self.branches(id, edges, ends, &format!("{indent}{below}"));
            }
        }
    }
}
