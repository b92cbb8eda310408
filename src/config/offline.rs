use serde_json::{Value, json};

use super::store_kind::{mapping_kind, unsupported_store};
use crate::{
    diagnostics::Diagnostics,
    yaml::{Node, Read, Schemas, record},
};

/// What reads the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfflineStoreConfig {
    /// Embedded DuckDB over files.
    DuckDb,
}

impl OfflineStoreConfig {
    /// The settings of the store as they are understood.
    pub(super) fn settings(self) -> Value {
        match self {
            Self::DuckDb => json!({ "type": "duckdb" }),
        }
    }
}

record! {
    /// The engine that reads files: DuckDB, which is part of feastr.
    struct RawDuckDb, "the settings of the DuckDB offline store";
    required {}
    optional {
        /// Where Feast puts results meanwhile. Without effect.
        staging_location: Node,
        /// How Feast reaches that place. Without effect.
        staging_location_endpoint_override: Node,
    }
    defaulted {
        /// `duckdb`; Feast's `file` and `dask` read the same files.
        r#type: String = DEFAULT_KIND.to_owned(),
    }
}

/// The `offline_store` setting as written, for [`read`].
#[derive(Debug, Clone)]
pub(crate) struct OfflineStoreNode(pub Node);

impl Read for OfflineStoreNode {
    const EXPECTED: &'static str = RawDuckDb::EXPECTED;
    const TAKES_NULL: bool = true;

    fn read(node: &Node, _: &mut Diagnostics) -> Option<Self> {
        Some(Self(node.clone()))
    }

    fn schema(schemas: &mut Schemas) -> Value {
        json!({ "anyOf": [{ "enum": KINDS }, RawDuckDb::schema(schemas)] })
    }
}

/// The kinds of stores, as the settings name them.
const KINDS: [&str; 3] = ["duckdb", "file", "dask"];

/// What Feast means by a mapping without a type.
const DEFAULT_KIND: &str = "dask";

/// The offline store; Feast's `dask` and `file` read the same files, so DuckDB reads them, too.
pub(crate) fn read(node: Option<&Node>, diagnostics: &mut Diagnostics) -> Option<OfflineStoreConfig> {
    let Some(node) = node else {
        return Some(OfflineStoreConfig::DuckDb);
    };
    if let Some(word) = node.as_text() {
        return if KINDS.contains(&word) {
            Some(OfflineStoreConfig::DuckDb)
        } else {
            unsupported_store("offline", word, &node.span, &KINDS, diagnostics)
        };
    }
    mapping_kind("offline", node, DEFAULT_KIND, &KINDS, diagnostics)?;
    RawDuckDb::read(node, diagnostics).map(|_| OfflineStoreConfig::DuckDb)
}
