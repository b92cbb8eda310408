use serde::Serialize;

use super::{CommandError, Context, Exit};
use crate::{
    auth::login::Identity,
    clients::runtime::wait,
    model::{Timestamp, printable},
};

/// Say who one is to servers: the user and the roles of the token that is sent
///
/// The token is got as all commands get it. What it says is shown and not checked, which is for servers.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  feastr whoami\n  feastr whoami --json")]
pub(crate) struct Args {}

/// Who one is, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    user: Option<String>,
    roles: Vec<String>,
    groups: Vec<String>,
    issuer: Option<String>,
    audience: Vec<String>,
    expires: Option<Timestamp>,
    token_of: String,
}

impl Report {
    pub(crate) fn of(identity: Identity) -> Self {
        Self {
            user: identity.user,
            roles: identity.roles.into_iter().collect(),
            groups: identity.groups.into_iter().collect(),
            issuer: identity.issuer,
            audience: identity.audience,
            expires: identity.expires,
            token_of: identity.place,
        }
    }

    /// The user with the roles, in one line.
    pub(crate) fn who(&self) -> String {
        let user = self.user.as_deref().map_or_else(|| "somebody whom only servers know".into(), printable);
        let roles: Vec<_> = self.roles.iter().map(|role| printable(role)).collect();
        if roles.is_empty() { format!("{user}, without roles") } else { format!("{user}, with {}", roles.join(", ")) }
    }
}

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, CommandError> {
    let (tokens, printer) = (context.tokens()?, context.printer);
    let Some(identity) = wait(tokens.identity())? else {
        if printer.json {
            printer.json(&serde_json::Value::Null)?;
        } else {
            printer.say("Servers are not told who one is: feature_store.yaml has no `auth`");
        }
        return Ok(Exit::Done);
    };
    let report = Report::of(identity);
    if printer.json {
        printer.json(&report)?;
        return Ok(Exit::Done);
    }
    printer.result_line(report.who())?;
    let line = |name: &str, words: &[String]| match words {
        [] => Ok(()),
        words => printer.result_line(format_args!("  {name:<9}{}", printable(&words.join(", ")))),
    };
    line("groups", &report.groups)?;
    line("issuer", report.issuer.as_slice())?;
    line("for", &report.audience)?;
    line("until", report.expires.map(|end| end.to_string()).as_slice())?;
    line("token of", &[report.token_of])?;
    Ok(Exit::Done)
}
