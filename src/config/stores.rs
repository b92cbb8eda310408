use std::path::{Path, PathBuf};

use super::resolve;
use crate::{
    diagnostics::{Diagnostics, Span, did_you_mean},
    yaml::{Node, Read, Spanned, record},
};

/// Where the registry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryConfig {
    /// Feast's SQL registry in an SQLite file (absolute path).
    Sqlite { path: PathBuf },
}

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
    /// The `registry` mapping as written.
    struct RawRegistry, "the registry settings";
    required {}
    optional {
        registry_type: Spanned<String>,
        path: Spanned<String>,
        cache_ttl_seconds: Node,
        cache_mode: Node,
        read_path: Node,
        registry_store_type: Node,
        schema_mode: Node,
        sqlalchemy_config_kwargs: Node,
        thread_pool_executor_worker_count: Node,
        purge_feast_metadata: Spanned<bool>,
        enable_online_feature_view_versioning: Spanned<bool>,
        serve_features_while_materializing: Node,
        s3_additional_kwargs: Node,
        mcp: Node,
    }
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

/// The registry; nothing after an error.
pub fn registry(node: &Node, folder: &Path, diagnostics: &mut Diagnostics) -> Option<RegistryConfig> {
    if node.as_text().is_some() {
        file_registry(&node.span, diagnostics);
        return None;
    }
    let raw = RawRegistry::read(node, diagnostics)?;
    let kind = raw.registry_type.as_ref().map_or("file", |kind| &kind.value);
    let span = raw.registry_type.as_ref().map_or(&raw.span, |kind| &kind.span);
    match kind {
        "sql" => {}
        "file" => {
            file_registry(span, diagnostics);
            return None;
        }
        other => {
            let help = did_you_mean(other, ["sql"]);
            diagnostics.error_with_help(span, format!("registry type `{other}` is not supported yet"), help);
            return None;
        }
    }
    for (flag, name) in [
        (&raw.purge_feast_metadata, "purge_feast_metadata"),
        (&raw.enable_online_feature_view_versioning, "enable_online_feature_view_versioning"),
    ] {
        unsupported_flag(flag.as_ref(), name, diagnostics);
    }
    let Some(url) = raw.path else {
        diagnostics.error(&raw.span, "`path` is missing: the registry needs a URL such as sqlite:///data/registry.db");
        return None;
    };
    sqlite_path(&url, folder, diagnostics).map(|path| RegistryConfig::Sqlite { path })
}

fn file_registry(span: &Span, diagnostics: &mut Diagnostics) {
    diagnostics.error_with_help(
        span,
        "Feast's registry in a protobuf file is not supported yet",
        "use `registry_type: sql` with `path: sqlite:///data/registry.db`".to_owned(),
    );
}

/// The file behind `sqlite:///relative` or `sqlite:////absolute`.
fn sqlite_path(url: &Spanned<String>, folder: &Path, diagnostics: &mut Diagnostics) -> Option<PathBuf> {
    if let Some(path) = url.value.strip_prefix("sqlite:///").filter(|path| !path.is_empty() && *path != ":memory:") {
        return Some(resolve(folder, path));
    }
    match url.value.split_once("://") {
        Some((scheme, _)) if scheme != "sqlite" => {
            // The URL itself may hold a password, so only its scheme is repeated.
            diagnostics.error_with_help(
                &url.span,
                format!("a registry in `{scheme}` is not supported yet"),
                "use a URL such as sqlite:///data/registry.db".to_owned(),
            );
        }
        _ => diagnostics.error_with_help(
            &url.span,
            "the registry path is not the URL of an SQLite file",
            "write sqlite:///data/registry.db (relative to the repo) or sqlite:////srv/feast/registry.db".to_owned(),
        ),
    }
    None
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

fn unsupported_flag(flag: Option<&Spanned<bool>>, name: &str, diagnostics: &mut Diagnostics) {
    if let Some(flag) = flag.filter(|flag| flag.value) {
        diagnostics.error(&flag.span, format!("`{name}` is not supported yet"));
    }
}
