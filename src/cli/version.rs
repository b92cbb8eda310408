use super::{CommandError, Context, Exit};

/// Print the version
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// The Feast release whose formats are read and written.
const FEAST: &str = "0.67";

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, CommandError> {
    let version = env!("CARGO_PKG_VERSION");
    if context.printer.json {
        context.printer.json(&serde_json::json!({ "feastr": version, "feast_formats": FEAST }))?;
    } else {
        context.printer.result_line(format_args!("feastr {version} (formats of Feast {FEAST})"))?;
    }
    Ok(Exit::Done)
}
