//! Data sources: lowered, named, resolved among each other and compared with their files.

mod batch;
mod check;
mod declared;
mod stream;

pub(crate) use check::{Role, SourceChecks};
pub(crate) use declared::{FoundSource, Reference, Sources};

use crate::{
    definitions::format::{RawAbout, RawTimeKeys},
    diagnostics::{Diagnostics, Span},
    model::{DataSource, SourceKind},
    yaml::Spanned,
};

/// A source with the places its parts were written at.
#[derive(Debug, Clone)]
pub(crate) struct LoweredSource {
    /// The source itself.
    pub source: DataSource,
    /// Where the name was written, or what stands for it.
    pub name: Spanned<String>,
    /// What says where the rows are, such as the path; the name of sources that have no such place.
    pub place: Span,
    /// Where the event time column was written; `None` where it was not.
    pub timestamp_field: Option<Span>,
    /// Where the column that breaks ties was written; `None` where it was not.
    pub created_timestamp_column: Option<Span>,
    /// Where the mapping of columns was written; `None` where it was not.
    pub field_mapping: Option<Span>,
    /// The name it had before.
    pub renamed_from: Option<Spanned<String>>,
}

impl LoweredSource {
    /// Whether the source holds history, as files and tables do.
    pub(crate) fn is_batch(&self) -> bool {
        !self.source.kind.is_stream() && !matches!(self.source.kind, SourceKind::Request(_))
    }

    /// Whether rows have an event time in a column of the source's own.
    pub(crate) fn is_timed(&self) -> bool {
        !matches!(self.source.kind, SourceKind::Request(_) | SourceKind::Push(_))
    }

    /// A source without times of its own.
    fn timeless(name: Spanned<String>, kind: SourceKind, about: RawAbout) -> Self {
        Self {
            renamed_from: about.labels.renamed_from.clone(),
            source: DataSource {
                name: name.value.clone(),
                kind,
                timestamp_field: String::new(),
                created_timestamp_column: String::new(),
                field_mapping: crate::model::Tags::new(),
                date_partition_column: String::new(),
                description: about.description,
                owner: about.owner,
                tags: about.labels.into_tags(),
            },
            place: name.span.clone(),
            name,
            timestamp_field: None,
            created_timestamp_column: None,
            field_mapping: None,
        }
    }

    /// A source whose rows have times.
    fn timed(name: Spanned<String>, kind: SourceKind, times: RawTimeKeys, diagnostics: &mut Diagnostics) -> Self {
        let mut lowered = Self::timeless(name, kind, times.about);
        if let Some(mapping) = &times.field_mapping {
            check_mapping(mapping, diagnostics);
        }
        let split = |column: Option<Spanned<String>>| match column {
            Some(column) => (column.value, Some(column.span)),
            None => (String::new(), None),
        };
        (lowered.source.timestamp_field, lowered.timestamp_field) = split(times.timestamp_field);
        (lowered.source.created_timestamp_column, lowered.created_timestamp_column) =
            split(times.created_timestamp_column);
        if let Some(mapping) = times.field_mapping {
            (lowered.source.field_mapping, lowered.field_mapping) = (mapping.value, Some(mapping.span));
        }
        if let (Some(_), Some(created)) = (&lowered.timestamp_field, &lowered.created_timestamp_column)
            && lowered.source.event_column() == lowered.source.created_column()
        {
            diagnostics.error(created, "`created_timestamp_column` is the same column as `timestamp_field`");
        }
        lowered
    }
}

