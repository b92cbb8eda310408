use clap::Subcommand;
use serde::Serialize;

use super::{CommandError, Context, Exit, objects};
use crate::{
    app::permissions::{self, Decided, DecidedBy, Question},
    model::{ObjectKind, PermissionAction, printable},
    permissions::{Mismatch, Reason, Unruled, User},
    ui::Table,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Show(objects::Command),
    /// Say whether somebody may do something, and why; or what no permission is about
    ///
    /// Where Kubernetes decides (`mode: subject_access_review`), it is asked. Exit code 3 says that it is not allowed.
    #[command(
        after_help = "Examples:\n  feastr permissions check read-online driver_hourly_stats --user alice --role \
                            super-reader\n  feastr permissions check write-online feature-view:driver_hourly_stats --group \
                            data-science\n  feastr permissions check"
    )]
    Check(Check),
    /// List the roles that permissions name
    ListRoles,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// What somebody would do, such as read-online
    #[arg(requires = "object", value_parser = action)]
    action: Option<PermissionAction>,
    /// With which object: its name, or KIND:NAME
    object: Option<String>,
    /// Who
    #[arg(long, value_name = "NAME", default_value = "somebody", requires = "action")]
    user: String,
    /// A role of the user; the flag may be given several times
    #[arg(long = "role", value_name = "ROLE", requires = "action")]
    roles: Vec<String>,
    /// A group that the user is in; the flag may be given several times
    #[arg(long = "group", value_name = "GROUP", requires = "action")]
    groups: Vec<String>,
    /// A Kubernetes namespace that the user comes from; the flag may be given several times
    #[arg(long = "namespace", value_name = "NAMESPACE", requires = "action")]
    namespaces: Vec<String>,
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<Exit, CommandError> {
    match command {
        Command::Show(command) => objects::show(command, ObjectKind::Permission, context),
        Command::Check(check) => match (check.action, &check.object) {
            (Some(action), Some(object)) => decide(action, object, &check.user(), context),
            _ => unmentioned(context),
        },
        Command::ListRoles => roles(context),
    }
}

impl Check {
    fn user(&self) -> User {
        let words = |words: &[String]| words.iter().cloned().collect();
        User {
            name: self.user.clone(),
            roles: words(&self.roles),
            groups: words(&self.groups),
            namespaces: words(&self.namespaces),
            ..User::default()
        }
    }
}

/// An action in the words of definitions or of Feast, however written.
fn action(text: &str) -> Result<PermissionAction, String> {
    let word = text.to_uppercase().replace('-', "_");
    let found = PermissionAction::ALL.iter().find(|action| action.as_str() == word);
    found.copied().ok_or_else(|| {
        let all: Vec<_> = PermissionAction::ALL.iter().copied().map(shown).collect();
        format!("there are {}", all.join(", "))
    })
}

/// An action as it is typed.
fn shown(action: PermissionAction) -> String {
    action.as_str().to_lowercase().replace('_', "-")
}

/// A decision, for programs.
#[derive(Debug, Serialize)]
struct DecisionReport {
    object: String,
    action: PermissionAction,
    user: String,
    allowed: bool,
    reasons: Vec<String>,
}

fn decide(action: PermissionAction, object: &str, user: &User, context: &Context) -> Result<Exit, CommandError> {
    let (store, caller) = (context.store()?, context.caller());
    let Decided { object, decided } = permissions::decide(&store, &caller, Question { user, action, object })?;
    let (allowed, reasons) = (decided.is_allowed(), reasons(&decided));
    if context.printer.json {
        let report = DecisionReport { object: object.to_string(), action, user: user.name.clone(), allowed, reasons };
        context.printer.json(&report)?;
    } else {
        let may = if allowed { "may" } else { "may not" };
        context.printer.result_line(format_args!("{} {may} {} {object}", printable(&user.name), shown(action)))?;
        for reason in reasons {
            context.printer.result_line(format_args!("  {reason}"))?;
        }
    }
    Ok(if allowed { Exit::Done } else { Exit::Refused })
}

/// Why it is so, a line for each permission that matters.
fn reasons(decided: &DecidedBy) -> Vec<String> {
    match decided {
        DecidedBy::Permissions(decision) => by_permissions(&decision.reason),
        DecidedBy::Kubernetes { attempt, verdict } => {
            let lets = if verdict.allowed { "lets" } else { "does not let" };
            let why = match verdict.reason.as_str() {
                "" => String::new(),
                reason => format!(": {}", printable(reason)),
            };
            vec![format!("Kubernetes {lets} it {}{why}", printable(attempt))]
        }
    }
}

fn by_permissions(reason: &Reason) -> Vec<String> {
    let silent = |(name, mismatch): &(String, Mismatch)| {
        let why = match mismatch {
            Mismatch::Type => "is about other types",
            Mismatch::Name => "is about other names",
            Mismatch::Pattern => "has a pattern that is no regular expression here, and so is about no name",
            Mismatch::Tags => "requires tags that the object does not have",
            Mismatch::Action => "allows other actions",
        };
        format!("{} {why}", printable(name))
    };
    match reason {
        Reason::Unruled(Unruled::Allow) => {
            vec!["there are no permissions: everybody who has a name may do everything".to_owned()]
        }
        Reason::Unruled(Unruled::Deny) => vec!["there are no permissions".to_owned()],
        Reason::Granted(name) => vec![format!("{} allows it", printable(name))],
        Reason::Refused(names) => {
            names.iter().map(|name| format!("{} is about it, for others", printable(name))).collect()
        }
        Reason::Unmentioned(all) => all.iter().map(silent).collect(),
    }
}

/// What nobody may do, for programs.
#[derive(Debug, Serialize)]
struct UnmentionedReport {
    name: String,
    kind: ObjectKind,
    unsecured_actions: Vec<PermissionAction>,
}

fn unmentioned(context: &Context) -> Result<Exit, CommandError> {
    let (store, caller) = (context.store()?, context.caller());
    let unmentioned = permissions::unmentioned(&store, &caller)?;
    let report = unmentioned.into_iter().map(|object| UnmentionedReport {
        name: object.object.name,
        kind: object.object.kind,
        unsecured_actions: object.actions,
    });
    let report: Vec<_> = report.collect();
    if context.printer.json {
        context.printer.json(&report)?;
    } else if report.is_empty() {
        context.printer.say("No object has an action that no permission is about, or there are no permissions");
    } else {
        let mut table = Table::new(["NAME", "TYPE", "ACTIONS THAT NO PERMISSION IS ABOUT"]);
        for object in report {
            let actions: Vec<_> = object.unsecured_actions.iter().copied().map(shown).collect();
            table.row([printable(&object.name).into_owned(), object.kind.to_string(), actions.join(", ")]);
        }
        context.printer.result(table)?;
    }
    Ok(Exit::Done)
}

/// A permission that names a role, for programs.
#[derive(Debug, Serialize)]
struct RoleReport {
    role: String,
    permission: String,
}

fn roles(context: &Context) -> Result<Exit, CommandError> {
    let (store, caller) = (context.store()?, context.caller());
    let roles = permissions::roles(&store, &caller)?;
    if context.printer.json {
        let report = roles.into_iter().map(|named| RoleReport { role: named.role, permission: named.permission });
        context.printer.json(&report.collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    if roles.is_empty() {
        context.printer.say("No permission names a role");
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["ROLE", "PERMISSION"]);
    for named in roles {
        table.row([named.role, named.permission].map(|cell| printable(&cell).into_owned()));
    }
    context.printer.result(table)?;
    Ok(Exit::Done)
}
