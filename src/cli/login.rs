use super::{CommandError, Context, Exit, whoami::Report};
use crate::clients::runtime::wait;

/// Log in at the identity provider of the settings
///
/// A page is opened on any device, in which the code is entered that is shown here. The login is kept in the folder of your
/// settings, for all commands that ask servers, until you log out or the provider ends it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  feastr login\n  feastr whoami\n\nfeature_store.yaml names the provider:\n  auth: {type: oidc, \
                        auth_discovery_url: https://…/.well-known/openid-configuration, client_id: …}"
)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, CommandError> {
    let (tokens, printer) = (context.tokens()?, context.printer);
    let identity = wait(async {
        let device = tokens.begin_login().await?;
        let minutes = device.lives().as_secs().div_ceil(60);
        printer.stderr(match device.page_with_code() {
            Some(page) => format!(
                "Open {page}\nand agree, within {minutes} minutes. The code there is {}\n",
                printer.err.strong(device.code())
            ),
            None => format!(
                "Open {}\nand enter {}, within {minutes} minutes\n",
                device.page(),
                printer.err.strong(device.code())
            ),
        });
        tokens.finish_login(&device).await
    })?;
    let report = Report::of(identity);
    if printer.json {
        printer.json(&report)?;
    } else {
        printer.say(format!("Logged in as {}", report.who()));
    }
    if !tokens.uses_login() {
        printer.warn(format!("the login is not used: a token of {} comes before it", tokens.place()));
    }
    Ok(Exit::Done)
}
