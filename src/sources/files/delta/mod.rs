//! Delta tables: the files that one version of a table has, as its log says.

mod engine;
mod expressions;
mod rows;
mod schema;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use delta_kernel::{
    Engine, KernelError, KernelResult, Snapshot, SnapshotRef,
    history_manager::{HistoryCommitType, error::LogHistoryError, latest_version_as_of},
    scan::{StatsOptions, state::ScanFile},
    table_features::ColumnMappingMode,
};
use percent_encoding::percent_decode_str;
use url::Url;

use self::engine::LocalEngine;
use super::{DataFile, Place, SourceFiles, tree::DELTA_LOG, unreadable};
use crate::{
    model::{TableVersion, printable},
    problem::{Kind, Problem},
};

/// Finds the files of a table in a folder, which messages call `path`; those of its latest version, or of the one
/// that is asked for.
///
/// # Errors
/// When there is no table or no such version, or the table has something that is not understood.
pub(super) fn find(path: &str, folder: &Path, version: Option<TableVersion>) -> Result<SourceFiles, Problem> {
    if !folder.join(DELTA_LOG).is_dir() {
        let message = format!("`{path}` is not a Delta table: it has no folder `{DELTA_LOG}`");
        let help = "write the path of the table's folder, or another `file_format`".to_owned();
        return Err(Problem::new(Kind::NotFound, message, help));
    }
    let folder = std::path::absolute(folder).map_err(|error| unreadable(folder, &error))?;
    let problem = |error: KernelError| table_problem(path, version, error);
    let snapshot = snapshot(&folder, &LocalEngine, version).map_err(problem)?;
    let mapped = snapshot.table_properties().column_mapping_mode;
    if mapped.is_some_and(|mode| mode != ColumnMappingMode::None) {
        let message = format!("the Delta table `{path}` has columns with other names in its files (columnMapping)");
        let help = "write a copy of it without `delta.columnMapping.mode`".to_owned();
        return Err(Problem::new(Kind::Unsupported, message, help));
    }
    let found = files(&snapshot, &folder, &LocalEngine).map_err(problem)?;
    Ok(SourceFiles { table: Some(schema::fields(&snapshot.schema())), ..SourceFiles::of(found) })
}

/// The state of the table that is asked for.
fn snapshot(folder: &Path, engine: &dyn Engine, version: Option<TableVersion>) -> KernelResult<SnapshotRef> {
    let root = Url::from_directory_path(folder).map_err(|()| KernelError::invalid_table_location(folder.display()))?;
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
fn files(snapshot: &SnapshotRef, folder: &Path, engine: &dyn Engine) -> KernelResult<Vec<DataFile>> {
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
        files.push(DataFile {
            place: Place::Local(location(folder, &file.path)?),
            bytes: u64::try_from(file.size).unwrap_or(0),
            partitions: partitions.iter().map(value).collect(),
            deleted: file.dv_info.get_row_indexes(engine, snapshot.table_root())?.unwrap_or_default(),
        });
    }
    files.sort_by(|one, other| one.place.name().cmp(other.place.name()));
    Ok(files)
}

/// Where a file is that the log names: below the table's folder, or at a URL. Both are encoded as URLs are.
fn location(folder: &Path, named: &str) -> KernelResult<PathBuf> {
    let elsewhere = || KernelError::unsupported(format!("its file {named} is not on this machine"));
    match Url::parse(named) {
        Ok(url) if url.scheme() == "file" => url.to_file_path().map_err(|()| elsewhere()),
        Ok(_) => Err(elsewhere()),
        Err(_) => {
            let decoded = percent_decode_str(named).decode_utf8();
            Ok(folder.join(decoded.map_or_else(|_| named.to_owned(), |decoded| decoded.into_owned())))
        }
    }
}

fn table_problem(path: &str, version: Option<TableVersion>, error: KernelError) -> Problem {
    let error = match error {
        KernelError::Backtraced { source, .. } => *source,
        error => error,
    };
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
