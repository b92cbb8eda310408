use super::{RawAbout, values::Member};
use crate::{
    model::Tags,
    yaml::{Spanned, record, tagged},
};

record! {
    /// A selection of features, usually what one model version needs.
    pub struct RawFeatureService, "a feature service";
    required {
        /// Unique among the services of the project.
        name: Spanned<String>,
    }
    optional {
        /// Which share of requests is logged, and where to.
        logging_config: RawLoggingConfig,
    }
    defaulted {
        /// The views, each as a whole or with some of its features.
        features: Vec<Member>,
        /// Whether feature vectors are kept ready in the online store.
        precompute_online: bool,
    }
    flatten { about: RawAbout, }
}

record! {
    /// A view, perhaps under another name or with other join keys.
    pub struct RawProjection, "a feature service member";
    required {
        /// The name of the view.
        view: Spanned<String>,
    }
    optional {
        /// Some of its features; all when left out.
        features: Vec<Spanned<String>>,
        /// The name used instead of the view's.
        name_alias: Spanned<String>,
        /// Join key of the view to column of the entity rows.
        join_key_map: Spanned<Tags>,
    }
}

record! {
    /// Which share of requests is logged, and where to.
    pub struct RawLoggingConfig, "a logging configuration";
    required {
        /// Where logs go.
        destination: RawDestination,
    }
    optional {
        /// Share of the requests, from 0 (none) to 1 (all, also when left out).
        sample_rate: Spanned<f64>,
    }
}

tagged! {
    /// Where logs go.
    pub enum RawDestination, "a logging destination" {
        "file" => File(RawFileDestination),
    }
}

record! {
    /// Logs as parquet files.
    pub struct RawFileDestination, "a file destination";
    required {
        /// A folder, relative to the repo, or a URL such as s3://bucket/folder.
        path: Spanned<String>,
    }
    defaulted {
        /// Endpoint of an S3-compatible store.
        s3_endpoint_override: String,
        /// Columns that files are divided by.
        partition_by: Vec<String>,
    }
}
