use std::path::Path;

use serde_json::{Value, json};

use super::OnlineStoreConfig;
use crate::{
    config::{resolve, store_kind::unsupported_flag},
    diagnostics::Diagnostics,
    yaml::{Node, Read, record},
};

const DEFAULT_PATH: &str = "data/online.db";

record! {
    /// An online store in an SQLite file: a table per view.
    pub(crate) struct RawSqlite, "the settings of the SQLite online store";
    required {}
    optional {
        /// Feast's measure for vectors. Without effect.
        similarity: Node,
    }
    defaulted {
        /// `sqlite`.
        r#type: String = "sqlite".to_owned(),
        /// The file, relative to the repo.
        path: String = DEFAULT_PATH.to_owned(),
        /// Whether tables have numbers in a column of their own, too, for Feast's filters.
        enable_openai_compatible_store: bool = false,
    }
    placed {
        /// Not supported yet: `true` is an error.
        vector_enabled: bool = false,
        /// Not supported yet: `true` is an error.
        text_search_enabled: bool = false,
    }
}

/// The store of a mapping with `type: sqlite`.
pub(crate) fn read(node: &Node, folder: &Path, diagnostics: &mut Diagnostics) -> Option<OnlineStoreConfig> {
    let raw = RawSqlite::read(node, diagnostics)?;
    for (flag, name) in [(&raw.vector_enabled, "vector_enabled"), (&raw.text_search_enabled, "text_search_enabled")] {
        unsupported_flag(flag, name, diagnostics);
    }
    Some(OnlineStoreConfig::Sqlite { path: resolve(folder, &raw.path), numbers: raw.enable_openai_compatible_store })
}

/// The settings of the store as they are understood.
pub(crate) fn settings(path: &Path, numbers: bool) -> Value {
    let mut settings = json!({ "type": "sqlite", "path": path });
    if numbers {
        settings["enable_openai_compatible_store"] = true.into();
    }
    settings
}

/// The store when only its kind is named, or nothing at all.
pub(crate) fn default(folder: &Path) -> OnlineStoreConfig {
    OnlineStoreConfig::Sqlite { path: resolve(folder, DEFAULT_PATH), numbers: false }
}
