//! Spark, and servers that speak its protocol: as the offline store, and as the engine of materializations.

mod address;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

pub use address::SparkAddress;

use super::{
    Password,
    environment::{Environment, variables},
    resolve,
};
use crate::{
    diagnostics::{Diagnostics, Span, closest},
    model::Ttl,
    yaml::{Node, Read, Schemas, Spanned, record},
};

/// The setting with the address.
const REMOTE: &str = "spark.remote";

/// The setting by which Python starts a Spark of its own.
const MASTER: &str = "spark.master";

/// How long a lost connection is tried again, unless something else is said.
const WAIT: Duration = Duration::from_secs(600);

/// What Feast's names of batch engines are; that of Spark is the first.
const ENGINES: [&str; 7] = ["spark.engine", "local", "lambda", "k8s", "snowflake.engine", "ray.engine", "flink.engine"];

/// A Spark Connect server, and what feastr does with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparkConfig {
    /// Where it is; `None` where neither the settings nor the environment say it.
    pub address: Option<SparkAddress>,
    /// Settings of each session, some of which are secrets.
    pub session: BTreeMap<String, Password>,
    /// The folder or bucket for files that go to and fro, as the server knows it.
    pub staging_location: Option<String>,
    /// How it is reached.
    pub access: EngineAccess,
}

/// How an engine is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineAccess {
    /// File with the certificates of the authorities to trust; those of the system if there is none.
    pub authorities: Option<PathBuf>,
    /// How long a lost connection is tried again.
    pub wait: Duration,
}

impl Default for EngineAccess {
    fn default() -> Self {
        Self { authorities: None, wait: WAIT }
    }
}

impl SparkConfig {
    /// The settings as they are understood, with `***` for secrets.
    pub(super) fn settings(&self, kind: &str) -> Value {
        let address = self.address.iter().map(|address| (REMOTE.to_owned(), address.masked()));
        let shown = |(key, value): (&String, &Password)| {
            let value = if is_secret(key) { "***" } else { &value.0 };
            (key.clone(), value.to_owned())
        };
        let spark_conf: BTreeMap<String, String> = self.session.iter().map(shown).chain(address).collect();
        json!({ "type": kind, "spark_conf": spark_conf, "staging_location": self.staging_location })
    }
}

impl EngineAccess {
    /// What the settings say; `None` after an error.
    pub(super) fn of(raw: Option<RawEngine>, folder: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Some(raw) = raw else { return Some(Self::default()) };
        let wait = match &raw.wait {
            None => WAIT,
            Some(text) => match text.value.parse::<Ttl>() {
                Ok(wait) => Duration::from_micros(wait.limit().and_then(|wait| u64::try_from(wait).ok()).unwrap_or(0)),
                Err(error) => {
                    let help = "write 10m or 90s, or 0 to try nothing again".to_owned();
                    diagnostics.error_with_help(&text.span, error.to_string(), help);
                    return None;
                }
            },
        };
        let authorities = raw.ca_file.filter(|file| !file.value.is_empty());
        Some(Self { authorities: authorities.map(|file| resolve(folder, &file.value)), wait })
    }

    /// The settings as they are understood.
    pub(super) fn settings(&self) -> Value {
        let wait = i64::try_from(self.wait.as_micros()).unwrap_or(i64::MAX);
        let wait = if wait == 0 { "0".to_owned() } else { Ttl::from_micros(wait).to_string() };
        json!({ "ca_file": self.authorities, "wait": wait })
    }
}

record! {
    /// How an engine is reached that feastr hands work to.
    pub(crate) struct RawEngine, "the settings of the engine";
    required {}
    optional {
        /// File with the certificates of the authorities that may sign the server's; without one those of the system count.
        ca_file: Spanned<String>,
        /// How long a lost connection is tried again: `10m`, `90s`; `0` is not at all [default: 10m].
        wait: Spanned<String>,
    }
}

record! {
    /// Spark, by a server that speaks Spark Connect: a cluster's own, a service's, or Sail.
    pub(super) struct RawSpark, "the settings of the Spark offline store";
    required {
        /// `spark`.
        r#type: String,
    }
    flatten { common: RawCommon, }
}

