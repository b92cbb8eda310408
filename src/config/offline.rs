use std::path::Path;

use serde_json::{Value, json};

use super::{
    offline_server::{self, RawRemoteOffline, RemoteOfflineConfig},
    postgres::{PostgresConnection, RawPostgresConnection},
    spark::{self, RawSpark, SparkConfig},
    store_kind::{mapping_kind, unsupported_store},
};
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    yaml::{Node, Read, Schemas, Spanned, record},
};

/// What reads the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfflineStoreConfig {
    /// Embedded DuckDB over files.
    DuckDb,
    /// A PostgreSQL server, over its own tables.
    Postgres(Box<PostgresOfflineConfig>),
    /// An offline server, which reads the sources.
    Remote(RemoteOfflineConfig),
    /// A cluster behind a Spark Connect server.
    Spark(Box<SparkConfig>),
}

/// The server that has the tables of sources and joins them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOfflineConfig {
    /// Where it is.
    pub connection: PostgresConnection,
    /// How entity rows get there.
    pub entity_select_mode: EntitySelectMode,
}

/// How entity rows get to a server that joins features to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntitySelectMode {
    /// In a temporary table.
    TempTable,
    /// In the query, for users who may create nothing.
    EmbedQuery,
}

impl EntitySelectMode {
    const WORDS: [(&'static str, Self); 2] = [("temp_table", Self::TempTable), ("embed_query", Self::EmbedQuery)];

    /// The word of the settings file.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, mode)| *mode == self).map_or("temp_table", |(word, _)| word)
    }
}

impl OfflineStoreConfig {
    /// The server with the tables of sources that name none themselves.
    pub fn postgres(&self) -> Option<&PostgresConnection> {
        match self {
            Self::DuckDb | Self::Remote(_) | Self::Spark(_) => None,
            Self::Postgres(config) => Some(&config.connection),
        }
    }

