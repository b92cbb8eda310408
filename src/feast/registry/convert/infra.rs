use std::collections::BTreeMap;

use crate::feast::registry::messages as wire;

/// What Feast writes for an online table in SQLite.
const SQLITE_TABLE_CLASS: &str = "feast.infra.online_stores.sqlite.SqliteTable";

/// The SQLite online tables an apply recorded: table name to database file.
pub fn online_tables_from_message(message: &wire::Infra) -> BTreeMap<String, String> {
    let tables = message.infra_objects.iter().filter_map(|object| object.sqlite_table.as_ref());
    tables.map(|table| (table.name.clone(), table.path.clone())).collect()
}

/// The record of online tables, sorted by name; objects of other kinds are taken over from `stored`.
pub fn online_tables_to_message(tables: &BTreeMap<String, String>, stored: Option<wire::Infra>) -> wire::Infra {
    let others = stored.unwrap_or_default().infra_objects.into_iter().filter(|object| object.sqlite_table.is_none());
    let tables = tables.iter().map(|(name, path)| wire::InfraObject {
        infra_object_class_type: SQLITE_TABLE_CLASS.to_owned(),
        sqlite_table: Some(wire::SqliteTable { path: path.clone(), name: name.clone() }),
        ..wire::InfraObject::default()
    });
    wire::Infra { infra_objects: others.chain(tables).collect() }
}
