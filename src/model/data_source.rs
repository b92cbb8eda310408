//! Where rows come from: kinds of sources, and how columns are called.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{
    CONNECTION_PREFIX, DELIMITER_TAG, DELTA_TIMESTAMP_TAG, DELTA_VERSION_TAG, FILE_FORMAT_TAG, Field,
    TIMESTAMP_FORMAT_TAG, Tags, Timestamp, Ttl,
};

/// Where the rows of feature views come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataSource {
    /// Unique among the sources of a project, ignoring case.
    pub name: String,
    /// The kind, with what only that kind has.
    pub kind: SourceKind,
    /// Column with the time at which a row's values became true, under its own name or the one that
    /// `field_mapping` gives it: [`Self::event_column`] is the column. Empty when not known yet, and
    /// in push and request sources.
    pub timestamp_field: String,
    /// Column with the time at which a row was written, named likewise; breaks ties. Empty when there
    /// is none.
    pub created_timestamp_column: String,
    /// Column name in the source to name in feature views.
    pub field_mapping: BTreeMap<String, String>,
    /// Column that partitions a table by date; empty when there is none.
    pub date_partition_column: String,
    /// What it is about; empty if not given.
    pub description: String,
    /// Whom to ask; empty if not given.
    pub owner: String,
    /// Labels, and what Feast has no field for.
    pub tags: Tags,
}

impl DataSource {
    /// A source that says nothing but where its rows are.
    pub fn new(name: impl Into<String>, kind: SourceKind) -> Self {
        Self {
            name: name.into(),
            kind,
            timestamp_field: String::new(),
            created_timestamp_column: String::new(),
            field_mapping: BTreeMap::new(),
            date_partition_column: String::new(),
            description: String::new(),
            owner: String::new(),
            tags: Tags::new(),
        }
    }

    /// The name under which views know a column of this source.
    pub fn mapped<'a>(&'a self, column: &'a str) -> &'a str {
        self.field_mapping.get(column).map_or(column, String::as_str)
    }

    /// What decides about the rows that are read from it; not its name and the words about it.
    pub fn rows(&self) -> impl PartialEq {
        (
            &self.kind,
            &self.timestamp_field,
            &self.created_timestamp_column,
            &self.field_mapping,
            &self.date_partition_column,
            [FILE_FORMAT_TAG, DELIMITER_TAG, TIMESTAMP_FORMAT_TAG, DELTA_VERSION_TAG, DELTA_TIMESTAMP_TAG]
                .map(|tag| self.tags.get(tag)),
            ["provider", "name"].map(|key| self.connection_ref(key)),
        )
    }

    /// What the reference to a connection says under a key: its `provider`, its `name`.
    pub fn connection_ref(&self, key: &str) -> Option<&str> {
        self.tags.get(&format!("{CONNECTION_PREFIX}{key}")).map(String::as_str)
    }

    /// The column with the event times as the files have it; empty when it is not known.
    pub fn event_column(&self) -> &str {
        self.unmapped(&self.timestamp_field)
    }

    /// The column with the times at which rows were written as the files have it; empty when there is
    /// none.
    pub fn created_column(&self) -> &str {
        self.unmapped(&self.created_timestamp_column)
    }

    /// The column of this source that views know as `name`.
    ///
    /// A name that the mapping gives wins over a column that is really called so, as where Feast
    /// materializes. (Its training data are of the real column then, so `plan` refuses such a name
    /// where it can look at the files.)
    pub fn unmapped<'a>(&'a self, name: &'a str) -> &'a str {
        let mapped = self.field_mapping.iter().find(|(_, mapped)| *mapped == name && !name.is_empty());
        mapped.map_or(name, |(column, _)| column)
    }
}

/// The kind of a source with what only that kind has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Files on disk.
    File(FileSource),
    /// Rows that programs push; its columns are those of `batch_source`.
    Push(PushSource),
    /// Values that come with each request for on-demand features.
    Request(RequestSource),
    /// A topic of Kafka.
    Kafka(KafkaSource),
    /// A stream of Amazon Kinesis.
    Kinesis(KinesisSource),
    /// A table or query of PostgreSQL.
    Postgres(PostgresSource),
    /// What Spark reads.
    Spark(SparkSource),
    /// A table or query of a data warehouse, which feastr shows and keeps but does not read.
    Warehouse(WarehouseSource),
    /// A source of a Python class that only Python can read.
    Custom(CustomSource),
    /// A source that YAML definitions cannot express; the text is its type in Feast.
    Foreign(String),
}

