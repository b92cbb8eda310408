//! The `entity_index` setting: where the index of entities is, and who may tell of new files.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use url::Url;

use super::{Password, RegistryConfig, RegistryDatabase, registry_database::database_at, resolve};
use crate::{
    diagnostics::Diagnostics,
    model::{DAY, Ttl},
    problem::{Kind, Problem},
    yaml::{Spanned, record},
};

/// The schema of the index, unless another one is named: that of the entity-store project.
const SCHEMA: &str = "entity_lookup";

/// For how long jobs that are done stay, unless something else is said.
const KEPT: i64 = 30 * DAY;

/// PostgreSQL cuts longer names.
const LONGEST_SCHEMA: usize = 40;

record! {
    /// The index of entities, which buckets feed with their events.
    pub(crate) struct RawEntityIndex, "the settings of the entity index";
    required {}
    optional {
        /// The URL of the database with the index: `postgresql://user:password@host/database`, or `sqlite:///data/index.db`
        /// (relative to the repo). Left out, it is the database of the registry.
        path: Spanned<String>,
        /// What those who tell of events send as a bearer token, such as `${ENTITY_INDEX_TOKEN}`.
        token: Password,
        /// Where topics of SNS may have their subscriptions confirmed: the places of their service, such as
        /// `[https://sns.eu-central-1.amazonaws.com]`. Left out, no URL is visited.
        subscriptions: Vec<Spanned<String>>,
        /// For how long jobs that are done stay in their table: `30d`, `12h`; `0` is for ever [default: 30d].
        keep_jobs: Spanned<String>,
        /// Buckets whose objects lie in folders of this machine, as those of a gateway: the folder of each, relative to the
        /// repo.
        buckets: BTreeMap<String, String>,
    }
    placed {
        /// The schema of its tables; in SQLite their names begin so. Projects that share a database have one each.
        schema: String = SCHEMA,
    }
}

/// Where the index of entities is, and who may tell of new files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityIndexConfig {
    /// The database that the settings name; `None` is that of the registry.
    pub named: Option<RegistryDatabase>,
    /// The schema of its tables, or how their names begin.
    pub schema: String,
    /// What those who tell of events have to know.
    pub token: Option<Password>,
    /// Where URLs may be visited that confirm subscriptions: schemes with hosts and ports.
    pub subscriptions: Vec<String>,
    /// After how many microseconds jobs that are done are forgotten; `None` is never.
    pub keep_jobs: Option<i64>,
    /// The folders in which the objects of some buckets lie, absolute.
    pub buckets: BTreeMap<String, PathBuf>,
}

impl Default for EntityIndexConfig {
    fn default() -> Self {
        Self {
            named: None,
            schema: SCHEMA.to_owned(),
            token: None,
            subscriptions: Vec::new(),
            keep_jobs: Some(KEPT),
            buckets: BTreeMap::new(),
        }
    }
}

impl EntityIndexConfig {
    /// What the settings say; `None` after an error.
    pub(super) fn of(raw: Option<RawEntityIndex>, folder: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Some(raw) = raw else { return Some(Self::default()) };
        let named = match &raw.path {
            Some(url) => Some(database_at(url, "entity index", folder, diagnostics)?),
            None => None,
        };
        let schema = &raw.schema.value;
        let is_plain = schema.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
            && schema.chars().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '_');
        if !is_plain || schema.len() > LONGEST_SCHEMA {
            diagnostics.error_with_help(
                &raw.schema.span,
                format!("`{}` is not a name for the schema of the entity index", schema.escape_debug()),
                format!("use up to {LONGEST_SCHEMA} small letters, digits and underscores, such as {SCHEMA}"),
            );
            return None;
        }
        let places = raw.subscriptions.unwrap_or_default();
        let subscriptions = places.iter().map(|place| origin(place, diagnostics)).collect::<Option<Vec<_>>>()?;
        let keep_jobs = match &raw.keep_jobs {
            None => Some(KEPT),
            Some(text) => match text.value.parse::<Ttl>() {
                Ok(kept) => kept.limit(),
                Err(error) => {
                    diagnostics.error_with_help(&text.span, error.to_string(), "write 30d, 12h or 0".to_owned());
                    return None;
                }
            },
        };
        let buckets = raw.buckets.unwrap_or_default();
        let buckets = buckets.into_iter().map(|(bucket, place)| (bucket, resolve(folder, &place))).collect();
        let token = raw.token.filter(|token| !token.0.is_empty());
        Some(Self { named, schema: raw.schema.value, token, subscriptions, keep_jobs, buckets })
    }

    /// The settings as they are understood, without the token.
    pub(super) fn settings(&self) -> Value {
        json!({
            "path": self.named.as_ref().map(RegistryDatabase::masked_url),
            "schema": self.schema,
            "token": self.token.as_ref().map(|_| "***"),
            "subscriptions": self.subscriptions,
            "keep_jobs": self.keep_jobs.map_or_else(|| "0".to_owned(), |kept| Ttl::from_micros(kept).to_string()),
            "buckets": self.buckets,
        })
    }

    /// The database of the index, where the registry is this one.
    ///
    /// # Errors
    /// When neither the settings nor the registry name one that can hold it.
    pub fn database(&self, registry: &RegistryConfig) -> Result<RegistryDatabase, Problem> {
        let registered = if let RegistryConfig::Sql(sql) = registry { Some(&sql.database) } else { None };
        match self.named.as_ref().or(registered).cloned() {
            Some(RegistryDatabase::MySql(_)) => {
                Err(Problem::new(Kind::Unsupported, "the entity index cannot be in MySQL or MariaDB", HELP.to_owned()))
            }
            Some(database) => Ok(database),
            None => Err(Problem::new(Kind::Invalid, "nothing says where the entity index is", HELP.to_owned())),
        }
    }
}

