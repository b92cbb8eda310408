//! Sources that hold history, and those of requests.

use super::{
    super::{
        names::{Taken, check_column_name},
        view::lower_field,
    },
    LoweredSource,
};
use crate::{
    definitions::format::{RawBatchKeys, RawFileSource, RawRequestSource, RawSource, RawSparkSource},
    diagnostics::{Diagnostics, Span},
    model::{
        CustomSource, FileFormat, FileSource, PostgresSource, RequestSource, SourceKind, SparkSource, TableVersion,
        Tags, Warehouse, WarehouseSource,
    },
    yaml::Spanned,
};

/// The part of a source that depends on its type.
struct Batch {
    kind: SourceKind,
    /// What says where the rows are.
    place: Span,
    keys: RawBatchKeys,
}

/// A source that stands for itself: one that holds history, or the values of requests. `None` after
/// an error that leaves no usable source, and `None` for streams.
pub(crate) fn lower(raw: RawSource, diagnostics: &mut Diagnostics) -> Option<LoweredSource> {
    match raw {
        RawSource::Request(raw) => Some(lower_request(raw, diagnostics)),
        RawSource::File(raw) => Some(lower_file(raw, diagnostics)),
        RawSource::Custom(raw) => {
            let place = raw.name.span.clone();
            let kind =
                SourceKind::Custom(CustomSource { class_type: raw.class_type.value, configuration: raw.configuration });
            Some(finish(raw.name, Batch { kind, place, keys: raw.batch }, diagnostics))
        }
        RawSource::Postgres(raw) => {
            let location = Location { span: raw.span, name: raw.name, table: raw.table, query: raw.query };
            location.check_given(&[], diagnostics);
            let kind = SourceKind::Postgres(PostgresSource { table: location.table(), query: location.query() });
            location.finish(kind, raw.batch, diagnostics)
        }
        RawSource::Spark(raw) => lower_spark(raw, diagnostics),
        RawSource::BigQuery(raw) => {
            let location = Location { span: raw.span, name: raw.name, table: raw.table, query: raw.query };
            location.warehouse(Warehouse::BigQuery, [], raw.batch, diagnostics)
        }
        RawSource::Trino(raw) => {
            let location = Location { span: raw.span, name: raw.name, table: raw.table, query: raw.query };
            location.warehouse(Warehouse::Trino, [], raw.batch, diagnostics)
        }
        RawSource::Redshift(raw) => {
            let location = Location { span: raw.span, name: raw.name, table: raw.table, query: raw.query };
            let schema = default_if(raw.schema, location.table.is_some(), "public");
            let options = [("schema", schema), ("database", raw.database)];
            location.warehouse(Warehouse::Redshift, options, raw.batch, diagnostics)
        }
        RawSource::Snowflake(raw) => {
            let location = Location { span: raw.span, name: raw.name, table: raw.table, query: raw.query };
            location.check_alone(&[], diagnostics);
            let in_database = location.table.is_some() && !raw.database.is_empty();
            let options = [("schema", default_if(raw.schema, in_database, "PUBLIC")), ("database", raw.database)];
            location.warehouse(Warehouse::Snowflake, options, raw.batch, diagnostics)
        }
        RawSource::Athena(raw) => {
            let location = Location { span: raw.span, name: raw.name, table: raw.table, query: raw.query };
            let database = default_if(raw.database, location.table.is_some(), "default");
            let options = [("database", database), ("data_source", raw.data_source)];
            location.warehouse(Warehouse::Athena, options, raw.batch, diagnostics)
        }
        RawSource::Push(_) | RawSource::Kafka(_) | RawSource::Kinesis(_) => None,
    }
}