impl SourceKind {
    /// The history behind a push or stream source.
    pub fn batch_source(&self) -> Option<&DataSource> {
        match self {
            Self::Push(push) => push.batch_source.as_deref(),
            Self::Kafka(kafka) => kafka.batch_source.as_deref(),
            Self::Kinesis(kinesis) => kinesis.batch_source.as_deref(),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn batch_source_mut(&mut self) -> Option<&mut DataSource> {
        match self {
            Self::Push(push) => push.batch_source.as_deref_mut(),
            Self::Kafka(kafka) => kafka.batch_source.as_deref_mut(),
            Self::Kinesis(kinesis) => kinesis.batch_source.as_deref_mut(),
            _ => None,
        }
    }

    /// Where the rows are, in a word that can stand for a name: path, table or topic.
    pub fn place(&self) -> Option<&str> {
        let place = match self {
            Self::File(file) => &file.path,
            Self::Postgres(postgres) => &postgres.table,
            Self::Spark(spark) if spark.table.is_empty() => &spark.path,
            Self::Spark(spark) => &spark.table,
            Self::Warehouse(source) => source.options.get("table")?,
            Self::Kafka(kafka) => &kafka.topic,
            Self::Kinesis(kinesis) => &kinesis.stream_name,
            Self::Push(_) | Self::Request(_) | Self::Custom(_) | Self::Foreign(_) => return None,
        };
        (!place.is_empty()).then_some(place.as_str())
    }

    /// Whether rows arrive one by one, with another source for their history.
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::Push(_) | Self::Kafka(_) | Self::Kinesis(_))
    }
}

impl fmt::Display for SourceKind {
    /// The word of the definitions format.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File(_) => "file",
            Self::Push(_) => "push",
            Self::Request(_) => "request",
            Self::Kafka(_) => "kafka",
            Self::Kinesis(_) => "kinesis",
            Self::Postgres(_) => "postgres",
            Self::Spark(_) => "spark",
            Self::Warehouse(source) => source.warehouse.as_str(),
            Self::Custom(_) => "custom",
            Self::Foreign(kind) => kind,
        })
    }
}

/// Where programs push rows to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PushSource {
    /// Copy of the source that holds the history, as Feast stores it.
    pub batch_source: Option<Box<DataSource>>,
}

/// Fields of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestSource {
    /// In declared order.
    pub schema: Vec<Field>,
}

/// A topic of a Kafka cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KafkaSource {
    /// Comma-separated `host:port` addresses.
    pub bootstrap_servers: String,
    /// The name of the topic.
    pub topic: String,
    /// How messages are encoded; `None` when it is not declared.
    pub message_format: Option<StreamFormat>,
    /// How late rows may come; `None` when not declared.
    pub watermark_delay_threshold: Option<Ttl>,
    /// Copy of the source that holds the history, as Feast stores it.
    pub batch_source: Option<Box<DataSource>>,
}

/// A stream of Amazon Kinesis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KinesisSource {
    /// The region of Amazon that has the stream.
    pub region: String,
    /// The name of the stream.
    pub stream_name: String,
    /// How records are encoded; `None` when it is not declared.
    pub record_format: Option<StreamFormat>,
    /// Copy of the source that holds the history, as Feast stores it.
    pub batch_source: Option<Box<DataSource>>,
}

/// How messages of a stream are encoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamFormat {
    /// Avro with this schema.
    Avro {
        /// The schema as JSON.
        schema_json: String,
    },
    /// JSON with this schema.
    Json {
        /// The schema as JSON.
        schema_json: String,
    },
    /// Protobuf messages of a generated class.
    Proto {
        /// Module and name of the class.
        class_path: String,
    },
}

/// A table or query of a PostgreSQL database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PostgresSource {
    /// Empty when the source is a query.
    pub table: String,
    /// Empty when the source is a table.
    pub query: String,
}

/// A table, query or path that Spark reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SparkSource {
    /// Empty when the source is a query or a path.
    pub table: String,
    /// Empty when the source is a table or a path.
    pub query: String,
    /// Empty when the source is a table or a query.
    pub path: String,
    /// Spark's name of the format of `path`.
    pub file_format: String,
    /// How the column that partitions by date writes it; empty for the default.
    pub date_partition_column_format: String,
}

