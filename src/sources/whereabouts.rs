//! What decides where sources are, besides what they say themselves.

use std::path::PathBuf;

use crate::{
    clients::buckets::{Bucket, Buckets},
    config::{BucketSettings, BucketUrl, PostgresConnection, StoreConfig},
    model::{DataSource, SourceKind},
    problem::{Kind, Problem},
    side_by_side::{side_by_side, waiting_side_by_side},
};

/// Where sources are looked for.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    /// Relative paths start here.
    pub repo: PathBuf,
    /// The server with the tables of sources that do not name one themselves.
    pub postgres: Option<PostgresConnection>,
    /// The buckets that sources are in, as who the settings say.
    pub buckets: Buckets,
    /// Looks up environment variables that sources name.
    pub environment: fn(&str) -> Option<String>,
}

/// What `look` sees of the source of each item, in their order, side by side: looking at those in buckets is mostly waiting.
pub(crate) fn look_at_all<I: Sync, T: Send>(
    items: &[I],
    source: impl Fn(&I) -> &DataSource,
    look: impl Fn(&I) -> T + Sync,
) -> Vec<T> {
    let is_in_bucket = |item: &I| match &source(item).kind {
        SourceKind::File(file) => BucketUrl::is_one(&file.path),
        _ => false,
    };
    match items.iter().any(is_in_bucket) {
        true => waiting_side_by_side(items, look),
        false => side_by_side(items, look),
    }
}

impl Whereabouts {
    /// Those of a repo with these settings.
    pub fn of(config: &StoreConfig, environment: fn(&str) -> Option<String>) -> Self {
        let (repo, buckets) = (config.repo.clone(), Buckets::new(config.buckets.clone()));
        Self { repo, postgres: config.offline_store.postgres().cloned(), buckets, environment }
    }

    /// The bucket of a source, at the address that the source names, as who it says.
    ///
    /// # Errors
    /// When nothing says how to reach it.
    pub fn bucket(&self, source: &DataSource, url: &BucketUrl, endpoint: &str) -> Result<Bucket, Problem> {
        let said = |key: &str| source.connection_ref(key).unwrap_or_default();
        match (said("provider"), said("name")) {
            ("", _) => self.buckets.open(url, Some(endpoint)),
            ("env", prefix) => {
                let settings = BucketSettings::with_prefix(&self.environment, prefix);
                if settings.is_empty() {
                    return Err(Problem::new(
                        Kind::Invalid,
                        format!(
                            "no environment variable begins with `{prefix}`, which `connection_ref` of data source `{}` \
                             names, and says how to reach {}",
                            source.name,
                            url.root()
                        ),
                        format!(
                            "set {0}_AWS_ACCESS_KEY_ID and {0}_AWS_SECRET_ACCESS_KEY",
                            prefix.trim_end_matches('_')
                        ),
                    ));
                }
                self.buckets.open_as((prefix, &settings), url, Some(endpoint))
            }
            (provider, _) => Err(Problem::new(
                Kind::Unsupported,
                format!(
                    "data source `{}` takes its connection from `{provider}`, which feastr does not ask",
                    source.name
                ),
                "write `connection_ref: {provider: env, name: PREFIX}` in it, with what the names of the environment \
                 variables begin with"
                    .to_owned(),
            )),
        }
    }
}
