use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::known::Known;
use crate::{
    feast::registry::{Link, SourcePart},
    model::{DUMMY_ENTITY, ObjectId, ObjectKind},
};

/// What is made of what in a project: every object that others name or that names others, for people. Permissions and
/// projects are made of nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph<'a> {
    /// Objects; `None` for those that are only named by others.
    pub(super) objects: BTreeMap<ObjectId, Option<&'a Known>>,
    /// By what they lead to, and then as the object names them.
    edges: Vec<Edge>,
    /// Of each object, those that lead to it and those that lead away from it.
    ends: BTreeMap<ObjectId, Ends>,
}

/// Numbers of edges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Ends {
    into: Vec<usize>,
    out_of: Vec<usize>,
}

/// That one object goes into another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    /// What goes into the other.
    pub from: ObjectId,
    /// What is made of it.
    pub to: ObjectId,
    /// Which features of a view go into it; empty for other objects, and where the view goes into it as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
}

impl<'a> Graph<'a> {
    /// The graph of these objects.
    pub fn of(known: &'a [Known]) -> Self {
        let has_parts = |known: &&Known| !matches!(known.id.kind, ObjectKind::Permission | ObjectKind::Project);
        let objects = known.iter().filter(has_parts).filter(|known| known.id.name != DUMMY_ENTITY);
        let mut objects: BTreeMap<ObjectId, Option<&Known>> =
            objects.map(|known| (known.id.clone(), Some(known))).collect();
        let views: BTreeMap<&str, ObjectKind> = known
            .iter()
            .filter(|known| known.id.kind.is_view())
            .map(|known| (known.id.name.as_str(), known.id.kind))
            .collect();
        let mut edges: Vec<Edge> = Vec::new();
        for object in known {
            for link in &object.card.links {
                let Some((from, features)) = end(link, &views) else { continue };
                // Services may select from a view twice, under two names.
                match edges.iter_mut().rev().take_while(|edge| edge.to == object.id).find(|edge| edge.from == from) {
                    Some(edge) => edge.add(features),
                    None => edges.push(Edge { from, to: object.id.clone(), features: features.to_vec() }),
                }
            }
        }
        let mut ends: BTreeMap<ObjectId, Ends> = BTreeMap::new();
        for (number, edge) in edges.iter().enumerate() {
            objects.entry(edge.from.clone()).or_insert(None);
            ends.entry(edge.to.clone()).or_default().into.push(number);
            ends.entry(edge.from.clone()).or_default().out_of.push(number);
        }
        Self { objects, edges, ends }
    }

    /// Edges that lead to an object.
    pub(super) fn into(&self, id: &ObjectId) -> Vec<&Edge> {
        self.ends.get(id).map(|ends| ends.into.iter().map(|number| &self.edges[*number]).collect()).unwrap_or_default()
    }

    /// Edges that lead away from an object.
    pub(super) fn out_of(&self, id: &ObjectId) -> Vec<&Edge> {
        self.ends
            .get(id)
            .map(|ends| ends.out_of.iter().map(|number| &self.edges[*number]).collect())
            .unwrap_or_default()
    }
}

impl Edge {
    /// Whether a feature of its view goes this way.
    pub fn carries(&self, feature: &str) -> bool {
        self.features.is_empty() || self.features.iter().any(|carried| carried == feature)
    }

    fn add(&mut self, features: &[String]) {
        if self.features.is_empty() || features.is_empty() {
            self.features.clear();
            return;
        }
        let carried: BTreeSet<String> = self.features.iter().cloned().collect();
        self.features.extend(features.iter().filter(|feature| !carried.contains(*feature)).cloned());
    }
}

/// What a link leads to, and which features it takes.
fn end<'a>(link: &'a Link, views: &BTreeMap<&str, ObjectKind>) -> Option<(ObjectId, &'a [String])> {
    let end = |kind, name: &str| ObjectId::new(kind, name);
    Some(match link {
        Link::Entity(name) if name == DUMMY_ENTITY => return None,
        // The source says it itself.
        Link::Source { part: SourcePart::Behind, .. } => return None,
        Link::Entity(name) => (end(ObjectKind::Entity, name), &[]),
        Link::Source { name, .. } => (end(ObjectKind::DataSource, name), &[]),
        Link::View { name, features } => {
            let kind = views.get(name.as_str()).copied().unwrap_or(ObjectKind::FeatureView);
            (end(kind, name), features)
        }
        Link::FeatureService(name) => (end(ObjectKind::FeatureService, name), &[]),
        Link::SavedDataset(name) => (end(ObjectKind::SavedDataset, name), &[]),
    })
}
