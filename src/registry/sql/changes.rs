//! A list of writes as what is left to do in each table.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    dialect::{Columns, Dialect},
    schema::{CHANGES, INFRA_NAME, TABLES, Table, object_table},
    session::{Session, SqlFailure},
    value::Parameter,
};
use crate::{
    model::{ChangeRecord, ObjectKind},
    registry::{
        notes::is_leftover,
        objects::{Row, Snapshot, VersionRow, Write},
    },
};

/// Parameters of one statement at most, a limit of SQLite and of the protocols.
const MAX_PARAMETERS: usize = 30_000;
/// Bytes of one statement after which the next one begins; servers limit the size of a message.
const MAX_BYTES: usize = 1 << 20;

/// What a list of writes comes to: removed first, then written. The order of the list is kept where
/// it matters.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    everything_removed: bool,
    removed: BTreeSet<(ObjectKind, &'a str)>,
    rows: BTreeMap<(ObjectKind, &'a str), &'a Row>,
    versions: Vec<&'a VersionRow>,
    infra: Option<(&'a [u8], i64)>,
    metadata: BTreeMap<&'a str, (&'a str, i64)>,
    removed_metadata: BTreeSet<&'a str>,
    /// For the log of changes.
    records: Vec<&'a ChangeRecord>,
}

impl<'a> Changes<'a> {
    pub(crate) fn of(writes: &'a [Write]) -> Self {
        let mut changes = Self::default();
        for write in writes {
            match write {
                Write::Put(row) => {
                    changes.rows.insert((row.kind, &row.name), row);
                }
                Write::Delete { kind, name } => {
                    changes.rows.remove(&(*kind, name.as_str()));
                    changes.removed.insert((*kind, name));
                    if kind.is_view() {
                        changes.versions.retain(|version| version.view != *name);
                    }
                }
                Write::AddVersion(version) => changes.versions.push(version),
                Write::PutInfra { proto, updated } => changes.infra = Some((proto, *updated)),
                Write::PutMetadata { key, value, updated } => {
                    changes.metadata.insert(key, (value, *updated));
                }
                Write::DeleteMetadata { key } => {
                    changes.metadata.remove(key.as_str());
                    changes.removed_metadata.insert(key);
                }
                Write::DeleteProject => {
                    changes = Self { everything_removed: true, records: changes.records, ..Self::default() };
                }
                Write::Record(record) => changes.records.push(record),
            }
        }
        changes
    }

    /// Carries the changes out with few statements. `snapshot` is what the project holds.
    ///
    /// What is new is inserted and never replaces anything, so that a row another client has
    /// inserted meanwhile is a conflict.
    pub(crate) fn write(
        &self,
        session: &mut dyn Session,
        dialect: &Dialect,
        here: &Columns,
        project: &str,
        snapshot: &Snapshot,
    ) -> Result<(), SqlFailure> {
        self.remove(session, dialect, here, project)?;
        let old = if self.everything_removed { &Snapshot::default() } else { snapshot };
        let stored: BTreeSet<(ObjectKind, &str)> =
            old.rows.iter().map(|row| (row.kind, row.name.as_str())).filter(|id| !self.removed.contains(id)).collect();
        for kind in ObjectKind::ALL {
            let names = object_table(kind);
            let of_kind = self.rows.iter().filter(|((row_kind, _), _)| *row_kind == kind);
            let (known, new): (Vec<_>, Vec<_>) = of_kind.partition(|(id, _)| stored.contains(id));
            for (replace, rows) in [(false, new), (true, known)] {
                let rows: Vec<Vec<Parameter<'_>>> = rows
                    .into_iter()
                    .map(|(_, row)| {
                        vec![
                            Parameter::Text(&row.name),
                            Parameter::Text(project),
                            Parameter::Integer(row.updated),
                            Parameter::Bytes(&row.proto),
                        ]
                    })
                    .collect();
                let columns = [names.name, "project_id", "last_updated_timestamp", names.proto];
                insert(session, dialect, table(names.table), &columns, &rows, replace)?;
            }
        }
        self.write_versions(session, dialect, project)?;
        self.write_infra(session, dialect, project, old)?;
        self.write_notes(session, dialect, project, old)?;
        if here.has_table(CHANGES.name) { self.write_records(session, dialect, project) } else { Ok(()) }
    }

    fn remove(
        &self,
        session: &mut dyn Session,
        dialect: &Dialect,
        here: &Columns,
        project: &str,
    ) -> Result<(), SqlFailure> {
        if self.everything_removed {
            for table in TABLES.iter().filter(|table| here.has_table(table.name)) {
                session.run(&dialect.delete_project(table.name), &[Parameter::Text(project)])?;
            }
        }
        let mut views = Vec::new();
        for kind in ObjectKind::ALL {
            let table = object_table(kind);
            let names: Vec<&str> =
                self.removed.iter().filter(|(removed, _)| *removed == kind).map(|(_, name)| *name).collect();
            delete(session, dialect, table.table, table.name, project, &names)?;
            if kind.is_view() {
                views.extend(names);
            }
        }
        delete(session, dialect, "feature_view_version_history", "feature_view_name", project, &views)?;
        let keys: Vec<&str> = self.removed_metadata.iter().copied().collect();
        delete(session, dialect, "feast_metadata", "metadata_key", project, &keys)
    }

    fn write_versions(&self, session: &mut dyn Session, dialect: &Dialect, project: &str) -> Result<(), SqlFailure> {
        let versions: Vec<Vec<Parameter<'_>>> = self
            .versions
            .iter()
            .map(|version| {
                vec![
                    Parameter::Text(&version.view),
                    Parameter::Text(project),
                    Parameter::Integer(version.number.into()),
                    Parameter::Text(&version.view_type),
                    Parameter::Bytes(&version.proto),
                    Parameter::Integer(version.created),
                    Parameter::Text(""),
                    Parameter::Text(&version.id),
                ]
            })
            .collect();
        let history = table("feature_view_version_history");
        let columns: Vec<&str> = history.columns.iter().map(|column| column.name).collect();
        insert(session, dialect, history, &columns, &versions, false)
    }

    /// The record of online infrastructure.
    fn write_infra(
        &self,
        session: &mut dyn Session,
        dialect: &Dialect,
        project: &str,
        old: &Snapshot,
    ) -> Result<(), SqlFailure> {
        let infra: Vec<Vec<Parameter<'_>>> = self
            .infra
            .iter()
            .map(|(proto, updated)| {
                vec![
                    Parameter::Text(INFRA_NAME),
                    Parameter::Text(project),
                    Parameter::Integer(*updated),
                    Parameter::Bytes(proto),
                ]
            })
            .collect();
        let columns = ["infra_name", "project_id", "last_updated_timestamp", "infra_proto"];
        insert(session, dialect, table("managed_infra"), &columns, &infra, old.infra.is_some())
    }

    fn write_notes(
        &self,
        session: &mut dyn Session,
        dialect: &Dialect,
        project: &str,
        old: &Snapshot,
    ) -> Result<(), SqlFailure> {
        // A change of one object has not read which values are left behind; whoever notes the same ones again says the same.
        let is_known = |key: &str| old.metadata.contains_key(key) || is_leftover(key);
        let (known, new): (Vec<_>, Vec<_>) = self.metadata.iter().partition(|(key, _)| is_known(key));
        for (replace, notes) in [(false, new), (true, known)] {
            let rows: Vec<Vec<Parameter<'_>>> = notes
                .into_iter()
                .map(|(key, (value, updated))| {
                    vec![
                        Parameter::Text(project),
                        Parameter::Text(key),
                        Parameter::Text(value),
                        Parameter::Integer(*updated),
                    ]
                })
                .collect();
            let columns = ["project_id", "metadata_key", "metadata_value", "last_updated_timestamp"];
            insert(session, dialect, table("feast_metadata"), &columns, &rows, replace)?;
        }
        Ok(())
    }

    /// The log of changes.
    fn write_records(&self, session: &mut dyn Session, dialect: &Dialect, project: &str) -> Result<(), SqlFailure> {
        // A record always has a JSON form.
        let texts = self.records.iter().map(|record| serde_json::to_string(record).unwrap_or_default());
        let texts: Vec<String> = texts.collect();
        let mut rows = Vec::with_capacity(texts.len());
        for (record, text) in self.records.iter().zip(&texts) {
            let at = Parameter::Integer(record.at.micros());
            rows.push(vec![Parameter::Text(&record.id), Parameter::Text(project), at, Parameter::Text(text)]);
        }
        let columns: Vec<&str> = CHANGES.columns.iter().map(|column| column.name).collect();
        insert(session, dialect, &CHANGES, &columns, &rows, false)
    }
}

/// A table of the registry. All names that come here are in [`TABLES`].
fn table(name: &str) -> &'static Table {
    TABLES.iter().find(|table| table.name == name).unwrap_or(&TABLES[0])
}

