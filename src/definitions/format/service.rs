//! Feature services as they are written, with the three forms of a member.

use serde_json::{Value, json};

use super::about::RawAbout;
use crate::{
    diagnostics::Diagnostics,
    model::Tags,
    yaml::{Content, Node, Read, Schemas, Spanned, record, tagged},
};

record! {
    /// A selection of features, usually what one model version needs.
    pub(crate) struct RawFeatureService, "a feature service";
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

/// A member of a feature service in any of its three forms.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// The name of the view.
    pub view: Spanned<String>,
    /// `None` selects every feature of the view.
    pub features: Option<Vec<Spanned<String>>>,
    /// The name used instead of the view's.
    pub name_alias: Option<Spanned<String>>,
    /// Join key of the view to column of the entity rows.
    pub join_key_map: Option<Spanned<Tags>>,
}

impl Read for Member {
    const EXPECTED: &'static str = "a view name, or {view: [features]}";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.content {
            Content::Scalar(_) => {
                let view = Spanned::read(node, diagnostics)?;
                Some(Self { view, features: None, name_alias: None, join_key_map: None })
            }
            // `{view: [a]}` selects features of a view that is called `view`.
            Content::Mapping(entries) if entries.len() == 1 && matches!(entries[0].1.content, Content::List(_)) => {
                let (view, features) = &entries[0];
                let view = Spanned::read(view, diagnostics);
                let features = Vec::read(features, diagnostics);
                Some(Self { view: view?, features: Some(features?), name_alias: None, join_key_map: None })
            }
            Content::Mapping(_) => {
                let raw = RawProjection::read(node, diagnostics)?;
                Some(Self {
                    view: raw.view,
                    features: raw.features,
                    name_alias: raw.name_alias,
                    join_key_map: raw.join_key_map,
                })
            }
            Content::List(_) => {
                diagnostics.error(&node.span, format!("expected {}, found {}", Self::EXPECTED, node.describe()));
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Value {
        let names = Vec::<String>::schema(schemas);
        json!({ "anyOf": [
            { "type": "string" },
            { "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": names },
            RawProjection::schema(schemas),
        ] })
    }
}

record! {
    /// A view, perhaps under another name or with other join keys.
    pub(crate) struct RawProjection, "a feature service member";
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
    pub(crate) struct RawLoggingConfig, "a logging configuration";
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
    pub(crate) enum RawDestination, "a logging destination" {
        "file" => File(RawFileDestination),
    }
}

record! {
    /// Logs as parquet files.
    pub(crate) struct RawFileDestination, "a file destination";
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
