//! Who needs what: features, views and other objects as the keys under which their users are found.

use std::collections::BTreeMap;

use crate::model::{Object, ObjectId, ObjectKind, OnDemandSource, Projection, Use};

/// Something that objects need of another one, as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need<'a> {
    Object(ObjectKind, &'a str),
    View(&'a str),
    Feature(&'a str, &'a str),
}

impl<'a> Need<'a> {
    /// The object as others name it: views of all kinds share their names.
    pub(crate) fn of(id: &'a ObjectId) -> Self {
        if id.kind.is_view() { Self::View(&id.name) } else { Self::Object(id.kind, &id.name) }
    }
}

/// Who needs what.
#[derive(Debug, Default)]
pub(crate) struct Users<'a> {
    by_need: BTreeMap<Need<'a>, Vec<&'a ObjectId>>,
}

impl<'a> Users<'a> {
    /// Notes what an object needs.
    pub(crate) fn add(&mut self, user: &'a ObjectId, needs: impl IntoIterator<Item = Need<'a>>) {
        for need in needs {
            let users = self.by_need.entry(need).or_default();
            if users.last() != Some(&user) {
                users.push(user);
            }
        }
    }

    /// The objects that need `need`.
    pub(crate) fn of(&self, need: Need<'_>) -> Vec<&'a ObjectId> {
        self.by_need.get(&need).cloned().unwrap_or_default()
    }
}

/// What a foreign object needs.
pub(crate) fn needs_of_uses(uses: &[Use]) -> Vec<Need<'_>> {
    let mut needs = Vec::new();
    for used in uses {
        match used {
            Use::Entity(name) => needs.push(Need::Object(ObjectKind::Entity, name)),
            Use::DataSource(name) => needs.push(Need::Object(ObjectKind::DataSource, name)),
            Use::FeatureService(name) => needs.push(Need::Object(ObjectKind::FeatureService, name)),
            Use::SavedDataset(name) => needs.push(Need::Object(ObjectKind::SavedDataset, name)),
            Use::Features { view, features } => {
                needs.push(Need::View(view));
                needs.extend(features.iter().map(|feature| Need::Feature(view, feature)));
            }
        }
    }
    needs
}

/// What an object needs.
pub(crate) fn needs_of(object: &Object) -> Vec<Need<'_>> {
    let mut needs = Vec::new();
    match object {
        Object::Project(_) | Object::Entity(_) | Object::Permission(_) => {}
        Object::DataSource(source) => {
            needs.extend(source.kind.batch_source().map(|batch| source_need(&batch.name)));
        }
        Object::FeatureView(view) => {
            needs.extend(view.entities.iter().map(|name| entity_need(name)));
            needs.extend(
                [&view.source, &view.stream_source].into_iter().flatten().map(|source| source_need(&source.name)),
            );
        }
        Object::StreamFeatureView(view) => {
            needs.extend(view.entities.iter().map(|name| entity_need(name)));
            needs.extend(
                [&view.source, &view.stream_source].into_iter().flatten().map(|source| source_need(&source.name)),
            );
        }
        Object::LabelView(view) => {
            needs.extend(view.entities.iter().map(|name| entity_need(name)));
            needs.extend(view.source.iter().map(|source| source_need(&source.name)));
            if !view.reference_feature_view.is_empty() {
                needs.push(Need::View(&view.reference_feature_view));
            }
        }
        Object::OnDemandFeatureView(view) => {
            needs.extend(view.entities.iter().map(|name| entity_need(name)));
            for source in &view.sources {
                match source {
                    OnDemandSource::View(projection) => add_projection(projection, &mut needs),
                    OnDemandSource::Request(source) => needs.push(source_need(&source.name)),
                }
            }
        }
        Object::FeatureService(service) => {
            service.features.iter().for_each(|projection| add_projection(projection, &mut needs));
        }
        Object::SavedDataset(dataset) => {
            for (view, feature) in dataset.features.iter().filter_map(|reference| reference.split_once(':')) {
                needs.extend([Need::View(view), Need::Feature(view, feature)]);
            }
            if !dataset.feature_service.is_empty() {
                needs.push(Need::Object(ObjectKind::FeatureService, &dataset.feature_service));
            }
        }
        Object::ValidationReference(reference) => {
            needs.push(Need::Object(ObjectKind::SavedDataset, &reference.reference_dataset));
        }
    }
    needs
}

fn entity_need(name: &str) -> Need<'_> {
    Need::Object(ObjectKind::Entity, name)
}

fn source_need(name: &str) -> Need<'_> {
    Need::Object(ObjectKind::DataSource, name)
}

fn add_projection<'a>(projection: &'a Projection, needs: &mut Vec<Need<'a>>) {
    needs.push(Need::View(&projection.view));
    needs.extend(projection.features.iter().map(|field| Need::Feature(&projection.view, &field.name)));
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
