use std::{collections::BTreeMap, path::PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::schema::{ColumnType, INFRA_NAME, TABLES, object_table};
use crate::{
    model::ObjectKind,
    registry::store::{RegistryError, RegistryStore, Row, Snapshot, VersionRow, Write},
    sqlite::SqliteFile,
};

/// Feast's SQL registry in an SQLite file.
pub struct SqliteRegistry {
    file: SqliteFile,
}

impl SqliteRegistry {
    /// The registry in the file at `path`, which need not exist yet.
    pub fn new(path: PathBuf) -> Self {
        Self { file: SqliteFile::new("registry", path) }
    }

    fn explain(&self, error: &rusqlite::Error) -> RegistryError {
        self.file.explain(error).into()
    }
}

impl RegistryStore for SqliteRegistry {
    fn snapshot(&self, project: &str) -> Result<Snapshot, RegistryError> {
        let Some(mut connection) = self.file.open_for_reading()? else { return Ok(Snapshot::default()) };
        let read = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            if !has_tables(&transaction)? {
                return Ok(Snapshot::default());
            }
            read_snapshot(&transaction, project)
        };
        read(&mut connection).map_err(|error| self.explain(&error))
    }

    fn versions(&self, project: &str) -> Result<Vec<VersionRow>, RegistryError> {
        let Some(connection) = self.file.open_for_reading()? else { return Ok(Vec::new()) };
        let read = || {
            if !has_tables(&connection)? {
                return Ok(Vec::new());
            }
            read_versions(&connection, project)
        };
        read().map_err(|error| self.explain(&error))
    }

    fn projects(&self) -> Result<Vec<String>, RegistryError> {
        let Some(connection) = self.file.open_for_reading()? else { return Ok(Vec::new()) };
        let read = || {
            if !has_tables(&connection)? {
                return Ok(Vec::new());
            }
            let mut statement = connection.prepare("SELECT project_id FROM projects ORDER BY project_id")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(|error| self.explain(&error))
    }

    fn update(
        &self,
        project: &str,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), RegistryError> {
        let mut connection = self.file.open_for_writing()?;
        let mut run = || {
            // The write lock is taken before anything is read, so that two updates cannot interleave.
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for statement in TABLES.iter().flat_map(|table| table.create_statements(spell)) {
                transaction.execute(&statement, [])?;
            }
            let snapshot = read_snapshot(&transaction, project)?;
            match decide(&snapshot) {
                Some(writes) => {
                    for write in &writes {
                        execute(&transaction, project, write)?;
                    }
                    transaction.commit()
                }
                None => transaction.rollback(),
            }
        };
        run().map_err(|error| self.explain(&error))
    }

    fn location(&self) -> String {
        self.file.path().display().to_string()
    }
}

fn spell(kind: ColumnType) -> String {
    match kind {
        ColumnType::Varchar(length) => format!("VARCHAR({length})"),
        ColumnType::Text => "TEXT".to_owned(),
        ColumnType::Integer => "INTEGER".to_owned(),
        ColumnType::BigInt => "BIGINT".to_owned(),
        ColumnType::Blob => "BLOB".to_owned(),
    }
}

fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    let count: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('projects', 'entities', 'feature_views')",
        [],
        |row| row.get(0),
    )?;
    Ok(count == 3)
}

fn read_snapshot(connection: &Connection, project: &str) -> rusqlite::Result<Snapshot> {
    let mut rows = Vec::new();
    for kind in ObjectKind::ALL {
        let table = object_table(kind);
        let mut statement = connection.prepare(&format!(
            "SELECT {}, last_updated_timestamp, {} FROM {} WHERE project_id = ?1 ORDER BY {0}",
            table.name, table.proto, table.table
        ))?;
        let found = statement.query_map([project], |row| {
            Ok(Row { kind, name: row.get(0)?, updated: row.get(1)?, proto: row.get(2)? })
        })?;
        for row in found {
            rows.push(row?);
        }
    }
    let infra = connection
        .query_row("SELECT infra_proto FROM managed_infra WHERE project_id = ?1", [project], |row| row.get(0))
        .optional()?;
    let versions = pairs(
        connection,
        "SELECT feature_view_name, max(version_number) FROM feature_view_version_history
         WHERE project_id = ?1 GROUP BY feature_view_name",
        project,
    )?;
    let metadata =
        pairs(connection, "SELECT metadata_key, metadata_value FROM feast_metadata WHERE project_id = ?1", project)?;
    Ok(Snapshot { rows, infra, versions, metadata })
}