/// A table or query of a data warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WarehouseSource {
    /// Which one.
    pub warehouse: Warehouse,
    /// Settings by their name in Feast, such as `table`, `query`, `schema`, `database`; none is empty.
    pub options: Tags,
}

/// The data warehouses Feast has sources for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Warehouse {
    /// Google BigQuery.
    BigQuery,
    /// Amazon Redshift.
    Redshift,
    /// Snowflake.
    Snowflake,
    /// Trino.
    Trino,
    /// Amazon Athena.
    Athena,
}

impl Warehouse {
    /// All of them, in the order that messages offer them.
    pub const ALL: [Self; 5] = [Self::BigQuery, Self::Redshift, Self::Snowflake, Self::Trino, Self::Athena];

    /// The word of the definitions format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BigQuery => "bigquery",
            Self::Redshift => "redshift",
            Self::Snowflake => "snowflake",
            Self::Trino => "trino",
            Self::Athena => "athena",
        }
    }

    /// The settings a source of this warehouse can have.
    pub fn options(self) -> &'static [&'static str] {
        match self {
            Self::BigQuery | Self::Trino => &["table", "query"],
            Self::Redshift | Self::Snowflake => &["table", "query", "schema", "database"],
            Self::Athena => &["table", "query", "database", "data_source"],
        }
    }
}

/// What a Python class makes of its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomSource {
    /// Module and name of the class.
    pub class_type: String,
    /// Text that the class understands, usually JSON.
    pub configuration: String,
}

/// Files on disk: one file, a folder with hive partitions or a glob.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FileSource {
    /// As declared: relative to the repo folder, or absolute.
    pub path: String,
    /// `None` when not declared, which reads as parquet.
    pub format: Option<FileFormat>,
    /// Endpoint of an S3-compatible store; empty when there is none.
    pub s3_endpoint_override: String,
    /// The ASCII character between the fields of a CSV file; `None` when it is not declared.
    pub delimiter: Option<char>,
    /// How times are written that the files do not have as such: empty for ISO 8601, one of
    /// [`Self::EPOCH_FORMATS`], or a pattern of strftime.
    pub timestamp_format: String,
    /// Which version of a Delta table is read; `None` is the latest.
    #[serde(flatten)]
    pub table_version: Option<TableVersion>,
}

/// A version of a table that keeps its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum TableVersion {
    /// The one with this number.
    #[serde(rename = "delta_version")]
    Number(u64),
    /// The latest at this moment.
    #[serde(rename = "delta_timestamp")]
    AsOf(Timestamp),
}

impl FileSource {
    /// The words for times that are numbers since 1970, with what they count.
    pub const EPOCH_FORMATS: [&str; 4] = ["epoch_seconds", "epoch_millis", "epoch_micros", "epoch_nanos"];

    /// The word of the definitions format for a delimiter: the character, but for the one nobody sees.
    pub fn delimiter_word(delimiter: char) -> String {
        if delimiter == '\t' { TAB.to_owned() } else { delimiter.to_string() }
    }

    /// The delimiter that a word stands for; `None` for what cannot be one: other characters than
    /// ASCII, and those that end a line or quote a field.
    pub fn parse_delimiter(word: &str) -> Option<char> {
        let mut characters = word.chars();
        match (characters.next(), characters.next()) {
            _ if word == TAB => Some('\t'),
            (Some(character), None) if is_delimiter(character) => Some(character),
            _ => None,
        }
    }
}

/// The word for the character that nobody sees.
const TAB: &str = "tab";

fn is_delimiter(character: char) -> bool {
    character.is_ascii() && !character.is_ascii_alphanumeric() && !"\0\n\r\"".contains(character)
}

/// How the files of a source are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Parquet.
    Parquet,
    /// A Delta table.
    Delta,
    /// CSV.
    Csv,
    /// A JSON object per line.
    Json,
}

impl FileFormat {
    /// Every format, in the order they are offered in messages.
    pub const ALL: [Self; 4] = [Self::Parquet, Self::Delta, Self::Csv, Self::Json];

    /// The word of the definitions format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Delta => "delta",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}
