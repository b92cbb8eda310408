use serde_json::Value;
use similar::TextDiff;

use super::Style;
use crate::plan::{Action, Edit, EditKind, Plan, TableAction};

/// Whether a plan is shown before or after it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanStage {
    Planned,
    Applied,
}

/// A plan as text, with the words of Feast's own plans, then a line that sums it up.
pub fn draw(plan: &Plan, stage: PlanStage, style: Style, verbose: bool) -> String {
    let mut lines = Vec::new();
    for change in &plan.changes {
        let line = format!("{} {} ", change.action.verb(), change.id.kind);
        let name = match &change.action {
            Action::Create { .. } => style.good(&change.id.name),
            Action::Update { .. } => style.notice(&change.id.name),
            Action::Delete { .. } => style.bad(&change.id.name),
        };
        lines.push(format!("{line}{name}"));
        if let Action::Update { edits, .. } = &change.action {
            edits.iter().for_each(|edit| draw_edit(edit, style, &mut lines));
        }
    }
    if plan.changes.is_empty() {
        lines.push("No changes to registry".to_owned());
    }
    for table in &plan.tables {
        let name = match table.action {
            TableAction::Create => style.good(&table.table),
            TableAction::Delete => style.bad(&table.table),
        };
        lines.push(format!("{} {} table {name}", table.action.verb(), table.store));
    }
    if plan.tables.is_empty() {
        lines.push("No changes to infrastructure".to_owned());
    }
    if verbose {
        for kept in &plan.kept {
            lines.push(style.faint(format_args!("Kept {}: {}", kept.id, kept.reason)));
        }
    }
    lines.push(String::new());
    lines.push(summary(plan, stage, style));
    lines.join("\n") + "\n"
}

fn draw_edit(edit: &Edit, style: Style, lines: &mut Vec<String>) {
    let path = &edit.path;
    match &edit.kind {
        EditKind::Changed { before: Value::String(before), after: Value::String(after) }
            if before.contains('\n') || after.contains('\n') =>
        {
            lines.push(format!("\t{path}:"));
            let diff = TextDiff::from_lines(before.as_str(), after.as_str());
            let unified = diff.unified_diff().context_radius(1).to_string();
            lines.extend(unified.lines().map(|line| format!("\t\t{line}")));
        }
        EditKind::Changed { before, after } => {
            lines.push(format!("\t{path}: {} -> {}", compact(before), style.strong(compact(after))));
        }
        EditKind::Added { after } => lines.push(format!("\t{path}: {} {}", style.good("+"), compact(after))),
        EditKind::Removed { before } => lines.push(format!("\t{path}: {} {}", style.bad("-"), compact(before))),
        EditKind::Reordered { after } => lines.push(format!("\t{path}: new order {}", after.join(", "))),
        EditKind::SourceCopy { source } => lines.push(format!("\t{path}: copies data source {source} anew")),
    }
}

/// A value in a few words: a column as its type, texts without quotes, empty parts left out.
fn compact(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => match fields.get("dtype").and_then(Value::as_str) {
            Some(dtype) => dtype.to_owned(),
            None => {
                let shown = fields.iter().filter(|(_, value)| !is_blank(value));
                let parts: Vec<String> = shown.map(|(key, value)| format!("{key}: {}", compact(value))).collect();
                format!("{{{}}}", parts.join(", "))
            }
        },
        other => other.to_string(),
    }
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

fn summary(plan: &Plan, stage: PlanStage, style: Style) -> String {
    let count = |verb: &str| plan.changes.iter().filter(|change| change.action.verb() == verb).count();
    let kept = match plan.kept.len() {
        0 => String::new(),
        1 => "; 1 object that feastr does not manage stays as it is".to_owned(),
        many => format!("; {many} objects that feastr does not manage stay as they are"),
    };
    if plan.is_empty() {
        return format!("No changes: the registry holds what the definitions declare{kept}");
    }
    let [created, updated, deleted] = ["Created", "Updated", "Deleted"].map(|verb| style.strong(count(verb)));
    match stage {
        PlanStage::Planned => format!("Plan: {created} to create, {updated} to update, {deleted} to delete{kept}"),
        PlanStage::Applied => format!("Applied: {created} created, {updated} updated, {deleted} deleted{kept}"),
    }
}
