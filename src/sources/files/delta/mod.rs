//! Delta tables: the files that one version of a table has, as its log says.

mod engine;
mod expressions;
mod rows;
mod schema;
mod table_files;

#[cfg(test)]
mod tests;

use std::path::Path;

use delta_kernel::{
    KernelError, KernelResult, Snapshot, SnapshotRef,
    history_manager::{HistoryCommitType, error::LogHistoryError, latest_version_as_of},
    scan::{StatsOptions, state::ScanFile},
    table_features::ColumnMappingMode,
};

use self::{engine::TableEngine, table_files::TableFiles};
use super::{DataFile, SourceFiles, tree::DELTA_LOG, unreadable};
use crate::{
    clients::buckets::Bucket,
    config::BucketUrl,
    model::{TableVersion, printable},
    problem::{Kind, Problem},
};

/// Finds the files of a table in a folder, which messages call `path`; those of its latest version, or of the one
/// that is asked for.
///
/// # Errors
/// When there is no table or no such version, or the table has something that is not understood.
pub(super) fn find(path: &str, folder: &Path, version: Option<TableVersion>) -> Result<SourceFiles, Problem> {
    let folder = std::path::absolute(folder).map_err(|error| unreadable(folder, &error))?;
    find_in(path, TableFiles::Local(folder), version)
}

/// The same in a folder of a bucket.
///
/// # Errors
/// As for [`find`], and when the store gives no answer.
pub(super) fn find_in_bucket(
    path: &str,
    (bucket, url): (Bucket, &BucketUrl),
    version: Option<TableVersion>,
) -> Result<SourceFiles, Problem> {
    find_in(path, TableFiles::in_bucket(bucket, url), version)
}

fn find_in(path: &str, table: TableFiles, version: Option<TableVersion>) -> Result<SourceFiles, Problem> {
    if !table.have_log()? {
        let message = format!("`{path}` is not a Delta table: it has no folder `{DELTA_LOG}`");
        let help = "write the path of the table's folder, or another `file_format`".to_owned();
        return Err(Problem::new(Kind::NotFound, message, help));
    }
    let engine = TableEngine(table);
    let problem = |error: KernelError| table_problem(path, version, error);
    let snapshot = snapshot(&engine, version).map_err(problem)?;
    let mapped = snapshot.table_properties().column_mapping_mode;
    if mapped.is_some_and(|mode| mode != ColumnMappingMode::None) {
        let message = format!("the Delta table `{path}` has columns with other names in its files (columnMapping)");
        let help = "write a copy of it without `delta.columnMapping.mode`".to_owned();
        return Err(Problem::new(Kind::Unsupported, message, help));
    }
    let found = files(&snapshot, &engine).map_err(problem)?;
    Ok(SourceFiles { table: Some(schema::fields(&snapshot.schema())), ..SourceFiles::of(found) })
}

/// The state of the table that is asked for.
fn snapshot(engine: &TableEngine, version: Option<TableVersion>) -> KernelResult<SnapshotRef> {
    let root = engine.0.root()?;
    let of = |version: Option<u64>| {
        let builder = Snapshot::builder_for(root.as_str());
        version.into_iter().fold(builder, |builder, version| builder.at_version(version)).build(engine)
    };
    match version {
        None => of(None),
        Some(TableVersion::Number(version)) => of(Some(version)),
        Some(TableVersion::AsOf(moment)) => {
            let millis = moment.micros().div_euclid(1_000);
            let commit = latest_version_as_of(&*of(None)?, engine, millis, HistoryCommitType::Recreatable)?;
            of(Some(commit.version))
        }
    }
}

/// The files of a state, sorted by path.
fn files(snapshot: &SnapshotRef, engine: &TableEngine) -> KernelResult<Vec<DataFile>> {
    let scan = SnapshotRef::clone(snapshot).scan_builder().with_stats(StatsOptions::none()).without_row_transforms();
    let scan = scan.build()?;
    // What is not in the files is what the log says of each.
    let in_files = scan.physical_schema();
    let partitions: Vec<&str> = scan
        .logical_schema()
        .fields()
        .map(|field| field.name.as_str())
        .filter(|name| in_files.field(name).is_none())
        .collect();
    let mut listed: Vec<ScanFile> = Vec::new();
    for metadata in scan.scan_metadata(engine)? {
        listed = metadata?.visit_scan_files(listed, |listed, file| listed.push(file))?;
    }
    let mut files = Vec::with_capacity(listed.len());
    for file in listed {
        let value = |name: &&str| {
            // The format has one word for both.
            let value = file.partition_values.get(*name).filter(|value| !value.is_empty());
            ((*name).to_owned(), value.cloned())
        };
        let bytes = u64::try_from(file.size).unwrap_or(0);
        files.push(DataFile {
            place: engine.0.place(&file.path, bytes, file.modification_time)?,
            bytes,
            partitions: partitions.iter().map(value).collect(),
            deleted: file.dv_info.get_row_indexes(engine, snapshot.table_root())?.unwrap_or_default(),
        });
    }
    files.sort_by(|one, other| one.place.name().cmp(other.place.name()));
    Ok(files)
}

/// What a store of buckets said, if that is what is wrong.
fn said_by_store(error: &KernelError) -> Option<&Problem> {
    match error {
        KernelError::GenericError { source } => source.downcast_ref(),
        _ => None,
    }
}

fn table_problem(path: &str, version: Option<TableVersion>, error: KernelError) -> Problem {
    let error = match error {
        KernelError::Backtraced { source, .. } => *source,
        error => error,
    };
    if let Some(problem) = said_by_store(&error) {
        return problem.clone();
    }
    let absent = match &error {
        KernelError::MissingVersion(_) => true,
        KernelError::LogHistory(history) => matches!(**history, LogHistoryError::TimestampOutOfRange { .. }),
        _ => false,
    };
    match (version, error) {
        (Some(TableVersion::Number(number)), _) if absent => {
            let message = format!("the Delta table `{path}` has no version {number}");
            Problem::new(Kind::NotFound, message, "leave `delta_version` out to read the latest".to_owned())
        }
        (Some(TableVersion::AsOf(moment)), _) if absent => {
            let message = format!("the Delta table `{path}` has no version as old as {moment}");
            Problem::new(Kind::NotFound, message, "write a later `delta_timestamp`".to_owned())
        }
        (_, KernelError::Unsupported(what)) => {
            let message = format!("the Delta table `{path}` needs what feastr does not know: {}", printable(&what));
            Problem::new(Kind::Unsupported, message, None)
        }
        (_, error) => {
            let reason = error.to_string();
            let message = format!("the Delta table `{path}` cannot be read: {}", printable(&reason));
            Problem::new(Kind::Invalid, message, None)
        }
    }
}
