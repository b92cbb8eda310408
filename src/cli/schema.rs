use super::{CommandError, Context, Exit};
use crate::definitions;

/// Print the JSON Schema of definition files
///
/// Editors check and complete definitions with it. `init` writes it beside the definitions it makes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  feastr schema > feastr.schema.json\n\nThe first line of a definition file names it:\n  \
                  # yaml-language-server: $schema=./feastr.schema.json"
)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, CommandError> {
    context.printer.result(text())?;
    Ok(Exit::Done)
}

/// The schema as it is written to files.
pub(crate) fn text() -> String {
    format!("{:#}\n", definitions::schema())
}