/// A scheme with a host and perhaps a port, as an URL has it.
fn origin(place: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<String> {
    let origin = Url::parse(&place.value).ok().filter(|url| url.path() == "/" && url.query().is_none());
    let origin = origin.filter(|url| matches!(url.scheme(), "https" | "http") && url.username().is_empty());
    if origin.is_none() {
        diagnostics.error_with_help(
            &place.span,
            format!("`{}` is not the place of a service", place.value.escape_debug()),
            "write a scheme and a host, such as https://sns.eu-central-1.amazonaws.com".to_owned(),
        );
    }
    origin.map(|url| url.origin().ascii_serialization())
}

/// What to write where there is no database.
const HELP: &str = "write `feastr: {entity_index: {path: postgresql://user:password@host/database}}` in feature_store.yaml, \
                    or a file: sqlite:///data/entity_index.db";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{config::StoreConfig, diagnostics::SourceText};

    fn load(registry: &str, index: &str) -> Result<StoreConfig, Vec<String>> {
        let text = format!("project: p\nregistry: {registry}\nonline_store: null\nfeastr: {{entity_index: {index}}}\n");
        let file = Arc::new(SourceText::new("/repo/feature_store.yaml", text));
        let mut diagnostics = Diagnostics::default();
        let paths = [Path::new("/repo"), Path::new("/repo/feature_store.yaml")];
        let environment = |name: &str| (name == "TOKEN").then(|| "s3cret".to_owned());
        let config = crate::config::load(&file, paths, &environment, &mut diagnostics);
        config.ok_or_else(|| diagnostics.into_sorted().into_iter().map(|found| found.message).collect())
    }

    #[test]
    fn it_is_where_the_settings_say_or_with_the_registry() {
        let sql = "{registry_type: sql, path: \"postgresql://u:pw@h/d\"}";
        let database = |registry: &str, index: &str| {
            let config = load(registry, index).unwrap();
            config.entity_index.database(&config.registry).map(|found| found.masked_url())
        };
        assert_eq!(database(sql, "{}").unwrap(), "postgresql://u:***@h/d");
        assert_eq!(database(sql, "{path: \"sqlite:///i.db\"}").unwrap(), "sqlite:////repo/i.db");
        let problem = database("data/registry.db", "{}").unwrap_err();
        assert!(problem.help().unwrap().contains("entity_index: {path:"), "{problem:?}");
        assert_eq!(database("r.db", "{path: \"mysql://u@h/d\"}").unwrap_err().kind, Kind::Unsupported);
    }

    #[test]
    fn the_token_is_told_to_nobody() {
        let config = load("r.db", "{token: \"${TOKEN}\", buckets: {features: lake}}").unwrap();
        let index = &config.entity_index;
        assert_eq!(index.token, Some(Password("s3cret".to_owned())));
        assert_eq!(index.buckets["features"], Path::new("/repo/lake"));
        assert!(!format!("{config:?}{}", config.settings()).contains("s3cret"));
        assert!(load("r.db", "{token: \"\"}").unwrap().entity_index.token.is_none());
    }

    #[test]
    fn services_of_topics_are_named_by_scheme_and_host() {
        let config = load("r.db", "{subscriptions: ['https://SNS.example:443/', 'http://127.0.0.1:7']}").unwrap();
        assert_eq!(config.entity_index.subscriptions, ["https://sns.example", "http://127.0.0.1:7"]);
        for wrong in ["sns.example", "https://sns.example/path", "ftp://sns.example", "https://u@sns.example"] {
            let found = load("r.db", &format!("{{subscriptions: ['{wrong}']}}")).unwrap_err();
            assert!(found[0].contains("is not the place of a service"), "{found:?}");
        }
    }

    #[test]
    fn jobs_that_are_done_stay_for_a_while() {
        let kept = |index: &str| load("r.db", index).map(|config| config.entity_index.keep_jobs);
        assert_eq!(kept("{}").unwrap(), Some(30 * DAY));
        assert_eq!(kept("{keep_jobs: 12h}").unwrap(), Some(DAY / 2));
        assert_eq!(kept("{keep_jobs: \"0\"}").unwrap(), None);
        assert!(kept("{keep_jobs: soon}").is_err());
    }

    #[test]
    fn schemas_have_plain_names() {
        for wrong in ["\"a b\"", "Upper", "\"\"", "1st", "x;drop"] {
            let found = load("r.db", &format!("{{schema: {wrong}}}")).unwrap_err();
            assert!(found[0].contains("is not a name for the schema"), "{found:?}");
        }
        assert_eq!(load("r.db", "{schema: other_1}").unwrap().entity_index.schema, "other_1");
    }
}
