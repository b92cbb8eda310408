use std::collections::BTreeSet;

use super::{Finding, FindingKind};
use crate::model::{ObjectId, ObjectKind, OnlineTables, RegistryState};

/// An online store with a table per view, and what is in it.
pub struct Tables<'a> {
    pub project: &'a str,
    pub layout: OnlineTables<'a>,
    /// Those of the recorded tables that exist.
    pub existing: BTreeSet<String>,
}

/// Where the online store has other tables than the registry records, or the record others than the
/// registered views need.
pub fn online(state: &RegistryState, tables: &Tables<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let foreign = state.foreign.iter().map(|foreign| &foreign.id);
    let views = state.objects.keys().chain(foreign).filter(|id| id.kind == ObjectKind::FeatureView);
    let mut wanted = BTreeSet::new();
    for id in views {
        let table = (tables.layout.name)(tables.project, &id.name);
        let (kind, message) = match state.online_tables.get(&table) {
            None => (FindingKind::TableNotRecorded, format!("has no online table in the registry's record, `{table}`")),
            Some(file) => match misplaced(tables, &table, file) {
                Some(found) => found,
                None => {
                    wanted.insert(table);
                    continue;
                }
            },
        };
        wanted.insert(table);
        findings.push(Finding::new(kind, id.clone(), message));
    }
    let project = ObjectId::new(ObjectKind::Project, tables.project);
    for (table, file) in state.online_tables.iter().filter(|(table, _)| !wanted.contains(*table)) {
        if let Some((kind, message)) = misplaced(tables, table, file) {
            findings.push(Finding::new(kind, project.clone(), message));
        }
    }
    findings
}

/// What is wrong with a recorded table.
fn misplaced(tables: &Tables<'_>, table: &str, file: &str) -> Option<(FindingKind, String)> {
    if file != tables.layout.file {
        let message = format!("has its online table `{table}` in {file}, and the store is {}", tables.layout.file);
        Some((FindingKind::TableElsewhere, message))
    } else if tables.existing.contains(table) {
        None
    } else {
        Some((
            FindingKind::TableMissing,
            format!("has no table `{table}` in the online store, though the registry records it"),
        ))
    }
}
