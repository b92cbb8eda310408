use std::process::ExitCode;

use serde_json::{Value, json};

use super::{CommandError, Context};
use crate::config::{OnlineStoreConfig, PostgresConfig, RedisConfig, RedisDeployment, RegistryConfig, SchemaMode};

/// Print the settings as feastr understands them
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: &Args, context: &Context) -> Result<ExitCode, CommandError> {
    let config = context.config()?;
    let registry = match &config.registry {
        RegistryConfig::File { path } => json!({ "registry_type": "file", "path": path }),
        RegistryConfig::Sql(sql) => {
            let mut settings = json!({ "registry_type": "sql", "path": sql.database.masked_url() });
            if let Some(replica) = &sql.replica {
                settings["read_path"] = replica.masked_url().into();
            }
            if sql.schema_mode != SchemaMode::Auto {
                settings["schema_mode"] = sql.schema_mode.word().into();
            }
            settings
        }
    };
    let online = match &config.online_store {
        Some(OnlineStoreConfig::Sqlite { path, numbers }) => {
            let mut settings = json!({ "type": "sqlite", "path": path });
            if *numbers {
                settings["enable_openai_compatible_store"] = true.into();
            }
            settings
        }
        Some(OnlineStoreConfig::Postgres(postgres)) => postgres_settings(postgres),
        Some(OnlineStoreConfig::Redis(redis)) => redis_settings(redis),
        None => json!(null),
    };
    let settings = json!({
        "project": config.project,
        "project_description": config.project_description,
        "feastr": { "name": config.repo_name },
        "provider": config.provider,
        "registry": registry,
        "online_store": online,
        "offline_store": { "type": "duckdb" },
        "entity_key_serialization_version": 3,
        "repo_path": config.repo,
    });
    if context.printer.json {
        context.printer.json(&settings)?;
    } else {
        context.printer.result(crate::yaml::to_string(&settings)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn postgres_settings(postgres: &PostgresConfig) -> Value {
    let server = &postgres.server;
    let mut settings = json!({
        "type": "postgres",
        "host": server.host,
        "port": server.port,
        "database": server.database,
        "db_schema": postgres.schema,
        "user": server.user,
        "sslmode": server.tls.mode.word(),
    });
    if server.password.is_some() {
        settings["password"] = "***".into();
    }
    if let Some(path) = &server.tls.root_certificates {
        settings["sslrootcert_path"] = json!(path);
    }
    if let Some(client) = &postgres.client {
        settings["sslcert_path"] = json!(client.certificate);
        settings["sslkey_path"] = json!(client.key);
    }
    if let Some(idle) = postgres.keepalives_idle {
        settings["keepalives_idle"] = idle.as_secs().into();
    }
    if postgres.numbers {
        settings["enable_openai_compatible_store"] = true.into();
    }
    settings
}

fn redis_settings(redis: &RedisConfig) -> Value {
    let mut settings = json!({ "type": "redis", "redis_type": redis.deployment.word() });
    if let RedisDeployment::Sentinel { master } = &redis.deployment {
        settings["sentinel_master"] = master.as_str().into();
    }
    settings["connection_string"] = redis.connection.masked().into();
    settings["key_ttl_seconds"] = redis.key_ttl_seconds.into();
    settings["full_scan_for_deletion"] = redis.full_scan_for_deletion.into();
    settings["skip_dedup"] = redis.skip_dedup.into();
    settings
}
