//! The settings file: its keys, and what they mean together.

use std::{path::Path, sync::Arc};

use super::{
    BucketSettings, OnlineStoreConfig, StoreConfig,
    auth::{AuthConfig, RawAuth, RawFeastrAuth},
    entity_index::{EntityIndexConfig, RawEntityIndex},
    environment::{Environment, expand},
    feature_server::{FeatureServerConfig, RawFeatureServer},
    offline::{self, OfflineStoreNode},
    online::{self, OnlineStoreNode},
    registry::{self, RegistryCache, RegistryNode},
    registry_server::{RawRegistryServer, RegistryServerConfig},
    spark::{self, BatchEngineNode, EngineAccess, RawEngine},
};
use crate::{
    diagnostics::{Diagnostics, SourceText, Span},
    problem::Advice,
    yaml::{self, Node, Spanned, record},
};

record! {
    /// The settings file as written.
    pub(crate) struct RawConfig, "feature_store.yaml";
    required {
        /// Namespace of the repo's objects.
        project: Spanned<String>,
        /// Where the registry is: the path of Feast's file, or a mapping.
        registry: RegistryNode,
    }
    optional {
        /// What the project is about, where the definitions do not say it.
        project_description: String,
        /// Where online values are: the kind of store, or a mapping. Left out, it is an SQLite file; `null` or
        /// `none` serves nothing online.
        online_store: OnlineStoreNode,
        /// What joins and reads the sources: the kind of store, or a mapping. `duckdb`, `file` and
        /// `dask` mean the same.
        offline_store: OfflineStoreNode,
        /// What only feastr knows; Feast ignores it.
        feastr: RawFeastr,
        /// What `serve` tells of its requests.
        feature_server: RawFeatureServer,
        /// How servers know who asks, and how clients prove who they are.
        auth: RawAuth,
        /// Feast's engine for materializing. One of type `spark.engine` can be looked at by `engine check`; feastr writes
        /// values itself, whatever stands here.
        batch_engine: BatchEngineNode,
        /// Another name of `batch_engine`.
        batch_engine_config: BatchEngineNode,
        // Settings of parts that feastr does not have.
        /// Whether Feast takes times without a zone as UTC. Without effect: feastr always does.
        coerce_tz_aware: Node,
        /// Feast's monitoring of data. Without effect.
        data_quality_monitoring: Node,
        /// Feast's model for embeddings. Without effect.
        embedding_model: Node,
        /// Feast's switches. Without effect.
        flags: Node,
        /// How Feast materializes. Without effect.
        materialization: Node,
        /// Another name of `materialization`. Without effect.
        materialization_config: Node,
        /// Feast's notes in MLflow. Without effect.
        mlflow: Node,
        /// Feast's events for OpenLineage. Without effect.
        openlineage: Node,
    }
    placed {
        /// Feast's provider: `local`, `gcp`, `aws` or `azure`; they all behave alike.
        provider: String = "local",
        /// How keys of entities are written; 3 is the only one.
        entity_key_serialization_version: i64 = KEY_VERSION,
    }
}

record! {
    /// What only feastr knows; Feast ignores it.
    pub(crate) struct RawFeastr, "the feastr settings";
    required {}
    optional {
        /// The name of this repo among those that share the project; with one, an apply deletes only what
        /// this repo applied itself. Up to 100 ASCII letters, digits and any of `_ - . /`.
        name: Spanned<String>,
        /// What only feastr knows of `auth`.
        auth: RawFeastrAuth,
        /// The index of entities, which buckets feed with their events.
        entity_index: RawEntityIndex,
        /// What a server of the registry does for its clients, and what it refuses.
        registry_server: RawRegistryServer,
        /// How an engine beyond this machine is reached.
        engine: RawEngine,
    }
    defaulted {
        /// Whether a request for online values fails where one of them cannot be computed. Otherwise that value is null with
        /// the status `INVALID`.
        strict: bool = false,
    }
}

/// How entity keys are written.
pub(crate) const KEY_VERSION: i64 = 3;

const PROVIDERS: [&str; 4] = ["local", "gcp", "aws", "azure"];

