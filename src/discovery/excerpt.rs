use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::{
    focus::Focus,
    graph::{Edge, Graph},
};
use crate::model::ObjectId;

/// Which way to go from an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// To what it is made of.
    Upstream,
    /// To what is made of it.
    Downstream,
    /// Both ways.
    #[default]
    Both,
}

/// The part of a graph that one comes to from an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Excerpt {
    /// From where.
    pub focus: Focus,
    /// The objects, the one in focus first, then by distance.
    pub nodes: Vec<Node>,
    /// What the object is made of, the nearest first.
    pub upstream: Vec<Edge>,
    /// What is made of it, the nearest first.
    pub downstream: Vec<Edge>,
}

/// An object in a graph.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Node {
    /// Its kind and name.
    #[serde(flatten)]
    pub id: ObjectId,
    /// Whether it is there; others may name an object that is not registered.
    pub registered: bool,
    /// What it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who is responsible; empty where nobody is named.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
}

impl Excerpt {
    /// What is at most `depth` steps away from `focus`.
    pub fn of(graph: &Graph<'_>, focus: Focus, direction: Direction, depth: usize) -> Self {
        let upstream =
            if direction == Direction::Downstream { Walk::default() } else { walk(graph, &focus, true, depth) };
        let downstream =
            if direction == Direction::Upstream { Walk::default() } else { walk(graph, &focus, false, depth) };
        let mut distances = upstream.distances;
        distances.extend(downstream.distances);
        distances.insert(focus.object.clone(), 0);
        let mut nodes: Vec<(usize, ObjectId)> = distances.into_iter().map(|(id, distance)| (distance, id)).collect();
        nodes.sort();
        let node = |(_, id): (usize, ObjectId)| {
            let card = graph.objects.get(&id).copied().flatten().map(|known| &known.card);
            Node {
                id,
                registered: card.is_some(),
                description: card.map(|card| card.description.clone()).unwrap_or_default(),
                owner: card.map(|card| card.owner.clone()).unwrap_or_default(),
            }
        };
        let nodes = nodes.into_iter().map(node).collect();
        Self { focus, nodes, upstream: upstream.edges, downstream: downstream.edges }
    }
}

/// What is found on the way from an object.
#[derive(Default)]
struct Walk {
    edges: Vec<Edge>,
    distances: BTreeMap<ObjectId, usize>,
}

/// Goes from the object in focus to what it is made of, or to what is made of it, the nearest first.
fn walk(graph: &Graph<'_>, focus: &Focus, is_up: bool, depth: usize) -> Walk {
    let mut found = Walk { edges: Vec::new(), distances: BTreeMap::from([(focus.object.clone(), 0)]) };
    let mut ahead = VecDeque::from([(focus.object.clone(), 0)]);
    while let Some((id, distance)) = ahead.pop_front() {
        if distance >= depth {
            continue;
        }
        for edge in if is_up { graph.into(&id) } else { graph.out_of(&id) } {
            let is_of_feature = focus.feature.as_ref().is_none_or(|feature| edge.carries(feature));
            if !is_up && distance == 0 && !is_of_feature {
                continue;
            }
            let end = if is_up { &edge.from } else { &edge.to };
            if !found.distances.contains_key(end) {
                found.distances.insert(end.clone(), distance + 1);
                ahead.push_back((end.clone(), distance + 1));
            }
            found.edges.push(edge.clone());
        }
    }
    found
}
