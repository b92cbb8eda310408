use std::process::ExitCode;

use serde_json::json;

use super::{CommandError, Context};
use crate::config::{OnlineStoreConfig, RegistryConfig};

/// Print the settings as feastr understands them
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: &Args, context: &Context) -> Result<ExitCode, CommandError> {
    let config = context.config()?;
    let registry = match &config.registry {
        RegistryConfig::Sqlite { path } => {
            json!({ "registry_type": "sql", "path": format!("sqlite:///{}", path.display()) })
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