fn lower_file(raw: RawFileSource, diagnostics: &mut Diagnostics) -> LoweredSource {
    check_text_keys(&raw, diagnostics);
    check_version_keys(&raw, diagnostics);
    let kind = SourceKind::File(FileSource {
        path: raw.path.value.clone(),
        format: raw.file_format,
        s3_endpoint_override: raw.s3_endpoint_override,
        delimiter: raw.delimiter.map(|delimiter| delimiter.value.0),
        timestamp_format: raw.timestamp_format.map(|format| format.value.0).unwrap_or_default(),
        table_version: match (raw.delta_version, raw.delta_timestamp) {
            (Some(number), _) => Some(TableVersion::Number(number.value.0)),
            (None, moment) => moment.map(|moment| TableVersion::AsOf(moment.value.0)),
        },
    });
    let batch = Batch { kind, place: raw.path.span.clone(), keys: raw.batch };
    // Feast names an anonymous file source by its path.
    finish(raw.name.unwrap_or(raw.path), batch, diagnostics)
}

fn lower_spark(raw: RawSparkSource, diagnostics: &mut Diagnostics) -> Option<LoweredSource> {
    let location = Location { span: raw.span, name: raw.name, table: raw.table, query: raw.query };
    location.check_given(&[("path", raw.path.as_ref())], diagnostics);
    location.check_alone(&[("path", raw.path.as_ref())], diagnostics);
    if let Some(path) = raw.path.as_ref().filter(|_| raw.file_format.is_empty()) {
        let help = "write for example `file_format: parquet`".to_owned();
        diagnostics.error_with_help(&path.span, "a spark source with a `path` needs a `file_format`", help);
    }
    let kind = SourceKind::Spark(SparkSource {
        table: location.table(),
        query: location.query(),
        path: raw.path.map(|path| path.value).unwrap_or_default(),
        file_format: raw.file_format,
        date_partition_column_format: raw.date_partition_column_format,
    });
    location.finish(kind, raw.batch, diagnostics)
}

/// Refuses what only some formats have.
fn check_text_keys(raw: &RawFileSource, diagnostics: &mut Diagnostics) {
    let format = raw.file_format.unwrap_or(FileFormat::Parquet);
    if let Some(delimiter) = raw.delimiter.as_ref().filter(|_| format != FileFormat::Csv) {
        let message = format!("only CSV files have a `delimiter`, and these are {}", format.as_str());
        diagnostics.error_with_help(&delimiter.span, message, "write `file_format: csv`, or leave it out".to_owned());
    }
    if let Some(times) = raw.timestamp_format.as_ref().filter(|_| format == FileFormat::Delta) {
        let message = "Delta tables have times of their own, and no `timestamp_format`";
        diagnostics.error_with_help(&times.span, message, "leave it out".to_owned());
    }
}

/// Refuses versions where there are none, and two at once.
fn check_version_keys(raw: &RawFileSource, diagnostics: &mut Diagnostics) {
    let number = raw.delta_version.as_ref().map(|number| ("delta_version", &number.span));
    let moment = raw.delta_timestamp.as_ref().map(|moment| ("delta_timestamp", &moment.span));
    if raw.file_format != Some(FileFormat::Delta) {
        for (key, place) in number.into_iter().chain(moment) {
            let format = raw.file_format.unwrap_or(FileFormat::Parquet).as_str();
            let message = format!("only Delta tables have a `{key}`, and this is {format}");
            diagnostics.error_with_help(place, message, "write `file_format: delta`, or leave it out".to_owned());
        }
    } else if let (Some((number, _)), Some((moment, place))) = (number, moment) {
        let message = format!("the source has both `{number}` and `{moment}`; one of them is enough");
        diagnostics.error(place, message);
    }
}

/// What Feast fills in for a setting that is not written.
fn default_if(written: Option<String>, applies: bool, default: &str) -> String {
    let written = written.filter(|text| !text.is_empty());
    written.unwrap_or_else(|| if applies { default.to_owned() } else { String::new() })
}

