use super::store_kind::{mapping_kind, unsupported_store};
use crate::{
    diagnostics::Diagnostics,
    yaml::{Node, Read, record},
};

/// What reads the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfflineStoreConfig {
    /// Embedded DuckDB over files.
    DuckDb,
}

record! {
    /// The `offline_store` mapping of a DuckDB store as written.
    struct RawDuckDb, "the settings of the DuckDB offline store";
    required {}
    optional {
        r#type: Node,
        staging_location: Node,
        staging_location_endpoint_override: Node,
    }
}

/// The offline store; Feast's `dask` and `file` read the same files, so DuckDB reads them, too.
pub fn read(node: Option<&Node>, diagnostics: &mut Diagnostics) -> Option<OfflineStoreConfig> {
    const KINDS: [&str; 3] = ["duckdb", "file", "dask"];
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
    mapping_kind("offline", node, "dask", &KINDS, diagnostics)?;
    RawDuckDb::read(node, diagnostics).map(|_| OfflineStoreConfig::DuckDb)
}
