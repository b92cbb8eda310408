//! A data source in the JSON of protobuf, as commands have it.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use crate::{
    feast::registry::{
        data_source_json, data_source_of,
        messages::{self as wire, SourceType},
    },
    model::DataSource,
};

/// Why a text is no data source that feastr reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongDataSource {
    /// It is no message in JSON.
    #[error("it is no data source in JSON: {0}")]
    Json(String),
    /// It has no name.
    #[error("the data source has no name")]
    Nameless,
}

/// The members of the message that make a source of files or of a database. Others are of kinds that nobody reads here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SourceJson {
    name: String,
    r#type: Option<TypeJson>,
    #[serde(alias = "timestamp_field")]
    timestamp_field: String,
    #[serde(alias = "created_timestamp_column")]
    created_timestamp_column: String,
    #[serde(alias = "field_mapping")]
    field_mapping: BTreeMap<String, String>,
    #[serde(alias = "date_partition_column")]
    date_partition_column: String,
    description: String,
    owner: String,
    tags: BTreeMap<String, String>,
    #[serde(alias = "file_options")]
    file_options: Option<FileJson>,
    #[serde(alias = "custom_options")]
    custom_options: Option<CustomJson>,
    #[serde(alias = "data_source_class_type")]
    data_source_class_type: String,
    #[serde(alias = "batch_source")]
    batch_source: Option<Box<SourceJson>>,
}

/// A value of an enumeration, by name or number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum TypeJson {
    Name(String),
    Number(i32),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FileJson {
    uri: String,
    #[serde(alias = "s3_endpoint_override")]
    s3_endpoint_override: String,
    #[serde(alias = "file_format")]
    file_format: Option<FormatJson>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FormatJson {
    #[serde(alias = "parquet_format")]
    parquet_format: Option<serde::de::IgnoredAny>,
    #[serde(alias = "delta_format")]
    delta_format: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CustomJson {
    /// In base64.
    configuration: String,
}

/// Reads a data source.
///
/// # Errors
/// When it is none.
pub fn data_source_from_json(text: &str) -> Result<DataSource, WrongDataSource> {
    let json: SourceJson = serde_json::from_str(text).map_err(|error| WrongDataSource::Json(error.to_string()))?;
    let source = data_source_of(&json.message()?);
    if source.name.is_empty() { Err(WrongDataSource::Nameless) } else { Ok(source) }
}

/// A data source as commands have it.
pub fn data_source_to_json(source: &DataSource) -> String {
    data_source_json(source).to_string()
}

impl SourceJson {
    fn message(self) -> Result<wire::DataSource, WrongDataSource> {
        let entries = |map: BTreeMap<String, String>| {
            map.into_iter().map(|(key, value)| wire::MapEntry::new(key, value)).collect::<Vec<_>>()
        };
        let wrong = |error: base64::DecodeError| WrongDataSource::Json(error.to_string());
        let custom = |custom: CustomJson| {
            let configuration = STANDARD.decode(custom.configuration).map_err(wrong)?;
            Ok(wire::CustomSourceOptions { configuration })
        };
        Ok(wire::DataSource {
            r#type: match self.r#type {
                None => 0,
                Some(TypeJson::Number(number)) => number,
                Some(TypeJson::Name(name)) => {
                    named(&name).ok_or_else(|| WrongDataSource::Json(format!("there is no type {name}")))?
                }
            },
            name: self.name,
            timestamp_field: self.timestamp_field,
            created_timestamp_column: self.created_timestamp_column,
            field_mapping: entries(self.field_mapping),
            date_partition_column: self.date_partition_column,
            description: self.description,
            owner: self.owner,
            tags: entries(self.tags),
            file_options: self.file_options.map(FileJson::message),
            custom_options: self.custom_options.map(custom).transpose()?,
            data_source_class_type: self.data_source_class_type,
            batch_source: self.batch_source.map(|source| source.message().map(Box::new)).transpose()?,
            ..wire::DataSource::default()
        })
    }
}

impl FileJson {
    fn message(self) -> wire::FileOptions {
        let format = |format: FormatJson| wire::FileFormat {
            parquet_format: format.parquet_format.map(|_| wire::ParquetFormat::default()),
            delta_format: format.delta_format.map(|_| wire::DeltaFormat::default()),
        };
        wire::FileOptions {
            file_format: self.file_format.map(format),
            uri: self.uri,
            s3_endpoint_override: self.s3_endpoint_override,
        }
    }
}

/// The number of a kind of sources.
fn named(name: &str) -> Option<i32> {
    /// Numbers are below this.
    const MOST: i32 = 32;
    (0..MOST).find(|number| SourceType::try_from(*number).is_ok_and(|kind| kind.as_str() == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FileFormat, FileSource, PostgresSource, SourceKind, Tags};

    #[test]
    fn what_feast_writes_is_read() {
        let text = r#"{
          "type": "BATCH_FILE", "timestampField": "event_timestamp", "createdTimestampColumn": "created",
          "fileOptions": {"uri": "data/driver_stats.parquet"}, "name": "stats",
          "meta": {"createdTimestamp": "2026-11-21T00:11:10.417605Z"}, "somethingNew": [1]
        }"#;
        let source = data_source_from_json(text).unwrap();
        let SourceKind::File(file) = &source.kind else { panic!("{source:?}") };
        assert_eq!((source.name.as_str(), file.path.as_str()), ("stats", "data/driver_stats.parquet"));
        assert_eq!(source.timestamp_field, "event_timestamp");
        assert_eq!(data_source_from_json(&text.replace("timestampField", "timestamp_field")).unwrap(), source);
        assert_eq!(data_source_from_json(&text.replace("\"BATCH_FILE\"", "1")).unwrap(), source);
    }

    #[test]
    fn sources_are_what_they_were() {
        let file = FileSource { path: "d".to_owned(), format: Some(FileFormat::Delta), ..FileSource::default() };
        let table = PostgresSource { table: "stats".to_owned(), query: String::new() };
        for kind in [SourceKind::File(file), SourceKind::Postgres(table)] {
            let source = DataSource {
                timestamp_field: "at".to_owned(),
                field_mapping: Tags::from([("a".to_owned(), "b".to_owned())]),
                ..DataSource::new("s", kind)
            };
            let json = data_source_to_json(&source);
            assert_eq!(data_source_from_json(&json).as_ref(), Ok(&source), "{json}");
        }
    }

    #[test]
    fn what_is_no_source_is_said() {
        for text in [
            "",
            "{\"type\": \"NOPE\", \"name\": \"s\"}",
            "{\"name\": 7}",
            "{\"customOptions\": {\"configuration\": \"?\"}}",
        ] {
            assert!(matches!(data_source_from_json(text), Err(WrongDataSource::Json(_))), "{text}");
        }
        assert_eq!(data_source_from_json("{}"), Err(WrongDataSource::Nameless));
    }
}
