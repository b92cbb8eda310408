use std::collections::BTreeSet;

use super::{Finding, FindingKind};
use crate::model::{ObjectId, ObjectKind, OnlineTables, RegistryState, Values, View, ViewId};

/// An online store with a table per view, and what is in it.
pub struct Tables<'a> {
    /// The project whose tables they are.
    pub project: &'a str,
    /// How its tables are called.
    pub layout: OnlineTables<'a>,
    /// Those of the recorded tables that exist.
    pub existing: BTreeSet<String>,
}

/// Where the online store has other tables than the registry records, or the record others than the
/// registered views need.
pub fn online(state: &RegistryState, tables: &Tables<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let foreign = state.foreign_views().filter(|foreign| foreign.id.kind.values() == Some(Values::Materialized));
    let views = state.views().filter(View::has_table).map(|view| view.id());
    let mut wanted = BTreeSet::new();
    for id in views.chain(foreign.map(|foreign| foreign.id.clone())) {
        let table = ViewId { project: tables.project, name: &id.name }.table();
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{FeatureView, Object, StreamFeatureView};

    fn stream(name: &str) -> Object {
        let FeatureView { name, entities, entity_columns, features, ttl, source, stream_source, .. } =
            FeatureView::new(name);
        Object::StreamFeatureView(StreamFeatureView {
            name,
            entities,
            entity_columns,
            features: features.into(),
            ttl,
            source,
            stream_source,
            aggregations: Vec::new(),
            timestamp_field: String::new(),
            enable_tiling: false,
            tiling_hop_size: None,
            online: true,
            enabled: true,
            enable_validation: false,
            mode: String::new(),
            version: crate::model::ViewVersion::Latest,
            description: String::new(),
            owner: String::new(),
            org: String::new(),
            tags: BTreeMap::new(),
        })
    }

    #[test]
    fn tables_of_views_of_all_kinds_are_looked_for() {
        let views = [Object::FeatureView(FeatureView::new("plain")), stream("lost"), stream("unrecorded")];
        let state = RegistryState {
            objects: views.into_iter().map(|view| (view.id(), view)).collect(),
            online_tables: ["shop_plain", "shop_lost"].map(|table| (table.to_owned(), "o.db".to_owned())).into(),
            ..RegistryState::default()
        };
        let layout = OnlineTables { store: "SQLite", file: "o.db" };
        let existing = BTreeSet::from(["shop_plain".to_owned()]);
        let findings = online(&state, &Tables { project: "shop", layout, existing });
        let found: Vec<_> = findings.iter().map(|finding| (finding.kind, finding.object.to_string())).collect();
        let stream = |name: &str| format!("stream feature view {name}");
        let expected =
            [(FindingKind::TableMissing, stream("lost")), (FindingKind::TableNotRecorded, stream("unrecorded"))];
        assert_eq!(found, expected);
    }
}