    /// The settings of the store as they are understood, with `***` for passwords.
    pub(super) fn settings(&self) -> Value {
        match self {
            Self::DuckDb => json!({ "type": "duckdb" }),
            Self::Postgres(config) => {
                let mut settings = config.connection.settings();
                settings["entity_select_mode"] = config.entity_select_mode.word().into();
                settings
            }
            Self::Remote(config) => config.settings(),
            Self::Spark(config) => config.settings("spark"),
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

record! {
    /// A PostgreSQL server with the tables of the sources.
    struct RawPostgresOffline, "the settings of the PostgreSQL offline store";
    required {
        /// `postgres`.
        r#type: String,
    }
    placed {
        /// How entity rows get to the server: `temp_table`, or `embed_query` for users who may create nothing.
        entity_select_mode: String = EntitySelectMode::TempTable.word(),
    }
    flatten { connection: RawPostgresConnection, }
}

/// The `offline_store` setting as written, for [`read`].
#[derive(Debug, Clone)]
pub(crate) struct OfflineStoreNode(pub Node);

impl Read for OfflineStoreNode {
    const EXPECTED: &'static str = "the kind of an offline store or its settings";
    const TAKES_NULL: bool = true;

    fn read(node: &Node, _: &mut Diagnostics) -> Option<Self> {
        Some(Self(node.clone()))
    }

    fn schema(schemas: &mut Schemas) -> Value {
        let [duckdb, postgres] = [RawDuckDb::schema(schemas), RawPostgresOffline::schema(schemas)];
        let [remote, spark] = [RawRemoteOffline::schema(schemas), RawSpark::schema(schemas)];
        let words: Vec<&str> = FILE_KINDS.into_iter().chain(["spark"]).collect();
        json!({ "anyOf": [{ "enum": words }, duckdb, postgres, remote, spark] })
    }
}

/// The kinds of stores, as the settings name them.
const KINDS: [&str; 6] = ["duckdb", "file", "dask", "postgres", "remote", "spark"];

/// Those that read files.
const FILE_KINDS: [&str; 3] = ["duckdb", "file", "dask"];

/// What Feast means by a mapping without a type.
const DEFAULT_KIND: &str = "dask";

/// The offline store; Feast's `dask` and `file` read the same files, so DuckDB reads them, too.
pub(super) fn read(
    node: Option<&Node>,
    (folder, around): (&Path, spark::Around<'_>),
    diagnostics: &mut Diagnostics,
) -> Option<OfflineStoreConfig> {
    let spark = |diagnostics: &mut Diagnostics, node: &Node| {
        spark::read_store(node, around, diagnostics).map(|spark| OfflineStoreConfig::Spark(Box::new(spark)))
    };
    let Some(node) = node else {
        return Some(OfflineStoreConfig::DuckDb);
    };
    match node.as_text() {
        Some("postgres") => {
            diagnostics.error_with_help(
                &node.span,
                "a PostgreSQL offline store needs to know where it is",
                "write {type: postgres, host: …, database: …, user: …, password: ${…}}".to_owned(),
            );
            return None;
        }
        Some("remote") => {
            diagnostics.error_with_help(
                &node.span,
                "a remote offline store needs to know where its server is",
                "write {type: remote, host: …, port: 8815}".to_owned(),
            );
            return None;
        }
        Some("spark") => return spark(diagnostics, node),
        Some(word) if FILE_KINDS.contains(&word) => return Some(OfflineStoreConfig::DuckDb),
        Some(word) => return unsupported_store("offline", word, &node.span, &KINDS, diagnostics),
        None => {}
    }
    match mapping_kind("offline", node, DEFAULT_KIND, &KINDS, diagnostics)?.as_str() {
        "postgres" => read_postgres(node, folder, diagnostics),
        "remote" => offline_server::read(node, folder, diagnostics).map(OfflineStoreConfig::Remote),
        "spark" => spark(diagnostics, node),
        _ => RawDuckDb::read(node, diagnostics).map(|_| OfflineStoreConfig::DuckDb),
    }
}

fn read_postgres(node: &Node, folder: &Path, diagnostics: &mut Diagnostics) -> Option<OfflineStoreConfig> {
    let raw = RawPostgresOffline::read(node, diagnostics)?;
    let entity_select_mode = select_mode(&raw.entity_select_mode, diagnostics);
    let connection = raw.connection.lower(folder, diagnostics)?;
    let config = PostgresOfflineConfig { connection, entity_select_mode: entity_select_mode? };
    Some(OfflineStoreConfig::Postgres(Box::new(config)))
}

fn select_mode(word: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<EntitySelectMode> {
    let found = EntitySelectMode::WORDS.iter().find(|(name, _)| *name == word.value);
    if found.is_none() {
        let words = EntitySelectMode::WORDS.map(|(name, _)| name);
        let help = did_you_mean(&word.value, words).unwrap_or_else(|| format!("use one of {}", words.join(", ")));
        diagnostics.error_with_help(&word.span, format!("`{}` is not an entity_select_mode", word.value), help);
    }
    found.map(|(_, mode)| *mode)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{config::load, diagnostics::SourceText};

    /// The settings of a repo with such an offline store, or what is wrong with it.
    fn settings(offline: &str) -> Result<Value, String> {
        let text = format!("project: p\nregistry: data/registry.db\noffline_store: {offline}\n");
        let file = Arc::new(SourceText::settings("/repo/feature_store.yaml", text));
        let mut diagnostics = Diagnostics::default();
        let config = load(&file, ["/repo", "/repo/feature_store.yaml"].map(Path::new), &|_| None, &mut diagnostics);
        config.map(|config| config.settings()["offline_store"].clone()).ok_or_else(|| {
            diagnostics.into_sorted().into_iter().map(|found| format!("{} {:?}", found.message, found.advice)).collect()
        })
    }

    #[test]
    fn an_offline_server_is_read_and_shown() {
        let shown = settings("{type: remote, host: features, port: 443, scheme: https, cert: ca.pem}").unwrap();
        assert_eq!((&shown["port"], &shown["cert"]), (&443.into(), &"/repo/ca.pem".into()));
        let shown = settings("{type: remote, host: '::1', cert: ''}").unwrap();
        assert_eq!((&shown["port"], &shown["scheme"], &shown["cert"]), (&8815.into(), &"http".into(), &Value::Null));
        for (wrong, part) in [
            ("remote", "needs to know where its server is"),
            ("{type: remote}", "`host` is missing"),
            ("{type: remote, host: 'features:8815'}", "`host` is the name"),
            ("{type: remote, host: 'http://features'}", "`host` is the name"),
            ("{type: remote, host: f, scheme: grpc}", "`scheme` is none"),
            ("{type: remote, host: f, port: 70000}", "`port` is a number"),
            ("{type: remote, host: f, connection_retries: -1}", "`connection_retries` is a number"),
        ] {
            let error = settings(wrong).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_server_is_read_and_shown_without_the_password() {
        let server = "type: postgres, host: db, database: d, user: u, password: s3cret";
        let shown = settings(&format!("{{{server}, entity_select_mode: embed_query, min_conn: 1}}")).unwrap();
        assert_eq!(
            (&shown["entity_select_mode"], &shown["password"], &shown["port"]),
            (&"embed_query".into(), &"***".into(), &5432.into())
        );
        assert_eq!(settings(&format!("{{{server}}}")).unwrap()["entity_select_mode"], "temp_table");
        assert_eq!(settings("dask").unwrap()["type"], "duckdb");
        for (wrong, part) in [
            (format!("{{{server}, entity_select_mode: embed}}"), "is not an entity_select_mode"),
            ("{type: postgres, host: db, user: u}".to_owned(), "`database` is missing"),
            ("postgres".to_owned(), "needs to know where it is"),
            ("snowflake.offline".to_owned(), "is not supported yet"),
        ] {
            let error = settings(&wrong).unwrap_err();
            assert!(error.contains(part) && !error.contains("s3cret"), "{error}");
        }
    }
}