/// Inserts rows in as few statements as their size allows.
fn insert(
    session: &mut dyn Session,
    dialect: &Dialect,
    table: &Table,
    columns: &[&str],
    rows: &[Vec<Parameter<'_>>],
    replace: bool,
) -> Result<(), SqlFailure> {
    let mut rest = rows;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take(MAX_PARAMETERS / columns.len()).take_while(|row| {
            bytes += row.iter().map(Parameter::size).sum::<usize>();
            bytes <= MAX_BYTES
        });
        // One row always goes, whatever its size.
        let (now, later) = rest.split_at(fitting.count().max(1));
        let parameters: Vec<Parameter<'_>> = now.iter().flatten().copied().collect();
        session.run(&dialect.insert(table, columns, now.len(), replace), &parameters)?;
        rest = later;
    }
    Ok(())
}

fn delete(
    session: &mut dyn Session,
    dialect: &Dialect,
    table: &str,
    column: &str,
    project: &str,
    names: &[&str],
) -> Result<(), SqlFailure> {
    for names in names.chunks(MAX_PARAMETERS - 1) {
        let parameters: Vec<Parameter<'_>> =
            std::iter::once(project).chain(names.iter().copied()).map(Parameter::Text).collect();
        session.run(&dialect.delete(table, column, names.len()), &parameters)?;
    }
    Ok(())
}
