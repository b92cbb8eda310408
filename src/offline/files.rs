//! The files of a source: which ones, and what their headers say.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use arrow::datatypes::DataType as ArrowType;
use ignore::{WalkBuilder, overrides::OverrideBuilder};
use parquet::arrow::{arrow_reader::ArrowReaderMetadata, arrow_reader::ArrowReaderOptions};

use super::json_lines;
use crate::model::{DataSource, FileFormat, FileSource, SourceColumn, SourceKind, SourceProblem, SourceSchema};

/// The files behind a source, sorted by path; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFiles {
    pub paths: Vec<PathBuf>,
    pub format: ReadableFormat,
    /// Folder whose sub-folders named `key=value` are partitions.
    pub partitioned_below: Option<PathBuf>,
}

/// The formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadableFormat {
    Parquet,
    Csv,
    Json,
}

impl ReadableFormat {
    const fn ending(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// Finds the files of a source; relative paths start at `repo`.
///
/// # Errors
/// When there are none, or they are of a kind that cannot be read.
pub fn find(source: &DataSource, repo: &Path) -> Result<SourceFiles, SourceProblem> {
    let SourceKind::File(file) = &source.kind else {
        let message = format!("data source `{}` is of type {}, which is not supported yet", source.name, source.kind);
        return Err(SourceProblem::new(message, None));
    };
    let format = readable_format(file)?;
    if let Some((scheme, _)) = file.path.split_once("://") {
        let help = "feastr cannot read it; to plan and apply all the same, declare the view's `schema` and the source's \
                    `timestamp_field`, and use --skip-source-validation";
        let message = format!("sources in `{scheme}://` are not supported yet");
        return Err(SourceProblem::new(message, help.to_owned()));
    }
    let path = repo.join(&file.path);
    if path.is_file() {
        return Ok(SourceFiles { paths: vec![path], format, partitioned_below: None });
    }
    if path.is_dir() {
        let paths = files_below(&path, format)?;
        if paths.is_empty() {
            let message = format!("the folder `{}` has no .{} files", file.path, format.ending());
            return Err(SourceProblem::new(message, None));
        }
        return Ok(SourceFiles { paths, format, partitioned_below: Some(path) });
    }
    if file.path.contains(['*', '?', '[', '{']) {
        let paths = matching(&file.path, repo)?;
        if paths.is_empty() {
            return Err(SourceProblem::new(
                format!("no file matches `{}`", file.path),
                relative_help(&file.path, repo),
            ));
        }
        return Ok(SourceFiles { paths, format, partitioned_below: None });
    }
    Err(SourceProblem::new(format!("there is no file `{}`", file.path), relative_help(&file.path, repo)))
}

fn relative_help(path: &str, repo: &Path) -> Option<String> {
    (!Path::new(path).is_absolute()).then(|| format!("relative paths start at the repo, {}", repo.display()))
}

fn readable_format(file: &FileSource) -> Result<ReadableFormat, SourceProblem> {
    match file.format {
        None | Some(FileFormat::Parquet) => Ok(ReadableFormat::Parquet),
        Some(FileFormat::Csv) => Ok(ReadableFormat::Csv),
        Some(FileFormat::Json) => Ok(ReadableFormat::Json),
        Some(FileFormat::Delta) => Err(SourceProblem::new("Delta tables are not supported yet", None)),
    }
}

fn files_below(folder: &Path, format: ReadableFormat) -> Result<Vec<PathBuf>, SourceProblem> {
    collect(WalkBuilder::new(folder).standard_filters(false).build(), |path| {
        path.extension().is_some_and(|ending| ending == format.ending())
    })
}

/// The files that match a glob such as `data/2026-*/part-*.parquet`.
fn matching(pattern: &str, repo: &Path) -> Result<Vec<PathBuf>, SourceProblem> {
    // Walking starts at the part without wildcards, so that a glob does not search everything.
    let absolute = repo.join(pattern);
    let fixed: PathBuf = absolute
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
        .collect();
    let Ok(rest) = absolute.strip_prefix(&fixed) else { return Ok(Vec::new()) };
    if !fixed.is_dir() {
        return Ok(Vec::new());
    }
    let problem = |error: ignore::Error| SourceProblem::new(format!("`{pattern}` is no pattern: {error}"), None);
    let mut overrides = OverrideBuilder::new(&fixed);
    overrides.add(&format!("/{}", rest.display())).map_err(problem)?;
    let overrides = overrides.build().map_err(problem)?;
    collect(WalkBuilder::new(&fixed).standard_filters(false).overrides(overrides).build(), |_| true)
}

fn collect(walk: ignore::Walk, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, SourceProblem> {
    let mut paths = Vec::new();
    for entry in walk {
        let entry = entry.map_err(|error| SourceProblem::new(format!("cannot look for files: {error}"), None))?;
        if entry.file_type().is_some_and(|kind| !kind.is_dir()) && wanted(entry.path()) {
            paths.push(entry.into_path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// The columns of a source, from the header or the first rows of its first file.
///
/// # Errors
/// When a file cannot be read.
pub fn inspect(source: &DataSource, repo: &Path) -> Result<SourceSchema, SourceProblem> {
    let files = find(source, repo)?;
    match files.format {
        ReadableFormat::Parquet => inspect_parquet(&files),
        ReadableFormat::Csv => inspect_csv(&files),
        ReadableFormat::Json => json_lines::inspect(&files.paths[0]),
    }
}

fn inspect_parquet(files: &SourceFiles) -> Result<SourceSchema, SourceProblem> {
    let mut schema = SourceSchema { columns: Vec::new(), rows: None };
    let mut rows = 0_i64;
    for (index, path) in files.paths.iter().enumerate() {
        let metadata = footer(path)?;
        rows += metadata.metadata().file_metadata().num_rows();
        if index == 0 {
            schema.columns = metadata
                .schema()
                .fields()
                .iter()
                .map(|field| SourceColumn { name: field.name().clone(), arrow: field.data_type().clone() })
                .collect();
        }
    }
    schema.rows = u64::try_from(rows).ok();
    schema.columns.extend(partition_columns(files, &schema));
    Ok(schema)
}

fn footer(path: &Path) -> Result<ArrowReaderMetadata, SourceProblem> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|error| {
        let message = format!("{} is not a readable parquet file: {error}", path.display());
        SourceProblem::new(message, other_format(path).map(|format| format!("set `file_format: {format}`")))
    })
}

/// The format that a file seems to have by its name, if it is not parquet.
fn other_format(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "csv" => Some("csv"),
        "json" | "jsonl" | "ndjson" => Some("json"),
        _ => None,
    }
}

fn inspect_csv(files: &SourceFiles) -> Result<SourceSchema, SourceProblem> {
    let path = &files.paths[0];
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut lines = io::BufRead::lines(io::BufReader::new(file));
    let header = lines.next().transpose().map_err(|error| unreadable(path, &error))?.unwrap_or_default();
    let columns = header.split(',').map(|name| name.trim().trim_matches('"').to_owned());
    let columns: Vec<SourceColumn> =
        columns.filter(|name| !name.is_empty()).map(|name| SourceColumn { name, arrow: ArrowType::Utf8 }).collect();
    let rows = if lines.next().is_none() { Some(0) } else { None };
    Ok(SourceSchema { columns, rows })
}

/// The problem of a file that cannot be read.
pub fn unreadable(path: &Path, error: &io::Error) -> SourceProblem {
    SourceProblem::new(format!("cannot read {}: {error}", path.display()), None)
}

/// Columns that are in folder names (`day=2026-01-01`) instead of in the files.
fn partition_columns(files: &SourceFiles, schema: &SourceSchema) -> Vec<SourceColumn> {
    let Some(folder) = &files.partitioned_below else { return Vec::new() };
    let Some(parent) = files.paths.first().and_then(|path| path.strip_prefix(folder).ok()).and_then(Path::parent)
    else {
        return Vec::new();
    };
    let names = parent.iter().filter_map(|part| part.to_str()?.split_once('=').map(|(name, _)| name.to_owned()));
    names
        .filter(|name| schema.column(name).is_none())
        .map(|name| SourceColumn { name, arrow: ArrowType::Utf8 })
        .collect()
}
