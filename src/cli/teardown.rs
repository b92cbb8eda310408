use super::{
    CommandError, Context,
    exit::{self, Exit},
    question::{agreed, somebody_is_there},
};
use crate::{
    app::teardown::{self, Request},
    plan::Allow,
    ui::Printer,
};

/// Remove this project from the registry and the online store
///
/// Other projects of the same registry stay as they are. Protected objects are in the way, and so
/// are those of repos with another name.
#[derive(Debug, clap::Args)]
#[command(after_help = format!(
    "Examples:\n  feastr teardown\n  feastr teardown --yes\n  feastr teardown --allow 'delete:*/*'\n\n{}",
    exit::listed(&[
        (Exit::Done, "done"),
        (Exit::Failed, "error"),
        (Exit::Refused, "a protected object or an object of another repo is in the way"),
    ]),
))]
pub(crate) struct Args {
    /// An object of another repo that shall go, too, such as delete:feature-view/x; `*` stands for
    /// any text
    #[arg(long, value_name = "[ACTION:]KIND/NAME")]
    allow: Vec<Allow>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let (store, caller) = (context.store()?, context.caller());
    let (project, request) = (store.project(), Request { allowed: &args.allow });
    let summary = teardown::summary(&store, &caller, request)?;
    if summary.is_empty() {
        printer.say(format_args!("Project {} is not in the registry; nothing to remove", project));
        return Ok(Exit::Done);
    }
    printer.say(format_args!("Project {} has:", printer.err.strong(project)));
    for (kind, count) in &summary.objects {
        printer.say(format_args!("  {count} × {kind}"));
    }
    for table in &summary.tables {
        printer.say(format_args!("  online table {table}"));
    }
    for view in &summary.views {
        printer.say(format_args!("  online values of {view}"));
    }
    if summary.blocked.is_empty() && !args.yes && !confirmed(project, printer)? {
        return Err(CommandError::new("nothing was removed", None));
    }
    teardown::teardown(&store, &caller, request)?;
    if printer.json {
        printer.json(&summary)?;
    }
    printer.say(format_args!("Removed project {}", project));
    Ok(Exit::Done)
}

fn confirmed(project: &str, printer: Printer) -> Result<bool, CommandError> {
    if !somebody_is_there() {
        return Err(CommandError::new(
            "removing a project needs a yes",
            "use --yes where nobody can be asked".to_owned(),
        ));
    }
    Ok(agreed(&format!("Remove project {project} from the registry and the online store?"), printer)?)
}