record! {
    /// Spark as the engine of materializations. It finds the newest rows, of sources that it sees; values are
    /// written from here.
    struct RawSparkEngine, "the settings of the Spark engine";
    required {
        /// `spark.engine`.
        r#type: String,
    }
    defaulted {
        /// Into how many parts Feast divides what it writes. Without effect.
        partitions: i64 = 0,
    }
    flatten { common: RawCommon, }
}

record! {
    /// A server that speaks Spark Connect.
    pub(super) struct RawCommon, "the settings of Spark";
    required {}
    optional {
        /// Settings of Spark: `spark.remote: sc://host:15002/;use_ssl=true` says where the server is, else `SPARK_REMOTE`
        /// does; all others are those of each session.
        spark_conf: SparkConf,
        /// The folder or bucket for files that go to and fro, as the server knows it.
        staging_location: String,
        /// The region of that bucket for Feast. Without effect.
        region: Node,
    }
}

/// Settings of Spark, with their places.
#[derive(Debug, Clone, Default)]
pub(super) struct SparkConf {
    texts: BTreeMap<String, String>,
    places: BTreeMap<String, Span>,
}

impl Read for SparkConf {
    const EXPECTED: &'static str = <BTreeMap<String, String> as Read>::EXPECTED;

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let texts = BTreeMap::read(node, diagnostics)?;
        let places = node.entries().unwrap_or_default().iter();
        let places = places.filter_map(|(key, value)| Some((key.as_text()?.to_owned(), value.span.clone()))).collect();
        Some(Self { texts, places })
    }

    fn schema(schemas: &mut Schemas) -> Value {
        BTreeMap::<String, String>::schema(schemas)
    }
}

/// What the settings of Spark need beside themselves.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    /// How engines are reached; `None` after an error.
    pub(super) access: Option<&'a EngineAccess>,
    pub(super) environment: Environment<'a>,
}

/// The offline store of a mapping with `type: spark`, or of that word alone; `None` after an error.
pub(super) fn read_store(node: &Node, around: Around<'_>, diagnostics: &mut Diagnostics) -> Option<SparkConfig> {
    match node.as_text() {
        Some(_) => lower(RawCommon::nothing(&node.span), around, diagnostics),
        None => lower(RawSpark::read(node, diagnostics)?.common, around, diagnostics),
    }
}

/// The `batch_engine` setting as written, for [`read_engine`].
#[derive(Debug, Clone)]
pub(crate) struct BatchEngineNode(pub Node);

impl Read for BatchEngineNode {
    const EXPECTED: &'static str = "the kind of a batch engine or its settings";
    const TAKES_NULL: bool = true;

    fn read(node: &Node, _: &mut Diagnostics) -> Option<Self> {
        Some(Self(node.clone()))
    }

    fn schema(schemas: &mut Schemas) -> Value {
        // Engines of other kinds are Feast's alone.
        json!({ "anyOf": [RawSparkEngine::schema(schemas), {}] })
    }
}

