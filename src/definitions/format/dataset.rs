//! Saved datasets and validation references as they are written.

use super::about::RawLabels;
use crate::{
    model::FileFormat,
    yaml::{Spanned, record, tagged},
};

record! {
    /// Training data stored under a name.
    pub(crate) struct RawSavedDataset, "a saved dataset";
    required {
        /// Unique among the saved datasets of the project.
        name: Spanned<String>,
        /// Where the data is.
        storage: RawStorage,
    }
    optional {
        /// The service whose features were stored.
        feature_service_name: Spanned<String>,
    }
    defaulted {
        /// The features as `view:feature`.
        features: Vec<Spanned<String>>,
        /// The join keys among the columns.
        join_keys: Vec<String>,
        /// Whether columns are named `view__feature`.
        full_feature_names: bool,
        /// A word of Feast's format, kept as it is.
        namespace: String,
        /// A word of Feast's format, kept as it is.
        collection: String,
        /// What it is, in words.
        description: String,
    }
    flatten { labels: RawLabels, }
}

record! {
    /// A saved dataset that new data is compared with.
    pub(crate) struct RawValidationReference, "a validation reference";
    required {
        /// Unique among the validation references of the project.
        name: Spanned<String>,
        /// The saved dataset.
        dataset_name: Spanned<String>,
    }
    defaulted {
        /// What it is, in words.
        description: String,
    }
    flatten { labels: RawLabels, }
}

tagged! {
    /// Where a saved dataset is.
    pub(crate) enum RawStorage, "a dataset storage" {
        "file" => File(RawFileStorage),
        "postgres" => Postgres(RawPostgresStorage),
        "spark" => Spark(RawSparkStorage),
        "bigquery" => BigQuery(RawBigQueryStorage),
        "redshift" => Redshift(RawRedshiftStorage),
        "snowflake" => Snowflake(RawSnowflakeStorage),
        "trino" => Trino(RawTrinoStorage),
        "athena" => Athena(RawAthenaStorage),
    }
}

record! {
    /// A file or a folder.
    pub(crate) struct RawFileStorage, "a file storage";
    required {
        /// Relative to the repo, or a URL such as s3://bucket/folder.
        path: Spanned<String>,
    }
    optional {
        /// How the files are encoded; parquet when left out.
        file_format: FileFormat,
    }
    defaulted {
        /// Endpoint of an S3-compatible store.
        s3_endpoint_override: String,
    }
}

record! {
    /// A table of PostgreSQL.
    pub(crate) struct RawPostgresStorage, "a postgres storage";
    defaulted {
        /// The table.
        table: String,
        /// A query instead of a table.
        query: String,
    }
}

record! {
    /// A table or files of Spark.
    pub(crate) struct RawSparkStorage, "a spark storage";
    defaulted {
        /// The table.
        table: String,
        /// A query instead of a table.
        query: String,
        /// Files instead of a table.
        path: String,
        /// How the files are encoded, as Spark calls it.
        file_format: String,
        /// How the partition column writes dates.
        date_partition_column_format: String,
    }
}

record! {
    /// A table of BigQuery.
    pub(crate) struct RawBigQueryStorage, "a bigquery storage";
    defaulted {
        /// The table as `project:dataset.table`.
        table: String,
        /// A query instead of a table.
        query: String,
    }
}

record! {
    /// A table of Redshift.
    pub(crate) struct RawRedshiftStorage, "a redshift storage";
    defaulted {
        /// The table.
        table: String,
        /// A query instead of a table.
        query: String,
        /// Schema of the table.
        schema: String,
        /// Database of the table.
        database: String,
    }
}

record! {
    /// A table of Snowflake.
    pub(crate) struct RawSnowflakeStorage, "a snowflake storage";
    defaulted {
        /// The table.
        table: String,
        /// A query instead of a table.
        query: String,
        /// Schema of the table.
        schema: String,
        /// Database of the table.
        database: String,
    }
}

record! {
    /// A table of Trino.
    pub(crate) struct RawTrinoStorage, "a trino storage";
    defaulted {
        /// The table.
        table: String,
        /// A query instead of a table.
        query: String,
    }
}

record! {
    /// A table of Amazon Athena.
    pub(crate) struct RawAthenaStorage, "an athena storage";
    defaulted {
        /// The table.
        table: String,
        /// A query instead of a table.
        query: String,
        /// Database of the table.
        database: String,
        /// Athena's name for the catalog.
        data_source: String,
    }
}
