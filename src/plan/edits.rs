//! How an object changes, field by field: both sides are compared as the JSON that plans show.

use serde_json::{Map, Value};

use super::change::{Edit, EditKind};
use crate::model::{
    AGGREGATIONS_TAG, CHECKS_TAG, DELIMITER_TAG, DELTA_TIMESTAMP_TAG, DELTA_VERSION_TAG, FILE_FORMAT_TAG, Object,
    PROTECT_TAG, RENAMED_FROM_TAG, SQL_TAG, TIMESTAMP_FORMAT_TAG,
};

/// The fields that differ between two versions of an object.
pub(crate) fn edits(before: &Object, after: &Object) -> Vec<Edit> {
    let mut edits = Vec::new();
    if let (Value::Object(before), Value::Object(after)) = (as_json(before), as_json(after)) {
        compare_fields("", &before, &after, &mut edits);
    }
    if matches!((before, after), (Object::StreamFeatureView(_), Object::StreamFeatureView(_))) {
        // Their features have no order.
        edits.retain(|edit| edit.path != "features" || !matches!(edit.kind, EditKind::Reordered { .. }));
    }
    edits
}

/// The fields that differ besides the name, and besides the key that says so.
pub(crate) fn edits_of_rename(before: &Object, after: &Object) -> Vec<Edit> {
    let mut edits = edits(before, after);
    edits.retain(|edit| edit.path != "name" && edit.path != RENAMED_FROM_KEY);
    edits
}

/// The fields that both versions have and that differ, for a view that changes its kind.
pub(crate) fn edits_of_replacement(before: &Object, after: &Object) -> Vec<Edit> {
    let mut edits = Vec::new();
    if let (Value::Object(mut before), Value::Object(mut after)) = (as_json(before), as_json(after)) {
        before.retain(|key, _| after.contains_key(key));
        after.retain(|key, _| before.contains_key(key));
        compare_fields("", &before, &after, &mut edits);
    }
    edits
}

/// The object's own fields, without the name of its kind around them and under the names of the
/// definitions format.
fn as_json(object: &Object) -> Value {
    let fields = match object {
        Object::Project(project) => serde_json::to_value(project),
        Object::DataSource(source) => serde_json::to_value(source),
        Object::Entity(entity) => serde_json::to_value(entity),
        Object::FeatureView(view) => serde_json::to_value(view),
        Object::OnDemandFeatureView(view) => serde_json::to_value(view),
        Object::StreamFeatureView(view) => serde_json::to_value(view),
        Object::LabelView(view) => serde_json::to_value(view),
        Object::FeatureService(service) => serde_json::to_value(service),
        Object::Permission(permission) => serde_json::to_value(permission),
        Object::SavedDataset(dataset) => serde_json::to_value(dataset),
        Object::ValidationReference(reference) => serde_json::to_value(reference),
    };
    let mut fields = fields.unwrap_or(Value::Null);
    name_tags(&mut fields);
    match object {
        Object::DataSource(source) => flatten_kind(&mut fields, &source.kind.to_string()),
        Object::OnDemandFeatureView(_) => name_inputs(&mut fields),
        _ => {}
    }
    fields
}

const RENAMED_FROM_KEY: &str = "renamed_from";

/// The keys of definitions that are kept as tags.
const KEYS_OF_TAGS: [(&str, &str); 10] = [
    (PROTECT_TAG, "protect"),
    (RENAMED_FROM_TAG, RENAMED_FROM_KEY),
    (SQL_TAG, "sql"),
    (AGGREGATIONS_TAG, "aggregations"),
    (CHECKS_TAG, "checks"),
    (FILE_FORMAT_TAG, "file_format"),
    (DELIMITER_TAG, "delimiter"),
    (TIMESTAMP_FORMAT_TAG, "timestamp_format"),
    (DELTA_VERSION_TAG, "delta_version"),
    (DELTA_TIMESTAMP_TAG, "delta_timestamp"),
];

/// `tags: {feastr.protect: …}` as `protect: …`, as definitions have it.
fn name_tags(fields: &mut Value) {
    let Value::Object(fields) = fields else { return };
    for (tag, key) in KEYS_OF_TAGS {
        let value = fields.get_mut("tags").and_then(Value::as_object_mut).and_then(|tags| tags.remove(tag));
        if let Some(value) = value {
            fields.insert(key.to_owned(), value);
        }
    }
}

/// `kind: {file: {path: …}}` as `type: file` and `path: …`, as definitions have it.
fn flatten_kind(source: &mut Value, kind: &str) {
    let Value::Object(fields) = source else { return };
    let mut flat = Map::new();
    for (key, value) in std::mem::take(fields) {
        match value {
            Value::Object(variant) if key == "kind" => {
                flat.insert("type".to_owned(), kind.into());
                for settings in variant.into_iter().map(|(_, settings)| settings) {
                    if let Value::Object(settings) = settings {
                        flat.extend(settings);
                    }
                }
            }
            value => {
                flat.insert(key, value);
            }
        }
    }
    *fields = flat;
}

