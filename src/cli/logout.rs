use super::{CommandError, Context, Exit};
use crate::clients::runtime::wait;

/// Forget the login at the identity provider of the settings
///
/// The provider is told, too, so that nobody can go on with what was kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  feastr logout")]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, CommandError> {
    let (tokens, printer) = (context.tokens()?, context.printer);
    let ended = wait(tokens.log_out())?;
    if printer.json {
        let told = ended.was_there && ended.untold.is_none();
        printer.json(&serde_json::json!({ "was_logged_in": ended.was_there, "provider_told": told }))?;
    } else {
        printer.say(if ended.was_there { "Logged out" } else { "Nobody is logged in" });
    }
    if let Some(problem) = ended.untold {
        printer.warn(format!("the login is forgotten here, and its provider does not know: {problem}"));
    }
    Ok(Exit::Done)
}
