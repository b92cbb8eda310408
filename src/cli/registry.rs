use clap::Subcommand;
use serde_json::json;

use super::{CommandError, Context, Exit, origin::Origin, registry_log};
use crate::{
    app::copy::{self, Request},
    diagnostics::counted,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Copy a project from one registry to another, with its history
    ///
    /// Rows are copied byte for byte, in one transaction. Under another name the project has no online
    /// values yet: apply creates its tables, and its views count as never materialized.
    #[command(after_help = "Examples:\n  \
        feastr registry copy data/registry.db postgresql://feast@db/feast\n  \
        feastr registry copy repos/staging repos/production --force\n  \
        feastr registry copy sqlite:///r.db sqlite:///r.db --project demo --to-project trial")]
    Copy(Copy),
    /// Create the registry's tables, as far as they are missing
    ///
    /// For databases in which the account that runs feastr later may not create tables.
    CreateSchema,
    /// Show who changed which objects of the project, the newest first
    ///
    /// What apply, teardown, `registry copy` and `saved-datasets create` of feastr do is noted, and what is done through
    /// `feastr serve-registry`; Python Feast's applies to the database are not. With --json each change has the plan that was
    /// carried out.
    #[command(
        after_help = "Examples:\n  feastr registry log\n  feastr registry log driver_hourly_stats --since -7d\n  \
                            feastr registry log --kind feature-view --json | jq '.[0].plan.changes[].action'"
    )]
    Log(registry_log::Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Copy {
    /// A URL, a file, the folder of a feature repo, or a settings file as with -f
    #[arg(value_name = "FROM")]
    from: String,
    /// A URL, a file, the folder of a feature repo, or a settings file as with -f
    #[arg(value_name = "TO")]
    to: String,
    /// The project to copy [default: that of the repo FROM, or the only one there is]
    #[arg(long)]
    project: Option<String>,
    /// Its name at the target [default: the same]
    #[arg(long, value_name = "PROJECT")]
    to_project: Option<String>,
    /// Replace what the project holds at the target; online values of views and features that go are
    /// removed by the next apply there
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<Exit, CommandError> {
    match command {
        Command::Copy(args) => copy(args, context),
        Command::CreateSchema => create_schema(context),
        Command::Log(args) => registry_log::run(args, context),
    }
}

fn copy(args: &Copy, context: &Context) -> Result<Exit, CommandError> {
    let origin = Origin::at(&args.from, context)?;
    let (from, to) = (origin.open(context), Origin::at(&args.to, context)?.open(context));
    let project = origin.project(args.project.as_deref(), from.as_ref(), context)?;
    let target = args.to_project.as_deref().unwrap_or(&project);
    let request = Request {
        from: from.as_ref(),
        project: &project,
        to: to.as_ref(),
        to_project: target,
        replace: args.force,
        now: context.now,
    };
    let copied = copy::copy(&context.caller(), request)?;
    if context.printer.json {
        let objects: serde_json::Map<_, _> =
            copied.objects.iter().map(|(kind, count)| (kind.slug(), json!(count))).collect();
        context.printer.json(&json!({
            "from": { "registry": from.location(), "project": project },
            "to": { "registry": to.location(), "project": target },
            "objects": objects,
            "versions": copied.versions,
            "leftovers": copied.leftovers,
        }))?;
    } else {
        for (kind, count) in &copied.objects {
            context.printer.result_line(format_args!("Copied {}", counted(*count, kind.as_str())))?;
        }
        let versions = counted(copied.versions, "version");
        context.printer.result_line(format_args!("Copied {versions} of views\n"))?;
        context.printer.result_line(format_args!("Project {target} is in {}", to.location()))?;
    }
    if !copied.leftovers.is_empty() {
        context.printer.say(format_args!(
            "Online values of {} are left there; the next apply or `feastr online cleanup` removes them",
            copied.leftovers.join(", ")
        ));
    }
    Ok(Exit::Done)
}

fn create_schema(context: &Context) -> Result<Exit, CommandError> {
    let store = context.store()?;
    copy::create_schema(&store, &context.caller())?;
    context.printer.say(format_args!("The registry {} has its tables", store.registry().location()));
    Ok(Exit::Done)
}
