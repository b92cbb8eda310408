//! What two messages of an object have in common, without what the registry adds; also of objects that definitions cannot
//! declare.

use serde_json::{Map, Value};

use super::{
    json::{to_json, to_whole_json},
    messages::DecodeError,
};
use crate::model::{ObjectKind, ViewVersion};

/// What an object is, apart from what the registry adds: its JSON, and how many bytes are those of fields that only a newer Feast knows.
///
/// # Errors
/// When it is no message of this kind.
pub(super) fn essence(kind: ObjectKind, proto: &[u8]) -> Result<(Value, usize), DecodeError> {
    let (mut json, unknown) = to_whole_json(kind, proto)?;
    strip(&mut json);
    let spec = match json.get_mut("spec") {
        Some(spec) => spec,
        None => &mut json,
    };
    if let (Some(spec), true) = (spec.as_object_mut(), kind != ObjectKind::Project) {
        spec.shift_remove("project");
    }
    Ok((json, unknown))
}

/// Takes away the times of sources, the classes that Python reads them with, and the bytes of functions whose text is there.
fn strip(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            fields.shift_remove("meta");
            if fields.get("type").is_none_or(|kind| kind != "CUSTOM_SOURCE") {
                fields.shift_remove("dataSourceClassType");
            }
            if fields.contains_key("bodyText") {
                fields.shift_remove("body");
            }
            fields.values_mut().for_each(strip);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Whether two messages of a view are one version of it: their columns are the same, in whatever order, and what Feast counts
/// with them.
///
/// # Errors
/// When one of them is no message of this kind.
pub fn is_same_stored_version(kind: ObjectKind, before: &[u8], after: &[u8]) -> Result<bool, DecodeError> {
    let (sorted, exact): (&[&str], &[&str]) = match kind {
        ObjectKind::FeatureView => (&["entities", "entityColumns", "features"], &["sourceViews"]),
        ObjectKind::StreamFeatureView => (
            &["entities", "entityColumns", "features"],
            &["userDefinedFunction", "featureTransformation", "aggregations", "timestampField", "mode"],
        ),
        ObjectKind::OnDemandFeatureView => (
            &["entityColumns", "features"],
            &["userDefinedFunction", "featureTransformation", "aggregations", "sources", "mode"],
        ),
        _ => (&["features"], &[]),
    };
    let [before, after] =
        [essence(kind, before)?.0, essence(kind, after)?.0].map(|mut json| match json.get_mut("spec") {
            Some(Value::Object(spec)) => std::mem::take(spec),
            _ => Map::new(),
        });
    let is_same = |field: &&str| before.get(*field) == after.get(*field);
    let in_order = |spec: &Map<String, Value>, field: &str| {
        let mut values: Vec<String> = match spec.get(field) {
            Some(Value::Array(values)) => values.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        values.sort_unstable();
        values
    };
    Ok(exact.iter().all(is_same) && sorted.iter().all(|field| in_order(&before, field) == in_order(&after, field)))
}

/// Which version the message of a view asks for.
///
/// # Errors
/// The text that is no version.
pub fn sent_version(kind: ObjectKind, proto: &[u8]) -> Result<ViewVersion, String> {
    if !kind.is_view() || kind == ObjectKind::LabelView {
        return Ok(ViewVersion::Latest);
    }
    let json = to_json(kind, proto).map_err(|error| error.to_string())?;
    let text = json["spec"]["version"].as_str().unwrap_or_default();
    text.parse().map_err(|error| format!("{error}"))
}