fn lower_request(raw: RawRequestSource, diagnostics: &mut Diagnostics) -> LoweredSource {
    if raw.schema.value.is_empty() {
        diagnostics.error(&raw.schema.span, "a request source needs at least one value in its `schema`");
    }
    let mut taken = Taken::exact("value of this request source");
    let mut schema = Vec::with_capacity(raw.schema.value.len());
    for field in raw.schema.value {
        check_column_name(&field.name, diagnostics);
        if taken.take(&field.name, diagnostics) {
            schema.push(lower_field(field));
        }
    }
    LoweredSource::timeless(raw.name, SourceKind::Request(RequestSource { schema }), raw.about)
}

fn finish(name: Spanned<String>, batch: Batch, diagnostics: &mut Diagnostics) -> LoweredSource {
    let mut lowered = LoweredSource::timed(name, batch.kind, batch.keys.times, diagnostics);
    lowered.place = batch.place;
    lowered.source.date_partition_column = batch.keys.date_partition_column;
    if let Some(reference) = batch.keys.connection_ref {
        reference.add_to(&mut lowered.source.tags);
    }
    lowered
}

/// Which rows of a database, and what they are called.
struct Location {
    span: Span,
    name: Option<Spanned<String>>,
    table: Option<Spanned<String>>,
    query: Option<Spanned<String>>,
}

type Alternatives<'a> = &'a [(&'static str, Option<&'a Spanned<String>>)];

impl Location {
    fn table(&self) -> String {
        self.table.as_ref().map(|table| table.value.clone()).unwrap_or_default()
    }

    fn query(&self) -> String {
        self.query.as_ref().map(|query| query.value.clone()).unwrap_or_default()
    }

    fn given<'a>(&'a self, others: Alternatives<'a>) -> impl Iterator<Item = (&'static str, &'a Spanned<String>)> {
        [("table", self.table.as_ref()), ("query", self.query.as_ref())]
            .into_iter()
            .chain(others.iter().copied())
            .filter_map(|(key, value)| value.filter(|text| !text.value.trim().is_empty()).map(|value| (key, value)))
    }

    /// Something must say where the rows are.
    fn check_given(&self, others: Alternatives<'_>, diagnostics: &mut Diagnostics) {
        if self.given(others).next().is_none() {
            let keys: String = others.iter().map(|(key, _)| format!(", `{key}`")).collect();
            let message = format!("the source does not say where its rows are: `table`{keys} or `query` is missing");
            diagnostics.error(&self.span, message);
        }
    }

    /// Only one thing may say where the rows are.
    fn check_alone(&self, others: Alternatives<'_>, diagnostics: &mut Diagnostics) {
        let mut given = self.given(others);
        if let (Some((first, _)), Some((second, value))) = (given.next(), given.next()) {
            let message = format!("the source has both `{first}` and `{second}`; one of them is enough");
            diagnostics.error(&value.span, message);
        }
    }

    fn warehouse<const N: usize>(
        self,
        warehouse: Warehouse,
        options: [(&str, String); N],
        keys: RawBatchKeys,
        diagnostics: &mut Diagnostics,
    ) -> Option<LoweredSource> {
        self.check_given(&[], diagnostics);
        let options: Tags = [("table", self.table()), ("query", self.query())]
            .into_iter()
            .chain(options)
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        let kind = SourceKind::Warehouse(WarehouseSource { warehouse, options });
        self.finish(kind, keys, diagnostics)
    }

    fn finish(self, kind: SourceKind, keys: RawBatchKeys, diagnostics: &mut Diagnostics) -> Option<LoweredSource> {
        let place = self.table.as_ref().or(self.query.as_ref()).map_or(&self.span, |text| &text.span).clone();
        // Feast names an anonymous source by its table.
        let Some(name) = self.name.or(self.table) else {
            let help = "only a source with a `table` can go without".to_owned();
            diagnostics.error_with_help(&self.span, "`name` is missing", help);
            return None;
        };
        Some(finish(name, Batch { kind, place, keys }, diagnostics))
    }
}
