//! What a stored object says about itself whatever is in it: who is responsible, and what it needs of others.

use super::{
    convert::name_of_source,
    messages::{self as wire, DecodeError, decode},
};
use crate::model::{DUMMY_ENTITY, ObjectKind, Use};

/// An object's owner and what it needs of other objects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uses {
    /// Who is responsible; empty where nobody is named.
    pub owner: String,
    /// In the order of the message.
    pub uses: Vec<Use>,
}

/// Whose a stored object is and what it uses, also of one that definitions cannot declare.
///
/// # Errors
/// When the bytes are not a message of this kind.
pub fn uses(kind: ObjectKind, proto: &[u8]) -> Result<Uses, DecodeError> {
    let (owner, uses) = match kind {
        ObjectKind::Project => (decode::<wire::Project>(proto)?.spec.unwrap_or_default().owner, Vec::new()),
        ObjectKind::Entity => (decode::<wire::Entity>(proto)?.spec.unwrap_or_default().owner, Vec::new()),
        ObjectKind::DataSource => {
            let source: wire::DataSource = decode(proto)?;
            let batch = source.batch_source.map(|batch| Use::DataSource(name_of_source(&batch)));
            (source.owner, batch.into_iter().collect())
        }
        ObjectKind::FeatureView => {
            let spec = decode::<wire::FeatureView>(proto)?.spec.unwrap_or_default();
            let views = spec.source_views.iter().map(|view| features(&view.name, &view.features));
            let uses = entities(&spec.entities).chain(sources([&spec.batch_source, &spec.stream_source])).chain(views);
            (spec.owner.clone(), uses.collect())
        }
        ObjectKind::StreamFeatureView => {
            let spec = decode::<wire::StreamFeatureView>(proto)?.spec.unwrap_or_default();
            let uses = entities(&spec.entities).chain(sources([&spec.batch_source, &spec.stream_source]));
            (spec.owner.clone(), uses.collect())
        }
        ObjectKind::OnDemandFeatureView => {
            let spec = decode::<wire::OnDemandFeatureView>(proto)?.spec.unwrap_or_default();
            let uses = entities(&spec.entities).chain(spec.sources.iter().filter_map(on_demand_source));
            (spec.owner.clone(), uses.collect())
        }
        ObjectKind::LabelView => {
            let spec = decode::<wire::LabelView>(proto)?.spec.unwrap_or_default();
            let reference = Some(&spec.reference_feature_view).filter(|view| !view.is_empty());
            let uses = entities(&spec.entities)
                .chain(sources([&spec.source]))
                .chain(reference.map(|view| Use::Features { view: view.clone(), features: Vec::new() }));
            (spec.owner.clone(), uses.collect())
        }
        ObjectKind::FeatureService => {
            let spec = decode::<wire::FeatureService>(proto)?.spec.unwrap_or_default();
            let uses = spec.features.iter().map(projection).collect();
            (spec.owner, uses)
        }
        ObjectKind::Permission => (String::new(), Vec::new()),
        ObjectKind::SavedDataset => {
            let spec = decode::<wire::SavedDataset>(proto)?.spec.unwrap_or_default();
            let mut uses = references(&spec.features);
            if !spec.feature_service_name.is_empty() {
                uses.push(Use::FeatureService(spec.feature_service_name));
            }
            (String::new(), uses)
        }
        ObjectKind::ValidationReference => {
            let reference: wire::ValidationReference = decode(proto)?;
            (String::new(), vec![Use::SavedDataset(reference.reference_dataset_name)])
        }
    };
    Ok(Uses { owner, uses })
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
