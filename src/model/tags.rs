/// Free key-value labels, sorted by key.
pub type Tags = std::collections::BTreeMap<String, String>;

/// Tag of an object that may not be deleted or broken while it has the value `true`.
pub const PROTECT_TAG: &str = "feastr.protect";

/// Tag of a project that lists leave out while it has the value `true`, as Feast's registry server does.
pub const HIDDEN_PROJECT_TAG: &str = "feast.dev/protected-project";

/// Tag with the name an object had before.
pub const RENAMED_FROM_TAG: &str = "feastr.renamed_from";

/// Tag of a batch or stream view with the SQL that transforms its source.
pub const SQL_TAG: &str = "feastr.sql";

/// Tag of a batch view with its aggregations as JSON, because Feast has no field for them.
pub const AGGREGATIONS_TAG: &str = "feastr.aggregations";

/// Tag of a view with the checks of its source as JSON.
pub const CHECKS_TAG: &str = "feastr.checks";

/// Tag of a file source whose format Feast has no field for.
pub const FILE_FORMAT_TAG: &str = "feastr.file_format";

/// Tag of a CSV source with the character between its fields, which Feast has no field for.
pub const DELIMITER_TAG: &str = "feastr.delimiter";

/// Tag of a file source with the way its times are written, which Feast has no field for.
pub const TIMESTAMP_FORMAT_TAG: &str = "feastr.timestamp_format";

/// Tag of a Delta source with the number of the version that is read, which Feast has no field for.
pub const DELTA_VERSION_TAG: &str = "feastr.delta_version";

/// Tag of a Delta source with the moment as of which the table is read, which Feast has no field for.
pub const DELTA_TIMESTAMP_TAG: &str = "feastr.delta_timestamp";

/// What the tags of Feast's connection references begin with.
pub const CONNECTION_PREFIX: &str = "feast.connection-ref.";
