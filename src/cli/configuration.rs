use std::process::ExitCode;

use serde_json::json;

use super::{CommandError, Context};
use crate::config::{OnlineStoreConfig, RegistryConfig, SchemaMode};

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
        Some(OnlineStoreConfig::Sqlite { path }) => json!({ "type": "sqlite", "path": path }),
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
