//! Where a server finds the rows of a data source.

use std::path::Path;

use super::{messages::Relation, plan};
use crate::{
    model::{DataSource, FileFormat, FileSource, SourceKind, SparkSource},
    problem::{Kind, Problem},
};

/// The rows of a source; paths of files that are relative start at the folder of the repo, as the server sees it.
///
/// # Errors
/// When they are of a kind that is not asked for on Spark.
pub(super) fn rows(source: &DataSource, repo: &Path) -> Result<Relation, Problem> {
    match &source.kind {
        SourceKind::Spark(spark) => of_spark(source, spark),
        SourceKind::File(file) => of_files(source, file, repo),
        kind => {
            let help =
                "declare it as `type: spark` with the table as the cluster knows it, or use another offline store";
            let message = format!("data source `{}` is of type {kind}, which is not read on Spark", source.name);
            Err(Problem::new(Kind::Unsupported, message, help.to_owned()))
        }
    }
}

fn of_spark(source: &DataSource, spark: &SparkSource) -> Result<Relation, Problem> {
    if !spark.table.is_empty() {
        Ok(plan::table(&spark.table))
    } else if !spark.query.is_empty() {
        Ok(plan::sql(&spark.query))
    } else if !spark.path.is_empty() {
        Ok(plan::files(&spark.file_format, &spark.path, &[]))
    } else {
        let message = format!("data source `{}` says neither a table nor a query nor a path", source.name);
        Err(Problem::new(Kind::Invalid, message, "give it one of them and apply".to_owned()))
    }
}

fn of_files(source: &DataSource, file: &FileSource, repo: &Path) -> Result<Relation, Problem> {
    if let Some(format) = file.format.filter(|format| *format != FileFormat::Parquet) {
        let help = match format {
            FileFormat::Delta => "declare it as `type: spark` with its `path` and `file_format: delta`",
            _ => {
                "write parquet files, or declare it as `type: spark` with a `query` that casts the columns of its table"
            }
        };
        let message =
            format!("data source `{}` has files of the format {}, which are not read so on Spark", source.name, {
                format.as_str()
            });
        return Err(Problem::new(Kind::Unsupported, message, help.to_owned()));
    }
    // A column that the first file does not have may be in others.
    Ok(plan::files("parquet", &place(&file.path, repo), &[("mergeSchema", "true")]))
}

/// The path as the server is told it.
fn place(path: &str, repo: &Path) -> String {
    if path.contains("://") {
        return path.to_owned();
    }
    let full = repo.join(path);
    std::path::absolute(&full).unwrap_or(full).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offline::spark::messages::{read::ReadType, relation::RelType};

    fn spark(table: &str, query: &str, path: &str) -> DataSource {
        let text = str::to_owned;
        let kind = SparkSource {
            table: text(table),
            query: text(query),
            path: text(path),
            file_format: text("delta"),
            date_partition_column_format: String::new(),
        };
        DataSource::new("s", SourceKind::Spark(kind))
    }

    fn read(source: &DataSource) -> Option<ReadType> {
        match rows(source, Path::new("/repo")).unwrap().rel_type {
            Some(RelType::Read(read)) => read.read_type,
            _ => None,
        }
    }

    #[test]
    fn tables_queries_and_paths_go_as_they_are() {
        assert!(
            matches!(read(&spark("a.b", "", "")), Some(ReadType::NamedTable(table)) if table.unparsed_identifier == "a.b")
        );
        let Some(ReadType::DataSource(files)) = read(&spark("", "", "s3://b/x")) else { panic!() };
        assert_eq!(
            (files.format.as_deref(), files.paths.as_slice()),
            (Some("delta"), ["s3://b/x".to_owned()].as_slice())
        );
        let query = rows(&spark("", "SELECT 1", ""), Path::new("/repo")).unwrap().rel_type;
        assert!(matches!(query, Some(RelType::Sql(sql)) if sql.query == "SELECT 1"));
        assert!(rows(&spark("", "", ""), Path::new("/repo")).is_err());
    }

    #[test]
    fn paths_of_files_start_at_the_repo() {
        assert_eq!(place("data/x.parquet", Path::new("/repo")), "/repo/data/x.parquet");
        assert_eq!(place("/srv/x.parquet", Path::new("/repo")), "/srv/x.parquet");
        assert_eq!(place("s3://bucket/x", Path::new("/repo")), "s3://bucket/x");
    }

    #[test]
    fn other_formats_are_refused() {
        for format in [FileFormat::Csv, FileFormat::Json, FileFormat::Delta] {
            let file = FileSource { path: "x".to_owned(), format: Some(format), ..FileSource::default() };
            let source = DataSource::new("s", SourceKind::File(file));
            assert_eq!(rows(&source, Path::new("/repo")).unwrap_err().kind, Kind::Unsupported);
        }
    }
}
