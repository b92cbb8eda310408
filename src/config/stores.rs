use std::path::{Path, PathBuf};

use super::resolve;
use crate::{
    diagnostics::{Diagnostics, Span, did_you_mean},
    yaml::{Node, Read, Spanned, record},
};

/// Where online values are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnlineStoreConfig {
    /// An SQLite file (absolute path).
    Sqlite { path: PathBuf },
}

impl OnlineStoreConfig {
    /// The word of the settings file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
        }
    }
}

/// What reads the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfflineStoreConfig {
    /// Embedded DuckDB over files.
    DuckDb,
}

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
        enable_openai_compatible_store: Spanned<bool>,
    }
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

/// The online store: `Some(None)` when there is none on purpose, nothing after an error.
pub fn online(node: Option<&Node>, folder: &Path, diagnostics: &mut Diagnostics) -> Option<Option<OnlineStoreConfig>> {
    const DEFAULT_PATH: &str = "data/online.db";
    let default = || Some(Some(OnlineStoreConfig::Sqlite { path: resolve(folder, DEFAULT_PATH) }));
    let Some(node) = node else {
        return default();
    };
    if node.is_null() {
        return Some(None);
    }
    if let Some(word) = node.as_text() {
        return match word.to_ascii_lowercase().as_str() {
            "none" | "null" => Some(None),
            "sqlite" => default(),
            _ => unsupported_store("online", word, &node.span, &["sqlite", "none"], diagnostics),
        };
    }
    check_type("online", node, "sqlite", &["sqlite"], diagnostics)?;
    let raw = RawSqlite::read(node, diagnostics)?;
    for (flag, name) in [
        (&raw.vector_enabled, "vector_enabled"),
        (&raw.text_search_enabled, "text_search_enabled"),
        (&raw.enable_openai_compatible_store, "enable_openai_compatible_store"),
    ] {
        unsupported_flag(flag.as_ref(), name, diagnostics);
    }
    let path = raw.path.map_or_else(|| DEFAULT_PATH.to_owned(), |path| path.value);
    Some(Some(OnlineStoreConfig::Sqlite { path: resolve(folder, &path) }))
}

/// The offline store; Feast's `dask` and `file` read the same files, so DuckDB reads them, too.
pub fn offline(node: Option<&Node>, diagnostics: &mut Diagnostics) -> Option<OfflineStoreConfig> {
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
    check_type("offline", node, "dask", &KINDS, diagnostics)?;
    RawDuckDb::read(node, diagnostics).map(|_| OfflineStoreConfig::DuckDb)
}

/// The `type` of a store mapping, before its other keys are looked at.
fn check_type(store: &str, node: &Node, default: &str, kinds: &[&str], diagnostics: &mut Diagnostics) -> Option<()> {
    let entry = node.entries().and_then(|entries| entries.iter().find(|(key, _)| key.as_text() == Some("type")));
    let kind = match entry {
        Some((_, value)) => Spanned::<String>::read(value, diagnostics)?,
        None => Spanned { value: default.to_owned(), span: node.span.clone() },
    };
    if kinds.contains(&kind.value.as_str()) {
        Some(())
    } else {
        unsupported_store(store, &kind.value, &kind.span, kinds, diagnostics)
    }
}

fn unsupported_store<T>(
    store: &str,
    kind: &str,
    span: &Span,
    kinds: &[&str],
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let help = did_you_mean(kind, kinds.iter().copied());
    diagnostics.error_with_help(span, format!("{store} store `{kind}` is not supported yet"), help);
    None
}

/// Says that a switch which is on does nothing.
pub fn unsupported_flag(flag: Option<&Spanned<bool>>, name: &str, diagnostics: &mut Diagnostics) {
    if let Some(flag) = flag.filter(|flag| flag.value) {
        diagnostics.error(&flag.span, format!("`{name}` is not supported yet"));
    }
}
