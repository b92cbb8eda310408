use std::path::Path;

use super::OnlineStoreConfig;
use crate::{
    config::{resolve, store_kind::unsupported_flag},
    diagnostics::Diagnostics,
    yaml::{Node, Read, Spanned, record},
};

const DEFAULT_PATH: &str = "data/online.db";

record! {
    /// The `online_store` mapping of an SQLite store as written.
    struct RawSqlite, "the settings of the SQLite online store";
    required {}
    optional {
        r#type: Node,
        path: Spanned<String>,
        vector_enabled: Spanned<bool>,
        similarity: Node,
        text_search_enabled: Spanned<bool>,
        enable_openai_compatible_store: bool,
    }
}

/// The store of a mapping with `type: sqlite`.
pub fn read(node: &Node, folder: &Path, diagnostics: &mut Diagnostics) -> Option<OnlineStoreConfig> {
    let raw = RawSqlite::read(node, diagnostics)?;
    for (flag, name) in [(&raw.vector_enabled, "vector_enabled"), (&raw.text_search_enabled, "text_search_enabled")] {
        unsupported_flag(flag.as_ref(), name, diagnostics);
    }
    let path = raw.path.map_or_else(|| DEFAULT_PATH.to_owned(), |path| path.value);
    let numbers = raw.enable_openai_compatible_store.unwrap_or(false);
    Some(OnlineStoreConfig::Sqlite { path: resolve(folder, &path), numbers })
}

/// The store when only its kind is named, or nothing at all.
pub fn default(folder: &Path) -> OnlineStoreConfig {
    OnlineStoreConfig::Sqlite { path: resolve(folder, DEFAULT_PATH), numbers: false }
}
