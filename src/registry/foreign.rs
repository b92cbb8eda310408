//! What can be told of objects that feastr does not manage: whose they are and what they need.

use super::objects::Row;
use crate::{
    feast::registry::{
        convert::name_of_source,
        messages::{self as wire, decode},
    },
    model::{DUMMY_ENTITY, ForeignObject, ObjectId, ObjectKind, Use},
};

/// The object of a row that definitions cannot declare; what cannot be read is left out.
pub fn foreign_object(row: &Row, reason: String) -> ForeignObject {
    let (owner, uses) = read(row).unwrap_or_default();
    ForeignObject { id: ObjectId::new(row.kind, &row.name), reason, owner, uses }
}

/// The owner of an object and what it needs of others.
fn read(row: &Row) -> Option<(String, Vec<Use>)> {
    match row.kind {
        ObjectKind::Project => Some((decode::<wire::Project>(&row.proto).ok()?.spec?.owner, Vec::new())),
        ObjectKind::Entity => Some((decode::<wire::Entity>(&row.proto).ok()?.spec?.owner, Vec::new())),
        ObjectKind::DataSource => {
            let source: wire::DataSource = decode(&row.proto).ok()?;
            let batch = source.batch_source.map(|batch| Use::DataSource(name_of_source(&batch)));
            Some((source.owner, batch.into_iter().collect()))
        }
        ObjectKind::FeatureView => {
            let spec = decode::<wire::FeatureView>(&row.proto).ok()?.spec?;
            let views = spec.source_views.iter().map(|view| features(&view.name, &view.features));
            let uses = entities(&spec.entities).chain(sources([&spec.batch_source, &spec.stream_source])).chain(views);
            Some((spec.owner.clone(), uses.collect()))
        }
        ObjectKind::StreamFeatureView => {
            let spec = decode::<wire::StreamFeatureView>(&row.proto).ok()?.spec?;
            let uses = entities(&spec.entities).chain(sources([&spec.batch_source, &spec.stream_source]));
            Some((spec.owner.clone(), uses.collect()))
        }
        ObjectKind::OnDemandFeatureView => {
            let spec = decode::<wire::OnDemandFeatureView>(&row.proto).ok()?.spec?;
            let uses = entities(&spec.entities).chain(spec.sources.iter().filter_map(on_demand_source));
            Some((spec.owner.clone(), uses.collect()))
        }
        ObjectKind::LabelView => {
            let spec = decode::<wire::LabelView>(&row.proto).ok()?.spec?;
            let reference = Some(&spec.reference_feature_view).filter(|view| !view.is_empty());
            let uses = entities(&spec.entities)
                .chain(sources([&spec.source]))
                .chain(reference.map(|view| Use::Features { view: view.clone(), features: Vec::new() }));
            Some((spec.owner.clone(), uses.collect()))
        }
        ObjectKind::FeatureService => {
            let spec = decode::<wire::FeatureService>(&row.proto).ok()?.spec?;
            let uses = spec.features.iter().map(projection).collect();
            Some((spec.owner, uses))
        }
        ObjectKind::SavedDataset => {
            let spec = decode::<wire::SavedDataset>(&row.proto).ok()?.spec?;
            let mut uses = references(&spec.features);
            if !spec.feature_service_name.is_empty() {
                uses.push(Use::FeatureService(spec.feature_service_name));
            }
            Some((String::new(), uses))
        }
        ObjectKind::ValidationReference => {
            let reference: wire::ValidationReference = decode(&row.proto).ok()?;
            Some((String::new(), vec![Use::SavedDataset(reference.reference_dataset_name)]))
        }
        ObjectKind::Permission => None,
    }
}

fn entities(names: &[String]) -> impl Iterator<Item = Use> {
    names.iter().filter(|name| *name != DUMMY_ENTITY).cloned().map(Use::Entity)
}

fn sources<const N: usize>(copies: [&Option<wire::DataSource>; N]) -> impl Iterator<Item = Use> {
    copies.into_iter().flatten().map(|source| Use::DataSource(name_of_source(source)))
}

fn features(view: &str, columns: &[wire::FeatureSpecV2]) -> Use {
    Use::Features { view: view.to_owned(), features: columns.iter().map(|column| column.name.clone()).collect() }
}

fn projection(projection: &wire::FeatureViewProjection) -> Use {
    features(&projection.feature_view_name, &projection.feature_columns)
}

fn on_demand_source(entry: &wire::OnDemandSourceEntry) -> Option<Use> {
    let source = entry.value.as_ref()?;
    if let Some(selected) = &source.feature_view_projection {
        return Some(projection(selected));
    }
    if let Some(spec) = source.feature_view.as_ref().and_then(|view| view.spec.as_ref()) {
        return Some(features(&spec.name, &spec.features));
    }
    source.request_data_source.as_ref().map(|request| Use::DataSource(request.name.clone()))
}

/// References such as `view:feature`, together by view.
fn references(texts: &[String]) -> Vec<Use> {
    let mut uses: Vec<Use> = Vec::new();
    for (view, feature) in texts.iter().filter_map(|text| text.split_once(':')) {
        let known = uses.iter_mut().find_map(|known| match known {
            Use::Features { view: other, features } if other == view => Some(features),
            _ => None,
        });
        match known {
            Some(features) => features.push(feature.to_owned()),
            None => uses.push(Use::Features { view: view.to_owned(), features: vec![feature.to_owned()] }),
        }
    }
    uses
}
