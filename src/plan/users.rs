//! Who needs what: features, views and other objects as the keys under which their users are found.

use std::collections::BTreeMap;

use crate::model::{Object, ObjectId, ObjectKind, OnDemandSource, Projection, Use};

/// Something that objects need of another one, as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part<'a> {
    Object(ObjectKind, &'a str),
    View(&'a str),
    Feature(&'a str, &'a str),
}

impl<'a> Part<'a> {
    /// The object as others name it: views of all kinds share their names.
    pub(crate) fn of(id: &'a ObjectId) -> Self {
        if id.kind.is_view() { Self::View(&id.name) } else { Self::Object(id.kind, &id.name) }
    }
}

/// Who needs what.
#[derive(Debug, Default)]
pub(crate) struct Users<'a> {
    by_part: BTreeMap<Part<'a>, Vec<&'a ObjectId>>,
}

impl<'a> Users<'a> {
    /// Notes what an object needs.
    pub(crate) fn add(&mut self, user: &'a ObjectId, parts: impl IntoIterator<Item = Part<'a>>) {
        for part in parts {
            let users = self.by_part.entry(part).or_default();
            if users.last() != Some(&user) {
                users.push(user);
            }
        }
    }

    /// The objects that need `part`.
    pub(crate) fn of(&self, part: Part<'_>) -> Vec<&'a ObjectId> {
        self.by_part.get(&part).cloned().unwrap_or_default()
    }
}

/// What a foreign object needs.
pub(crate) fn parts_of_uses(uses: &[Use]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for used in uses {
        match used {
            Use::Entity(name) => parts.push(Part::Object(ObjectKind::Entity, name)),
            Use::DataSource(name) => parts.push(Part::Object(ObjectKind::DataSource, name)),
            Use::FeatureService(name) => parts.push(Part::Object(ObjectKind::FeatureService, name)),
            Use::SavedDataset(name) => parts.push(Part::Object(ObjectKind::SavedDataset, name)),
            Use::Features { view, features } => {
                parts.push(Part::View(view));
                parts.extend(features.iter().map(|feature| Part::Feature(view, feature)));
            }
        }
    }
    parts
}

/// What an object needs.
pub(crate) fn parts_of(object: &Object) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    match object {
        Object::Project(_) | Object::Entity(_) | Object::Permission(_) => {}
        Object::DataSource(source) => {
            parts.extend(source.kind.batch_source().map(|batch| source_part(&batch.name)));
        }
        Object::FeatureView(view) => {
            parts.extend(view.entities.iter().map(|name| entity_part(name)));
            parts.extend(
                [&view.source, &view.stream_source].into_iter().flatten().map(|source| source_part(&source.name)),
            );
        }
        Object::StreamFeatureView(view) => {
            parts.extend(view.entities.iter().map(|name| entity_part(name)));
            parts.extend(
                [&view.source, &view.stream_source].into_iter().flatten().map(|source| source_part(&source.name)),
            );
        }
        Object::LabelView(view) => {
            parts.extend(view.entities.iter().map(|name| entity_part(name)));
            parts.extend(view.source.iter().map(|source| source_part(&source.name)));
            if !view.reference_feature_view.is_empty() {
                parts.push(Part::View(&view.reference_feature_view));
            }
        }
        Object::OnDemandFeatureView(view) => {
            parts.extend(view.entities.iter().map(|name| entity_part(name)));
            for source in &view.sources {
                match source {
                    OnDemandSource::View(projection) => add_projection(projection, &mut parts),
                    OnDemandSource::Request(source) => parts.push(source_part(&source.name)),
                }
            }
        }
        Object::FeatureService(service) => {
            service.features.iter().for_each(|projection| add_projection(projection, &mut parts));
        }
        Object::SavedDataset(dataset) => {
            for (view, feature) in dataset.features.iter().filter_map(|reference| reference.split_once(':')) {
                parts.extend([Part::View(view), Part::Feature(view, feature)]);
            }
            if !dataset.feature_service.is_empty() {
                parts.push(Part::Object(ObjectKind::FeatureService, &dataset.feature_service));
            }
        }
        Object::ValidationReference(reference) => {
            parts.push(Part::Object(ObjectKind::SavedDataset, &reference.reference_dataset));
        }
    }
    parts
}

fn entity_part(name: &str) -> Part<'_> {
    Part::Object(ObjectKind::Entity, name)
}

fn source_part(name: &str) -> Part<'_> {
    Part::Object(ObjectKind::DataSource, name)
}

fn add_projection<'a>(projection: &'a Projection, parts: &mut Vec<Part<'a>>) {
    parts.push(Part::View(&projection.view));
    parts.extend(projection.features.iter().map(|field| Part::Feature(&projection.view, &field.name)));
}

/// What a service takes of views.
pub(crate) fn projections(object: &Object) -> &[Projection] {
    match object {
        Object::FeatureService(service) => &service.features,
        _ => &[],
    }
}

/// The features a service selects, as view and feature.
pub(crate) fn selection(object: &Object) -> impl Iterator<Item = (&str, &str)> {
    projections(object)
        .iter()
        .flat_map(|projection| projection.features.iter().map(|field| (projection.view.as_str(), field.name.as_str())))
}