/// Spark as a batch engine, if it is one; nothing comes back after an error.
#[expect(clippy::option_option, reason = "no engine is no error")]
pub(super) fn read_engine(
    node: Option<&BatchEngineNode>,
    around: Around<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Option<Box<SparkConfig>>> {
    let Some(BatchEngineNode(node)) = node else { return Some(None) };
    let entry = node.entries().and_then(|entries| entries.iter().find(|(key, _)| key.as_text() == Some("type")));
    let kind = entry.map_or(node, |(_, value)| value);
    let Some(word) = kind.as_text() else { return Some(None) };
    let raw = match word {
        "spark.engine" if entry.is_some() => RawSparkEngine::read(node, diagnostics)?.common,
        "spark.engine" => RawCommon::nothing(&node.span),
        word => {
            if closest(word, ENGINES) == Some(ENGINES[0]) && !ENGINES.contains(&word) {
                let help = format!("did you mean `{}`?", ENGINES[0]);
                diagnostics.error_with_help(
                    &kind.span,
                    format!("there is no batch engine `{}`", word.escape_debug()),
                    help,
                );
                return None;
            }
            return Some(None);
        }
    };
    lower(raw, around, diagnostics).map(|config| Some(Box::new(config)))
}

impl RawCommon {
    fn nothing(span: &Span) -> Self {
        Self { span: span.clone(), spark_conf: None, staging_location: None, region: None }
    }
}

fn lower(raw: RawCommon, around: Around<'_>, diagnostics: &mut Diagnostics) -> Option<SparkConfig> {
    let SparkConf { mut texts, places } = raw.spark_conf.unwrap_or_default();
    let place = |key: &str| places.get(key).unwrap_or(&raw.span);
    let filled = |text: &String| !text.trim().is_empty();
    let written = texts.remove(REMOTE).filter(filled);
    let of_environment = (around.environment)(variables::SPARK_REMOTE).filter(filled);
    let address = match (&written, &of_environment) {
        (Some(text), _) => Some((text, place(REMOTE), None)),
        (None, Some(text)) => Some((text, &raw.span, Some(variables::SPARK_REMOTE))),
        (None, None) => None,
    };
    if address.is_none() && texts.contains_key(MASTER) {
        diagnostics.error_with_help(
            place(MASTER),
            format!("`{MASTER}` starts a Spark inside of a Python program, which feastr is not"),
            format!("start a Spark Connect server, and write {REMOTE}: sc://host:15002"),
        );
        return None;
    }
    let mut address = match address {
        None => None,
        Some((text, span, variable)) => match SparkAddress::parse(text) {
            Ok(address) => Some(address),
            Err(error) => {
                let of = variable.map(|name| format!("environment variable `{name}`: ")).unwrap_or_default();
                diagnostics.error_with_help(span, of + &error.message, error.help());
                return None;
            }
        },
    };
    if let Some(address) = &mut address
        && address.token.is_none()
    {
        address.token = (around.environment)(variables::SPARK_TOKEN).filter(filled).map(Password);
    }
    texts.remove(MASTER);
    Some(SparkConfig {
        address,
        session: texts.into_iter().map(|(key, value)| (key, Password(value))).collect(),
        staging_location: raw.staging_location.filter(filled),
        access: around.access?.clone(),
    })
}

/// Whether a setting's value is shown to nobody, as Spark decides it.
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["secret", "password", "token", "access.key", "accesskey", "account.key"].iter().any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write as _, sync::Arc};

    use super::*;
    use crate::{
        config::{OfflineStoreConfig, StoreConfig, load},
        diagnostics::SourceText,
    };

    type Variable = (&'static str, &'static str);

    /// The settings of a repo with these lines, or what is wrong with them and where.
    fn loaded(lines: &str, variables: &'static [Variable]) -> Result<StoreConfig, String> {
        let text = format!("project: p\nregistry: data/registry.db\nonline_store: null\n{lines}\n");
        let file = Arc::new(SourceText::settings("/repo/feature_store.yaml", text));
        let mut diagnostics = Diagnostics::default();
        let paths = ["/repo", "/repo/feature_store.yaml"].map(Path::new);
        let environment =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        load(&file, paths, &environment, &mut diagnostics).ok_or_else(|| {
            diagnostics.into_sorted().into_iter().fold(String::new(), |mut all, found| {
                let place = found.span.map(|span| span.text().to_owned()).unwrap_or_default();
                let _ = write!(all, "{} {:?} at {place:?};", found.message, found.advice);
                all
            })
        })
    }

    fn spark(lines: &str, variables: &'static [Variable]) -> SparkConfig {
        loaded(lines, variables).unwrap().engine().unwrap().clone()
    }

    #[test]
    fn the_address_is_that_of_the_settings_or_of_the_environment() {
        let both: &[Variable] = &[("SPARK_REMOTE", "sc://env:1"), ("SPARK_CONNECT_AUTHENTICATE_TOKEN", "s3cret")];
        let named = spark("offline_store: {type: spark, spark_conf: {spark.remote: 'sc://file:2'}}", both);
        let address = named.address.unwrap();
        assert_eq!((address.to_string().as_str(), address.is_encrypted), ("sc://file:2", false));
        assert_eq!(address.token, Some(Password("s3cret".to_owned())));
        assert_eq!(spark("offline_store: spark", both).address.unwrap().to_string(), "sc://env:1");
        assert!(spark("offline_store: spark", &[]).address.is_none());
        let own = "offline_store: {type: spark, spark_conf: {spark.remote: 'sc://file:2/;token=mine;use_ssl=false'}}";
        assert_eq!(spark(own, both).address.unwrap().token, Some(Password("mine".to_owned())));
    }

    #[test]
    fn sessions_have_settings_and_secrets_are_not_shown() {
        let lines = "offline_store:\n  type: spark\n  region: eu\n  staging_location: s3://b/staging\n  spark_conf:\n    \
                     spark.remote: sc://h/;token=s3cret\n    spark.sql.shuffle.partitions: 400\n    \
                     spark.hadoop.fs.s3a.secret.key: s3cret\n    spark.master: yarn\n\
                     feastr: {engine: {ca_file: ca.pem, wait: 90s}}";
        let config = loaded(lines, &[]).unwrap();
        let spark = config.engine().unwrap();
        assert_eq!(spark.session.len(), 2);
        assert_eq!(spark.session["spark.sql.shuffle.partitions"], Password("400".to_owned()));
        assert_eq!(spark.access.authorities.as_deref(), Some(Path::new("/repo/ca.pem")));
        assert_eq!(spark.access.wait, Duration::from_secs(90));
        let shown = config.settings();
        assert_eq!(shown["offline_store"]["spark_conf"]["spark.remote"], "sc://h:15002/;use_ssl=true;token=***");
        assert_eq!(shown["offline_store"]["spark_conf"]["spark.sql.shuffle.partitions"], "400");
        assert!(!format!("{config:?}{shown}").contains("s3cret"));
        assert_eq!(shown["feastr"]["engine"], json!({ "ca_file": "/repo/ca.pem", "wait": "1m30s" }));
    }

    #[test]
    fn a_batch_engine_is_an_engine_where_the_store_is_none() {
        let config =
            loaded("batch_engine: {type: spark.engine, partitions: 4, spark_conf: {spark.remote: 'sc://engine'}}", &[]);
        let config = config.unwrap();
        assert_eq!(config.offline_store, OfflineStoreConfig::DuckDb);
        assert_eq!(config.engine().unwrap().address.as_ref().unwrap().to_string(), "sc://engine:15002");
        assert_eq!(config.settings()["batch_engine"]["type"], "spark.engine");
        let both = "batch_engine: spark.engine\noffline_store: {type: spark, spark_conf: {spark.remote: 'sc://store'}}";
        assert_eq!(spark(both, &[]).address.unwrap().to_string(), "sc://store:15002");
        for other in ["local", "{type: local}", "{type: my.own.Engine}", "null", "ray.engine"] {
            assert!(loaded(&format!("batch_engine: {other}"), &[]).unwrap().engine().is_none(), "{other}");
        }
    }

    #[test]
    fn mistakes_are_told_at_their_places() {
        let store = |inner: &str| format!("offline_store: {{type: spark, {inner}}}");
        for (lines, parts) in [
            (store("spark_conf: {spark.remote: 'h:15002'}"), ["begins with `sc://`", "at \"'h:15002'\""]),
            (store("spark_conf: {spark.master: 'local[*]'}"), ["inside of a Python program", "at \"'local[*]'\""]),
            (store("stagin_location: x"), ["stagin_location", "staging_location"]),
            (store("spark_conf: 7"), ["expected a mapping of texts", "at \"7\""]),
            ("batch_engine: {type: spark.engin}".to_owned(), ["no batch engine `spark.engin`", "spark.engine"]),
            ("batch_engine: {type: spark.engine, partition: 4}".to_owned(), ["partition", "partitions"]),
            ("feastr: {engine: {wait: soon}}".to_owned(), ["soon", "10m"]),
            ("feastr: {engine: {cafile: x}}".to_owned(), ["cafile", "ca_file"]),
            ("offline_store: {type: sparc}".to_owned(), ["`sparc` is not supported", "spark"]),
        ] {
            let error = loaded(&lines, &[]).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{lines}: {error}");
        }
        let error = loaded("offline_store: spark", &[("SPARK_REMOTE", "local[*]")]).unwrap_err();
        assert!(error.contains("environment variable `SPARK_REMOTE`"), "{error}");
    }
}
