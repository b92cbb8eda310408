//! The columns of a stored view: its features, and where its values are in online stores.

use super::{
    convert::fields_from_messages,
    messages::{self as wire, DecodeError, decode},
};
use crate::model::{DUMMY_ENTITY, DUMMY_JOIN_KEY, Field, ObjectKind};

/// The columns of a view's online values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Names of the features, in the order of the view; join keys are not among them.
    pub features: Vec<String>,
    /// The keys that values are stored under; that of the dummy for views without entities.
    pub join_keys: Vec<String>,
}

/// The layout of a stored view's online values, also of one that definitions cannot declare; `None` if it
/// has none or its bytes are damaged.
pub fn layout(kind: ObjectKind, proto: &[u8]) -> Option<Layout> {
    let Columns { entities, features, keys, .. } = columns(kind, proto).ok()?.filter(|columns| columns.has_values)?;
    let names = |columns: Vec<wire::FeatureSpecV2>| columns.into_iter().map(|column| column.name).collect();
    let has_entities = entities.iter().any(|name| name != DUMMY_ENTITY);
    let join_keys: Vec<String> = if has_entities { names(keys) } else { vec![DUMMY_JOIN_KEY.to_owned()] };
    let mut features: Vec<String> = names(features);
    // Stream feature views list their whole schema.
    features.retain(|feature| !join_keys.contains(feature));
    Some(Layout { features, join_keys })
}

/// The features of a stored view in its order, also of one that definitions cannot declare; none of other
/// objects.
///
/// # Errors
/// When the bytes are not a message of this kind.
pub fn features(kind: ObjectKind, proto: &[u8]) -> Result<Vec<Field>, DecodeError> {
    let Some(Columns { mut features, keys, .. }) = columns(kind, proto)? else { return Ok(Vec::new()) };
    if kind == ObjectKind::StreamFeatureView {
        features.retain(|feature| keys.iter().all(|key| key.name != feature.name));
    }
    Ok(fields_from_messages(&features))
}

/// What all views say of their columns.
struct Columns {
    entities: Vec<String>,
    /// In stream feature views with the join keys.
    features: Vec<wire::FeatureSpecV2>,
    keys: Vec<wire::FeatureSpecV2>,
    /// Whether values of the view may be in the online store.
    has_values: bool,
}

/// The columns of a view; `None` of other objects, and of one that says nothing.
fn columns(kind: ObjectKind, proto: &[u8]) -> Result<Option<Columns>, DecodeError> {
    macro_rules! of {
        ($message:ident, $has_values:expr) => {
            decode::<wire::$message>(proto)?.spec.map(|spec| Columns {
                has_values: $has_values(&spec),
                entities: spec.entities,
                features: spec.features,
                keys: spec.entity_columns,
            })
        };
    }
    Ok(match kind {
        ObjectKind::FeatureView => of!(FeatureView, |_: &_| true),
        ObjectKind::StreamFeatureView => of!(StreamFeatureView, |_: &_| true),
        ObjectKind::LabelView => of!(LabelView, |_: &_| true),
        ObjectKind::OnDemandFeatureView => {
            of!(OnDemandFeatureView, |spec: &wire::OnDemandFeatureViewSpec| spec.write_to_online_store)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    fn columns(names: &[&str]) -> Vec<wire::FeatureSpecV2> {
        names.iter().map(|&name| wire::FeatureSpecV2 { name: name.to_owned(), ..Default::default() }).collect()
    }

    fn layout(kind: ObjectKind, proto: &[u8]) -> Option<(Vec<String>, Vec<String>)> {
        let layout = super::layout(kind, proto)?;
        Some((layout.features, layout.join_keys))
    }

    #[test]
    fn messages_tell_where_values_are() {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let spec = wire::StreamFeatureViewSpec {
            entities: owned(&["driver"]),
            features: columns(&["driver_id", "trips"]),
            entity_columns: columns(&["driver_id"]),
            ..Default::default()
        };
        let stream = wire::StreamFeatureView { spec: Some(spec), ..Default::default() };
        let found = layout(ObjectKind::StreamFeatureView, &stream.encode_to_vec());
        assert_eq!(found, Some((owned(&["trips"]), owned(&["driver_id"]))));

        let spec = wire::FeatureViewSpec {
            entities: owned(&[DUMMY_ENTITY]),
            features: columns(&["rain"]),
            ..Default::default()
        };
        let entityless = wire::FeatureView { spec: Some(spec), ..Default::default() };
        let found = layout(ObjectKind::FeatureView, &entityless.encode_to_vec());
        assert_eq!(found, Some((owned(&["rain"]), owned(&[DUMMY_JOIN_KEY]))));

        for (write_to_online_store, found) in [(true, Some((owned(&["sum"]), owned(&["k"])))), (false, None)] {
            let spec = wire::OnDemandFeatureViewSpec {
                entities: owned(&["e"]),
                features: columns(&["sum"]),
                entity_columns: columns(&["k"]),
                write_to_online_store,
                ..Default::default()
            };
            let view = wire::OnDemandFeatureView { spec: Some(spec), ..Default::default() };
            assert_eq!(layout(ObjectKind::OnDemandFeatureView, &view.encode_to_vec()), found);
        }
        assert_eq!(layout(ObjectKind::FeatureView, b"\xff"), None);
    }
}
