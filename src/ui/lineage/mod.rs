//! Lineage for people: as a tree, and as graphs that other programs draw.

mod dot;
mod mermaid;
mod tree;

use std::collections::BTreeMap;

use crate::{
    discovery::{Edge, Excerpt},
    model::ObjectId,
};

pub use dot::draw as draw_as_dot;
pub use mermaid::draw as draw_as_mermaid;
pub use tree::draw as draw_as_tree;

/// A number for each object, by which graphs name it.
fn numbers(excerpt: &Excerpt) -> BTreeMap<&ObjectId, usize> {
    excerpt.nodes.iter().enumerate().map(|(number, node)| (&node.id, number)).collect()
}

/// All edges, those that come from what the object is made of first.
fn edges(excerpt: &Excerpt) -> impl Iterator<Item = &Edge> {
    let downstream = excerpt.downstream.iter().filter(|edge| !excerpt.upstream.contains(edge));
    excerpt.upstream.iter().chain(downstream)
}

/// Some features of a view, as few as a line has room for.
fn some_features(edge: &Edge) -> Option<String> {
    const FEW: usize = 3;
    let few = edge.features.iter().take(FEW).map(String::as_str).collect::<Vec<_>>().join(", ");
    match edge.features.len() {
        0 => None,
        all if all <= FEW => Some(few),
        all => Some(format!("{few} and {} more", all - FEW)),
    }
}