fn read_versions(connection: &Connection, project: &str) -> rusqlite::Result<Vec<VersionRow>> {
    let mut statement = connection.prepare(
        "SELECT feature_view_name, feature_view_type, version_number, feature_view_proto, created_timestamp, version_id
         FROM feature_view_version_history WHERE project_id = ?1 ORDER BY feature_view_name, version_number",
    )?;
    let versions = statement.query_map([project], |row| {
        Ok(VersionRow {
            view: row.get(0)?,
            view_type: row.get(1)?,
            number: row.get(2)?,
            proto: row.get(3)?,
            created: row.get(4)?,
            id: row.get(5)?,
        })
    })?;
    versions.collect()
}

fn pairs<T: rusqlite::types::FromSql>(
    connection: &Connection,
    query: &str,
    project: &str,
) -> rusqlite::Result<BTreeMap<String, T>> {
    let mut statement = connection.prepare(query)?;
    statement.query_map([project], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn execute(transaction: &Transaction<'_>, project: &str, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Put(row) => put(transaction, project, row)?,
        Write::Delete { kind, name } => {
            let table = object_table(*kind);
            transaction.execute(
                &format!("DELETE FROM {} WHERE project_id = ?1 AND {} = ?2", table.table, table.name),
                params![project, name],
            )?;
            if kind.is_view() {
                transaction.execute(
                    "DELETE FROM feature_view_version_history WHERE project_id = ?1 AND feature_view_name = ?2",
                    params![project, name],
                )?;
            }
        }
        Write::AddVersion(version) => {
            transaction.execute(
                "INSERT INTO feature_view_version_history (feature_view_name, project_id, version_number,
                 feature_view_type, feature_view_proto, created_timestamp, description, version_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', ?7)",
                params![
                    version.view,
                    project,
                    version.number,
                    version.view_type,
                    version.proto,
                    version.created,
                    version.id
                ],
            )?;
        }
        Write::PutInfra { proto, updated } => {
            transaction.execute(
                "INSERT INTO managed_infra (infra_name, project_id, last_updated_timestamp, infra_proto)
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (infra_name, project_id) DO UPDATE
                 SET last_updated_timestamp = excluded.last_updated_timestamp, infra_proto = excluded.infra_proto",
                params![INFRA_NAME, project, updated, proto],
            )?;
        }
        Write::PutMetadata { key, value, updated } => {
            transaction.execute(
                "INSERT INTO feast_metadata (project_id, metadata_key, metadata_value, last_updated_timestamp)
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (project_id, metadata_key) DO UPDATE
                 SET metadata_value = excluded.metadata_value,
                     last_updated_timestamp = excluded.last_updated_timestamp",
                params![project, key, value, updated],
            )?;
        }
        Write::DeleteProject => {
            for table in &TABLES {
                transaction.execute(&format!("DELETE FROM {} WHERE project_id = ?1", table.name), [project])?;
            }
        }
    }
    Ok(())
}

/// Updates the columns feastr writes and leaves the others (`user_metadata`) alone.
fn put(transaction: &Transaction<'_>, project: &str, row: &Row) -> rusqlite::Result<()> {
    let table = object_table(row.kind);
    let changed = transaction.execute(
        &format!(
            "UPDATE {} SET last_updated_timestamp = ?1, {} = ?2 WHERE project_id = ?3 AND {} = ?4",
            table.table, table.proto, table.name
        ),
        params![row.updated, row.proto, project, row.name],
    )?;
    if changed == 0 {
        transaction.execute(
            &format!(
                "INSERT INTO {} ({}, project_id, last_updated_timestamp, {}) VALUES (?1, ?2, ?3, ?4)",
                table.table, table.name, table.proto
            ),
            params![row.name, project, row.updated, row.proto],
        )?;
    }
    Ok(())
}
