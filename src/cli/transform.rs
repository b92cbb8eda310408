use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    CommandError, Context,
    exit::{self, Exit},
    origin::From,
};
use crate::{
    app::transform::{Transformed, Verdict, check},
    model::printable,
    ui::Table,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show which on-demand, batch and stream views feastr can compute, and why it cannot compute the others
    ///
    /// SQL is computed by feastr and by Python Feast, a Python function by Python Feast alone. What import can
    /// translate to SQL, with equal values, is said.
    #[command(after_help = format!(
        "Examples:\n  feastr transform check\n  feastr transform check --from sqlite:////srv/feast/registry.db \
         --detailed-exitcode\n\n{}",
        exit::listed(&[
            (Exit::Done, "done"),
            (Exit::Failed, "error"),
            (Exit::Changes, "with --detailed-exitcode: some view cannot be computed"),
        ]),
    ))]
    Check(Check),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    from: From,
    /// Exit with 2 if feastr cannot compute all of them
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<Exit, CommandError> {
    let Command::Check(args) = command;
    let (project, snapshot) = args.from.snapshot(context)?;
    let views = check(&context.store()?, &context.caller(), &snapshot)?;
    let printer = context.printer;
    if printer.json {
        printer.json(&json!({ "project": project, "views": views.iter().map(as_json).collect::<Vec<_>>() }))?;
    } else if views.is_empty() {
        printer.say(format_args!("Project {project} has no views that are computed"));
    } else {
        printer.result(draw(&views))?;
    }
    let all = views.iter().all(|view| matches!(view.verdict, Verdict::Computed(_)));
    Ok(if args.detailed_exitcode && !all { Exit::Changes } else { Exit::Done })
}

fn draw(views: &[Transformed]) -> String {
    let mut table = Table::new(["VIEW", "KIND", "COMPUTED", "WHY"]);
    for Transformed { id, verdict } in views {
        let computed = if matches!(verdict, Verdict::Computed(_)) { "yes" } else { "no" };
        let cells = [&id.name, &id.kind.to_string(), computed, &why(verdict)].map(|cell| printable(cell).into_owned());
        table.row(cells);
    }
    table.to_string()
}

fn why(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Computed(how) => (*how).to_owned(),
        Verdict::Translatable => {
            "it is a Python function; `feastr import --translate-python` makes SQL of it".to_owned()
        }
        Verdict::No(reason) => reason.clone(),
    }
}

fn as_json(view: &Transformed) -> Value {
    let (how, reason) = match &view.verdict {
        Verdict::Computed(how) => (Some(how), None),
        Verdict::Translatable => (None, None),
        Verdict::No(reason) => (None, Some(reason)),
    };
    json!({
        "kind": view.id.kind,
        "name": view.id.name,
        "computed": how.is_some(),
        "how": how,
        "translatable": view.verdict == Verdict::Translatable,
        "reason": reason,
    })
}
