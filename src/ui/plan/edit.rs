use serde_json::{Map, Value};
use similar::TextDiff;

use super::super::Style;
use crate::{
    model::printable,
    plan::{Edit, EditKind},
};

/// An edit as lines without indentation; multi-line texts as a unified diff.
pub(crate) fn lines(edit: &Edit, style: Style) -> Vec<String> {
    let path = &edit.path;
    match &edit.kind {
        EditKind::Changed { before: Value::String(before), after: Value::String(after) }
            if before.contains('\n') || after.contains('\n') =>
        {
            let diff = TextDiff::from_lines(before.as_str(), after.as_str());
            let unified = diff.unified_diff().context_radius(1).missing_newline_hint(false).to_string();
            std::iter::once(format!("{path}:")).chain(unified.lines().map(|line| format!("\t{line}"))).collect()
        }
        EditKind::Changed { before, after } => {
            vec![format!("{path}: {} -> {}", compact(before), style.strong(compact(after)))]
        }
        EditKind::Added { after } => vec![format!("{path}: {} {}", style.good("+"), compact(after))],
        EditKind::Removed { before } => vec![format!("{path}: {} {}", style.bad("-"), compact(before))],
        EditKind::Reordered { after } => vec![format!("{path}: new order {}", after.join(", "))],
        EditKind::SourceCopy { source } => vec![format!("{path}: copies data source {source} anew")],
        EditKind::ViewCopy { view } => vec![format!("{path}: copies the features of {view} anew")],
    }
}

/// A value in a few words: a column as its type, texts without quotes, empty parts left out.
fn compact(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => printable(text).into_owned(),
        Value::Array(items) => format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => match fields.get("dtype").and_then(Value::as_str) {
            Some(dtype) => dtype.to_owned(),
            None if fields.contains_key("view") => selection(fields),
            None => {
                let shown = fields.iter().filter(|(_, value)| !is_blank(value));
                let parts: Vec<String> = shown.map(|(key, value)| format!("{key}: {}", compact(value))).collect();
                format!("{{{}}}", parts.join(", "))
            }
        },
        other => other.to_string(),
    }
}

/// What is selected of a view: the names of features, and what else definitions say.
fn selection(projection: &Map<String, Value>) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
    let features = projection.get("features").and_then(Value::as_array);
    let names = features.into_iter().flatten().filter_map(|feature| feature.get("name")).map(text);
    let mut selection = format!("[{}]", names.collect::<Vec<_>>().join(", "));
    if projection.get("name_alias").is_some_and(|alias| !is_blank(alias)) {
        selection += &format!(" of {}", projection.get("view").map(text).unwrap_or_default());
    }
    if let Some(map) = projection.get("join_key_map").filter(|map| !is_blank(map)) {
        selection += &format!(" with join_key_map {}", compact(map));
    }
    selection
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