/// Reads the settings of the repo in `folder` from the text of its settings file, which is at `path`
/// (both absolute).
///
/// Nothing comes back when `diagnostics` got an error.
pub fn load(
    file: &Arc<SourceText>,
    [folder, path]: [&Path; 2],
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<StoreConfig> {
    let before = diagnostics.has_errors();
    let Some(mut node) = yaml::parse(file, diagnostics) else {
        if diagnostics.has_errors() == before {
            diagnostics.error_with_advice(&Span::start_of(file), "the file is empty", Advice::WriteSettings);
        }
        return None;
    };
    let mut found = Diagnostics::default();
    expand(&mut node, environment, &mut found);
    let mut read = Diagnostics::default();
    let config =
        yaml::Read::read(&node, &mut read).and_then(|raw| resolve(raw, [folder, path], environment, &mut read));
    // A variable that is not set stands where no setting can be read.
    found.append_others(read);
    let broken = found.has_errors();
    diagnostics.append(found);
    config.filter(|_| !broken)
}

fn resolve(
    raw: RawConfig,
    [folder, path]: [&Path; 2],
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<StoreConfig> {
    let provider = &raw.provider.value;
    if !PROVIDERS.contains(&provider.as_str()) {
        diagnostics.error_with_help(
            &raw.provider.span,
            format!("provider `{provider}` is not supported"),
            format!("use one of {}; they all behave alike", PROVIDERS.join(", ")),
        );
    }
    check_key_version(&raw.entity_key_serialization_version, diagnostics);
    let online_store = online::read(raw.online_store.as_ref().map(|store| &store.0), folder, diagnostics);
    let registry = registry::registry(&raw.registry.0, folder, environment, diagnostics);
    let feature_server = FeatureServerConfig::of(raw.feature_server, diagnostics);
    let (repo_name, strict, own_auth, index, own_server, engine) =
        raw.feastr.map_or((None, false, None, None, None, None), |feastr| {
            (feastr.name, feastr.strict, feastr.auth, feastr.entity_index, feastr.registry_server, feastr.engine)
        });
    let engine_access = EngineAccess::of(engine, folder, diagnostics);
    let around = spark::Around { access: engine_access.as_ref(), environment };
    let offline_store = offline::read(raw.offline_store.as_ref().map(|store| &store.0), (folder, around), diagnostics);
    let batch_engine = raw.batch_engine.as_ref().or(raw.batch_engine_config.as_ref());
    let batch_engine = spark::read_engine(batch_engine, around, diagnostics);
    let entity_index = EntityIndexConfig::of(index, folder, diagnostics);
    let auth = AuthConfig::of(raw.auth, own_auth, folder, environment, diagnostics);
    if let Some(name) = &repo_name {
        check_repo_name(name, diagnostics);
    }
    let names_are_tables = online_store.iter().flatten().any(OnlineStoreConfig::names_are_tables);
    check_project(&raw.project, names_are_tables, diagnostics);
    Some(StoreConfig {
        repo: folder.to_owned(),
        file: path.to_owned(),
        project: raw.project.value,
        project_description: raw.project_description,
        repo_name: repo_name.map(|name| name.value),
        provider: raw.provider.value,
        registry: registry?,
        registry_cache: RegistryCache::of(&raw.registry.0),
        online_store: online_store?,
        offline_store: offline_store?,
        batch_engine: batch_engine?,
        buckets: BucketSettings::of(environment),
        auth,
        feature_server,
        entity_index: entity_index?,
        registry_server: RegistryServerConfig::of(own_server),
        strict,
        memory_limit: super::MemoryLimit::default(),
    })
}

/// Feast's rule for project names (word characters and `-`); where names become those of tables as they are, a `-` is
/// refused, too.
fn check_project(project: &Spanned<String>, names_are_tables: bool, diagnostics: &mut Diagnostics) {
    let name = &project.value;
    let allowed = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.starts_with(['_', '-']) || !name.chars().all(allowed) {
        diagnostics.error_with_help(
            &project.span,
            format!("`{name}` is not a project name"),
            "use letters, digits and underscores, and start with a letter or digit".to_owned(),
        );
    } else if names_are_tables && name.contains('-') {
        diagnostics.error_with_help(
            &project.span,
            format!("project name `{name}` has a hyphen, which the online store cannot take"),
            format!("call it `{}`", name.replace('-', "_")),
        );
    }
}

/// Names of repos are shown in plans and stay in the registry for good, so they are kept plain.
fn check_repo_name(name: &Spanned<String>, diagnostics: &mut Diagnostics) {
    const MAX_LENGTH: usize = 100;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    if name.value.is_empty() || name.value.len() > MAX_LENGTH || !name.value.chars().all(allowed) {
        diagnostics.error_with_help(
            &name.span,
            format!("`{}` is not a name for a repo", name.value.escape_debug()),
            format!("use up to {MAX_LENGTH} ASCII letters, digits and any of _ - . /"),
        );
    }
}

fn check_key_version(version: &Spanned<i64>, diagnostics: &mut Diagnostics) {
    match version {
        Spanned { value: KEY_VERSION, .. } => {}
        Spanned { value: 2, span } => diagnostics.error_with_help(
            span,
            "entity key serialization version 2 is not supported",
            "set it to 3 and materialize again: keys written with version 2 are not found under version 3".to_owned(),
        ),
        Spanned { value, span } => diagnostics.error_with_help(
            span,
            format!("entity key serialization version {value} does not exist"),
            "set it to 3".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let file = Arc::new(SourceText::new("/repo/feature_store.yaml", text));
        let mut diagnostics = Diagnostics::default();
        let paths = [Path::new("/repo"), Path::new("/repo/feature_store.yaml")];
        assert!(load(&file, paths, &|_| None, &mut diagnostics).is_none());
        diagnostics.into_sorted().into_iter().map(|found| found.message).collect()
    }

    #[test]
    fn what_is_read_of_the_registry_is_kept_as_long_as_the_settings_say() {
        let cache = |settings: &str| {
            let text = format!("project: p\nregistry: {settings}\nonline_store: null\n");
            let file = Arc::new(SourceText::new("/repo/feature_store.yaml", text));
            let paths = [Path::new("/repo"), Path::new("/repo/feature_store.yaml")];
            let RegistryCache { period, by_itself } =
                load(&file, paths, &|_| None, &mut Diagnostics::default()).unwrap().registry_cache;
            (period.as_secs(), by_itself)
        };
        assert_eq!(cache("data/r.db"), (600, false));
        assert_eq!(cache("{path: data/r.db, cache_ttl_seconds: 0, cache_mode: thread}"), (0, true));
        assert_eq!(cache("{path: data/r.db, cache_ttl_seconds: 60, cache_mode: sync}"), (60, false));
        // Commands use no cache, so a mistake here has no effect.
        assert_eq!(cache("{path: data/r.db, cache_ttl_seconds: soon}"), (600, false));
    }

    #[test]
    fn a_variable_that_is_not_set_is_one_finding() {
        let sql = "registry: {registry_type: sql, path: 'sqlite:///r.db'}\n";
        for text in [
            format!("project: ${{X}}\n{sql}"),
            format!("project: p\nprovider: ${{X}}\n{sql}"),
            "project: p\nregistry: ${X}\n".to_owned(),
            "project: p\nregistry: {registry_type: sql, path: '${X}'}\n".to_owned(),
            "project: p\nregistry: {registry_type: '${X}', path: 'sqlite:///r.db'}\n".to_owned(),
            "project: p\nregistry: {registry_type: sql, path: 'postgresql://u:p@h/d?sslmode=${X}'}\n".to_owned(),
            format!("project: p\n{sql}online_store: {{type: redis, connection_string: '${{X}}'}}\n"),
            format!(
                "project: p\n{sql}online_store:\n  type: postgres\n  host: h\n  port: ${{X}}\n  user: u\n  database: d\n"
            ),
            format!("project: p\n{sql}entity_key_serialization_version: ${{X}}\n"),
        ] {
            assert_eq!(findings(&text), ["environment variable `X` is not set"], "{text}");
        }
        let two = findings("project: ${X}\nregistry: {registry_type: sq, path: '${Y}'}\n");
        assert_eq!(two.len(), 3, "what has another cause stays: {two:?}");
    }
}
