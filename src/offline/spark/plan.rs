//! Plans: rows that statements, uploads and files give, and what is done with them.

use std::collections::HashMap;

use arrow::{error::ArrowError, ipc::writer::StreamWriter, record_batch::RecordBatch};

use super::messages::{
    Command, CreateDataFrameView, DataSource, LocalRelation, NamedTable, Plan, Read, Relation, RelationCommon, Sql,
    WriteOperation, command::CommandType, plan::OpType, read::ReadType, relation::RelType,
};

/// The rows that a statement gives.
pub(super) fn sql(query: &str) -> Relation {
    relation(RelType::Sql(Sql { query: query.to_owned() }))
}

/// Rows that are sent along.
///
/// # Errors
/// When they have no form in Arrow's streams.
pub(super) fn upload(rows: &RecordBatch) -> Result<Relation, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), rows.schema_ref())?;
    writer.write(rows)?;
    Ok(relation(RelType::LocalRelation(LocalRelation { data: Some(writer.into_inner()?) })))
}

/// The rows of a table or view, whose name is written as in SQL.
pub(super) fn table(name: &str) -> Relation {
    read(ReadType::NamedTable(NamedTable { unparsed_identifier: name.to_owned() }))
}

/// The rows of files at a path, in a format that the server knows by this name.
pub(super) fn files(format: &str, path: &str, options: &[(&str, &str)]) -> Relation {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    read(ReadType::DataSource(DataSource {
        format: Some(format.to_owned()),
        options: options.collect(),
        paths: vec![path.to_owned()],
    }))
}

/// Gives rows.
pub(super) fn root(rows: Relation) -> Plan {
    Plan { op_type: Some(OpType::Root(rows)) }
}

/// Gives rows a name in the session; the one before is forgotten.
pub(super) fn view(name: &str, rows: Relation) -> Plan {
    let view = CreateDataFrameView { input: Some(rows), name: name.to_owned(), is_global: false, replace: true };
    command(CommandType::CreateDataframeView(view))
}

/// Writes rows into a folder as parquet files; it must not be there yet, unless they are added to what is.
pub(super) fn write(rows: Relation, folder: &str, adds: bool) -> Plan {
    let options = HashMap::from([("compression".to_owned(), "zstd".to_owned())]);
    command(CommandType::WriteOperation(WriteOperation {
        input: Some(rows),
        source: Some("parquet".to_owned()),
        path: folder.to_owned(),
        mode: if adds { WriteOperation::APPEND } else { WriteOperation::ERROR_IF_EXISTS },
        options,
    }))
}

fn read(read_type: ReadType) -> Relation {
    relation(RelType::Read(Read { read_type: Some(read_type) }))
}

fn relation(rel_type: RelType) -> Relation {
    // Plans have one relation each, and its number only has to be another one in the same plan.
    Relation { common: Some(RelationCommon { plan_id: Some(0) }), rel_type: Some(rel_type) }
}

fn command(command: CommandType) -> Plan {
    Plan { op_type: Some(OpType::Command(Command { command_type: Some(command) })) }
}