/// Refuses one name for two columns: Feast stores it, and reads now one of them, now the other.
fn check_mapping(mapping: &Spanned<crate::model::Tags>, diagnostics: &mut Diagnostics) {
    let mut names: Vec<(&String, &String)> = Vec::with_capacity(mapping.value.len());
    for (column, name) in &mapping.value {
        if let Some((other, _)) = names.iter().find(|(_, taken)| *taken == name) {
            let message = format!("`field_mapping` calls both `{other}` and `{column}` `{name}`");
            diagnostics.error_with_help(&mapping.span, message, "rename one of them to something else".to_owned());
        }
        names.push((column, name));
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        definitions::testing::{each, findings, repo},
        model::{DataSource, SourceKind, StreamFormat, Warehouse},
    };

    /// The only source that is declared.
    fn source(text: &str) -> DataSource {
        let repo = repo(&format!("data_sources:\n  - {text}\n"));
        let [source] = each::<DataSource, 1>(&repo);
        source.clone()
    }

    #[test]
    fn batch_sources_have_the_names_and_defaults_of_feast() {
        let file = source("{type: file, path: data/x.parquet, timestamp_field: at}");
        assert_eq!(file.name, "data/x.parquet");
        let redshift = source("{type: redshift, table: t, timestamp_field: at}");
        let SourceKind::Warehouse(warehouse) = &redshift.kind else { panic!() };
        assert_eq!((warehouse.warehouse, redshift.name.as_str()), (Warehouse::Redshift, "t"));
        assert_eq!(warehouse.options["schema"], "public");
        assert!(!warehouse.options.contains_key("query"));
        let options = |text: &str| match source(text).kind {
            SourceKind::Warehouse(source) => source.options.into_iter().map(|(k, v)| format!("{k}={v}")).collect(),
            _ => Vec::new(),
        };
        assert_eq!(options("{type: snowflake, table: t, timestamp_field: at}"), ["table=t"]);
        let snowflake = options("{type: snowflake, table: t, database: d, timestamp_field: at}");
        assert_eq!(snowflake, ["database=d", "schema=PUBLIC", "table=t"]);
        assert_eq!(options("{type: athena, table: t, timestamp_field: at}"), ["database=default", "table=t"]);
        assert_eq!(options("{type: bigquery, name: n, query: q, timestamp_field: at}"), ["query=q"]);
        let SourceKind::Spark(spark) = source("{type: spark, table: t, timestamp_field: at}").kind else { panic!() };
        assert_eq!(spark.date_partition_column_format, "%Y-%m-%d");
        let partitioned = source("{type: bigquery, table: t, date_partition_column: day, timestamp_field: at}");
        assert_eq!(partitioned.date_partition_column, "day");
    }

    #[test]
    fn connection_references_become_the_tags_of_feast() {
        let tags = |reference: &str| {
            let text = format!("{{type: postgres, table: t, timestamp_field: at, connection_ref: {reference}}}");
            source(&text).tags.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(
            tags("{provider: kubernetes, name: n, namespace: s, connection_type: c, auth_type: basic, params: {a: b}}"),
            [
                "feast.connection-ref.auth-type=basic",
                "feast.connection-ref.connection-type=c",
                "feast.connection-ref.name=n",
                "feast.connection-ref.namespace=s",
                "feast.connection-ref.param.a=b",
                "feast.connection-ref.provider=kubernetes",
            ]
        );
        let short = ["feast.connection-ref.name=n", "feast.connection-ref.provider=env"];
        assert_eq!(tags("{provider: env, name: n, auth_type: secret}"), short);
    }

    #[test]
    fn streams_hold_copies_of_their_history_whatever_the_order() {
        let repo = repo(
            "data_sources:\n\
             \x20 - {name: p, type: push, batch_source: b, protect: true}\n\
             \x20 - name: k\n    type: kafka\n    kafka_bootstrap_servers: h:1\n    topic: t\n    timestamp_field: at\n\
             \x20   message_format: {type: proto, class_path: C}\n    watermark_delay_threshold: 5m\n\
             \x20   batch_source: {type: file, path: x, timestamp_field: at}\n\
             \x20 - {name: b, type: file, path: y, timestamp_field: at}\n",
        );
        let [batch, stream, push, in_place] = each::<DataSource, 4>(&repo);
        let names = [batch, stream, push, in_place].map(|source| source.name.as_str());
        assert_eq!(names, ["b", "k", "p", "x"]);
        assert_eq!(push.kind.batch_source(), Some(batch));
        assert_eq!(push.timestamp_field, "", "its columns are those of its batch source");
        assert_eq!(push.tags["feastr.protect"], "true");
        let SourceKind::Kafka(kafka) = &stream.kind else { panic!() };
        assert_eq!(kafka.batch_source.as_deref(), Some(in_place));
        assert_eq!(kafka.message_format, Some(StreamFormat::Proto { class_path: "C".to_owned() }));
        assert_eq!(kafka.watermark_delay_threshold.unwrap().to_string(), "5m");
    }

    #[test]
    fn only_files_can_be_looked_at() {
        let found = findings("data_sources:\n  - {type: file, path: x}\n  - {type: trino, table: t}\n");
        assert_eq!(found, ["x is looked at", "source `t` does not say which column has the event times"]);
    }
}
