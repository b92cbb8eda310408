//! `docs/configuration.md`: every setting and every environment variable.

use std::fmt::Write as _;

use feastr::config::{self, variables};
use serde_json::{Map, Value};

use super::{heading, keep};

const SETTINGS: &str = "\
`feature_store.yaml` has the keys of Feast's settings file, so that both programs can use one. Unknown keys are errors.
`feastr configuration` prints what feastr understands of it.

In every value, in quotes or not, `${NAME}` stands for an environment variable, and `${NAME:-default}` for one that may be
missing; `$NAME` does, too, but stays as it is if there is none. Paths are relative to the folder of the repo.
";

const VARIABLES: &str = "
## Environment variables

Besides those that the settings name.

";

const OF_LIBRARIES: &str = "
Others are those of the system: `TMPDIR` is the folder of what does not fit in memory, `SSL_CERT_FILE` and `SSL_CERT_DIR`
name certificates to trust instead of the system's, and `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name proxies of HTTP.
";

#[test]
fn the_page_of_settings_is_what_is_read() {
    let schema = config::schema();
    let mut page = heading("Configuration") + SETTINGS;
    page.push_str(&table(&schema));
    for (name, part) in schema["$defs"].as_object().unwrap() {
        write!(page, "\n## {}\n\n{}\n", title(name), part["description"].as_str().unwrap()).unwrap();
        page.push_str(&table(part));
    }
    page.push_str(VARIABLES);
    page.push_str("| variable | meaning |\n|---|---|\n");
    for (name, meaning) in variables::ALL {
        writeln!(page, "| `{name}` | {} |", meaning.trim()).unwrap();
    }
    page.push_str(OF_LIBRARIES);
    keep("configuration.md", &page);
}

/// The heading of a part of the settings.
fn title(name: &str) -> &'static str {
    match name {
        "Registry" => "`registry`",
        "RemoteRegistry" => "`registry` of type `remote`",
        "Sqlite" => "`online_store` of type `sqlite`",
        "Postgres" => "`online_store` of type `postgres`",
        "Redis" => "`online_store` of type `redis`",
        "Remote" => "`online_store` of type `remote`",
        "DuckDb" => "`offline_store` of type `duckdb`",
        "PostgresOffline" => "`offline_store` of type `postgres`",
        "RemoteOffline" => "`offline_store` of type `remote`",
        "Spark" => "`offline_store` of type `spark`",
        "SparkEngine" => "`batch_engine` of type `spark.engine`",
        "Feastr" => "`feastr`",
        "Auth" => "`auth`",
        "EntityIndex" => "`entity_index` of `feastr`",
        "RegistryServer" => "`registry_server` of `feastr`",
        "Engine" => "`engine` of `feastr`",
        "FeastrAuth" => "`auth` of `feastr`",
        "Kubernetes" => "`kubernetes` of `auth` of `feastr`",
        "FeatureServer" => "`feature_server`",
        "Metrics" => "`metrics` of `feature_server`",
        "FeatureLogging" => "`feature_logging` of `feature_server`",
        other => panic!("{other} has no heading yet"),
    }
}

/// The keys of a mapping: first those that must be there, last those that do nothing.
fn table(mapping: &Value) -> String {
    let keys = mapping["properties"].as_object().unwrap();
    let required: Vec<&str> =
        mapping["required"].as_array().into_iter().flatten().map(|key| key.as_str().unwrap()).collect();
    let place = |(key, value): &(&String, &Value)| {
        let meaning = value["description"].as_str().unwrap_or_default();
        let is_idle = ["Without effect", "Not supported"].iter().any(|words| meaning.contains(words));
        (is_idle, !required.contains(&key.as_str()), key.as_str() != "type")
    };
    let mut keys: Vec<_> = keys.iter().collect();
    keys.sort_by_key(place);
    let mut text = "\n| key | value | default | meaning |\n|---|---|---|---|\n".to_owned();
    for (key, value) in keys {
        let default = match &value["default"] {
            _ if required.contains(&key.as_str()) => "required".to_owned(),
            Value::Null => String::new(),
            Value::String(default) => format!("`{default}`"),
            default => format!("`{default}`"),
        };
        let meaning = value["description"].as_str().unwrap_or_else(|| panic!("{key} has no description"));
        writeln!(text, "| `{key}` | {} | {default} | {} |", kind(value), meaning.replace('|', "\\|")).unwrap();
    }
    text
}

/// What a key takes, in words.
fn kind(schema: &Value) -> String {
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().map(kind).collect::<Vec<_>>().join(", or ");
    }
    if let Some(words) = schema["enum"].as_array() {
        let word = |word: &Value| format!("`{}`", word.as_str().unwrap_or("null"));
        return words.iter().map(word).collect::<Vec<_>>().join(", ");
    }
    if schema["type"] == serde_json::json!(["string", "integer"]) {
        return "text".to_owned();
    }
    if let Some(part) = schema["$ref"].as_str() {
        let heading = title(part.rsplit('/').next().unwrap());
        let anchor: String = heading.replace(' ', "-").chars().filter(|c| *c != '`').collect();
        return format!("[a mapping](#{anchor})");
    }
    match schema["type"].as_str() {
        Some("string") => "text",
        Some("boolean") => "`true` or `false`",
        Some("integer") => "whole number",
        Some("number") => "number",
        Some("array") => "a list",
        Some("object") => "texts by names",
        None if schema.as_object().is_some_and(|schema| Map::keys(schema).all(|key| key == "description")) => {
            "anything"
        }
        _ => panic!("no word for {schema}"),
    }
    .to_owned()
}

#[test]
fn the_schema_of_settings_agrees_with_the_reader() {
    let validator = jsonschema::draft202012::new(&config::schema()).unwrap();
    let is_valid = |text: &str| validator.is_valid(&serde_yaml::from_str::<Value>(text).unwrap());
    for settings in [
        include_str!("../../../examples/feature_repo/feature_store.yaml"),
        "project: p\nregistry: data/registry.db\nonline_store: null\noffline_store: file\n",
        "project: p\nregistry: {registry_type: sql, path: 'sqlite:///r.db'}\nonline_store: redis\n",
        "project: p\nregistry: r.db\nonline_store: {type: postgres, host: h, database: d, user: u, password: 123}\n",
        "project: p\nregistry: r.db\noffline_store: {type: postgres, host: h, database: d, user: u}\n",
        "project: p\nregistry: r.db\nonline_store: {path: o.db}\nfeastr: {name: a}\nauth: {type: oidc}\n",
        "project: p\nregistry: r.db\nfeastr: {entity_index: {path: 'sqlite:///i.db', token: 1, buckets: {b: folder}}}\n",
        "project: p\nregistry: r.db\nfeastr: {registry_server: {guards: true}}\n",
        "project: p\nregistry: r.db\nfeature_server: {type: local, metrics: {enabled: true, feature_count_bins: [5, 9]}}\n",
    ] {
        assert!(is_valid(settings), "{settings}");
    }
    for settings in [
        "project: p\n",
        "project: p\nregistry: r.db\nonline_stor: redis\n",
        "project: p\nregistry: {pat: r.db}\n",
        "project: p\nregistry: r.db\nonline_store: {type: postgres, host: h}\n",
        "project: p\nregistry: r.db\nonline_store: dynamodb\n",
    ] {
        assert!(!is_valid(settings), "{settings}");
    }
}