/// `sources: [{view: {…}}, {request: {…}}]` as what is inside by its name.
fn name_inputs(view: &mut Value) {
    let Some(Value::Array(sources)) = view.get_mut("sources") else { return };
    let mut inputs = Map::new();
    for source in sources.drain(..) {
        let Value::Object(variant) = source else { continue };
        for input in variant.into_iter().map(|(_, input)| input) {
            if let Some(name) = name_of(&input).map(str::to_owned) {
                inputs.insert(name, input);
            }
        }
    }
    if let Value::Object(fields) = view {
        fields.insert("sources".to_owned(), Value::Object(inputs));
    }
}

fn compare(path: String, before: &Value, after: &Value, edits: &mut Vec<Edit>) {
    if before == after || (is_empty(before) && is_empty(after)) {
        return;
    }
    let kind = match (before, after) {
        (Value::Object(old), Value::Object(new)) if is_source_copy(&path, new) => {
            match (old.get("name").and_then(Value::as_str), new.get("name").and_then(Value::as_str)) {
                (Some(old), Some(new)) if old == new => EditKind::SourceCopy { source: new.to_owned() },
                (old, new) => EditKind::Changed { before: old.into(), after: new.into() },
            }
        }
        (Value::Object(old), Value::Object(new)) if is_same_input(&path, old, new) => {
            EditKind::ViewCopy { view: new.get("view").and_then(Value::as_str).unwrap_or_default().to_owned() }
        }
        (Value::Object(old), Value::Object(new)) => return compare_fields(&path, old, new, edits),
        (Value::Array(old), Value::Array(new)) if is_named(old) && is_named(new) => {
            return compare_named(&path, old, new, edits);
        }
        _ if is_empty(before) => EditKind::Added { after: named_copy(&path, after) },
        _ if is_empty(after) => EditKind::Removed { before: named_copy(&path, before) },
        _ => EditKind::Changed { before: before.clone(), after: after.clone() },
    };
    edits.push(Edit { path, kind });
}

/// Whether a field holds the copy of a data source that Feast keeps in views, projections, push and
/// stream sources.
fn is_source_copy(path: &str, fields: &Map<String, Value>) -> bool {
    fields.contains_key("timestamp_field")
        && fields.contains_key("name")
        && (matches!(path.rsplit('.').next(), Some("source" | "stream_source" | "batch_source")) || is_input(path))
}

/// A whole copy of a source would only repeat the source: its name is enough.
fn named_copy(path: &str, value: &Value) -> Value {
    match value {
        Value::Object(fields) if is_source_copy(path, fields) => fields.get("name").cloned().unwrap_or(Value::Null),
        other => other.clone(),
    }
}

/// Whether a path is that of an input of an on-demand view.
fn is_input(path: &str) -> bool {
    path.strip_prefix("sources.").is_some_and(|name| !name.contains('.'))
}

/// Whether an input of an on-demand view selects the same features of its view as before, under the
/// same names, so that only the copies of them differ.
fn is_same_input(path: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> bool {
    let names = |projection: &Map<String, Value>| {
        let features = projection.get("features").and_then(Value::as_array)?;
        features.iter().map(name_of).map(|name| name.map(str::to_owned)).collect::<Option<Vec<_>>>()
    };
    let same = |key: &str| old.get(key) == new.get(key);
    is_input(path)
        && new.contains_key("view")
        && same("view")
        && same("name_alias")
        && same("join_key_map")
        && names(old) == names(new)
}

fn compare_fields(path: &str, before: &Map<String, Value>, after: &Map<String, Value>, edits: &mut Vec<Edit>) {
    for key in before.keys().chain(after.keys().filter(|key| !before.contains_key(*key))) {
        let old = before.get(key).unwrap_or(&Value::Null);
        let new = after.get(key).unwrap_or(&Value::Null);
        compare(join(path, key), old, new, edits);
    }
}

/// Compares lists whose items have names: by name, and the order on its own.
fn compare_named(path: &str, before: &[Value], after: &[Value], edits: &mut Vec<Edit>) {
    let find = |items: &[Value], name: &str| items.iter().find(|item| name_of(item) == Some(name)).cloned();
    let names = |items: &[Value]| items.iter().filter_map(name_of).map(str::to_owned).collect::<Vec<_>>();
    let (old_names, new_names) = (names(before), names(after));
    for item in before {
        let Some(name) = name_of(item) else { continue };
        match find(after, name) {
            Some(new) => compare(join(path, name), item, &new, edits),
            None => edits.push(Edit { path: join(path, name), kind: EditKind::Removed { before: item.clone() } }),
        }
    }
    for item in after {
        if let Some(name) = name_of(item).filter(|name| !old_names.iter().any(|old| old == name)) {
            edits.push(Edit { path: join(path, name), kind: EditKind::Added { after: item.clone() } });
        }
    }
    let kept_old = old_names.iter().filter(|name| new_names.contains(name));
    let kept_new = new_names.iter().filter(|name| old_names.contains(name));
    if !kept_old.eq(kept_new) {
        edits.push(Edit { path: path.to_owned(), kind: EditKind::Reordered { after: new_names } });
    }
}

/// The name of a list item: a column's own, a projection's alias or view.
fn name_of(item: &Value) -> Option<&str> {
    ["name", "name_alias", "view"].iter().find_map(|key| item.get(key).and_then(Value::as_str))
}

/// Whether every item has a name and no two the same, so that names identify them.
fn is_named(items: &[Value]) -> bool {
    let mut names: Vec<_> = items.iter().filter_map(name_of).collect();
    names.sort_unstable();
    names.dedup();
    names.len() == items.len()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
