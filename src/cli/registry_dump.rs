use std::process::ExitCode;

use super::{CommandError, Context};
use crate::{feast::registry::dump_json::registry_dump, registry::to_message};

/// Print the whole project as JSON, as Feast prints it
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: &Args, context: &Context) -> Result<ExitCode, CommandError> {
    let project = context.config()?.project;
    let snapshot = context.registry_to_read()?.snapshot(&project)?;
    let message = to_message(&snapshot).map_err(|error| CommandError::new(error.to_string(), None))?;
    let dump = registry_dump(&project, &message).map_err(|error| CommandError::new(error.to_string(), None))?;
    context.printer.json(&dump)?;
    Ok(ExitCode::SUCCESS)
}
