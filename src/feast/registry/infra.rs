//! The online tables that a registry records.

use std::collections::BTreeMap;

use prost::Message as _;

use super::messages::{self as wire, decode};

/// What Feast writes for an online table in SQLite.
const SQLITE_TABLE_CLASS: &str = "feast.infra.online_stores.sqlite.SqliteTable";

/// The SQLite online tables in a stored record of infrastructure: table name to database file; none of a
/// damaged record.
pub fn online_tables(infra: &[u8]) -> BTreeMap<String, String> {
    let message: wire::Infra = decode(infra).unwrap_or_default();
    let tables = message.infra_objects.into_iter().filter_map(|object| object.sqlite_table);
    tables.map(|table| (table.name, table.path)).collect()
}

/// The record of infrastructure with these online tables, sorted by name; objects of other kinds in the
/// `stored` one stay.
pub fn with_online_tables(stored: Option<&[u8]>, tables: &BTreeMap<String, String>) -> Vec<u8> {
    let stored: wire::Infra = stored.and_then(|bytes| decode(bytes).ok()).unwrap_or_default();
    let others = stored.infra_objects.into_iter().filter(|object| object.sqlite_table.is_none());
    let tables = tables.iter().map(|(name, path)| wire::InfraObject {
        infra_object_class_type: SQLITE_TABLE_CLASS.to_owned(),
        sqlite_table: Some(wire::SqliteTable { path: path.clone(), name: name.clone() }),
        ..wire::InfraObject::default()
    });
    wire::Infra { infra_objects: others.chain(tables).collect() }.encode_to_vec()
}
