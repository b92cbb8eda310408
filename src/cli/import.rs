use std::path::PathBuf;

use serde_json::{Value, json};

use super::{
    CommandError, Context,
    context::display_path,
    exit::{self, Exit},
    origin::From,
};
use crate::{
    app::import::{Check, Imported, Request, Sketched, import},
    diagnostics::{Level, counted},
    model::{ForeignObject, printable},
    ui::draw_diagnostics,
};

/// Write the registry's objects as definitions
///
/// One file per kind of object, all of them or none. What YAML cannot express stays in the registry:
/// plan and apply leave it alone. The files are read back and compared with the registry before they
/// are put in place.
#[derive(Debug, clap::Args)]
#[command(after_help = format!(
    "Examples:\n  feastr import\n  feastr import --from sqlite:////srv/feast/registry.db --project demo\n  \
     feastr import --output definitions --force\n\n{}",
    exit::listed(&[
        (Exit::Done, "plan shows no change"),
        (Exit::Failed, "error"),
        (Exit::Changes, "plan shows changes or findings (whether the data of sources is there is not looked at)"),
    ]),
))]
pub(crate) struct Args {
    #[command(flatten)]
    from: From,
    /// The folder of the files [default: the repo's]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Overwrite files that exist
    #[arg(long)]
    force: bool,
    /// Write views of Python functions as views of SQL expressions where these give equal values. The registry has
    /// them so only after an apply; without it they are shown in comments
    #[arg(long)]
    translate_python: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let store = context.store()?;
    let (project, snapshot) = args.from.snapshot(context)?;
    let folder = args.output.as_ref().map_or_else(|| store.config().repo.clone(), |folder| context.target(folder));
    let request = Request {
        project: &project,
        snapshot: &snapshot,
        folder: &folder,
        translate: args.translate_python,
        replace: args.force,
        display_path: &display_path,
    };
    let imported = import(&store, &context.caller(), request)?;
    if !imported.others.is_empty() {
        let names: Vec<String> = imported.others.iter().map(|path| display_path(path).display().to_string()).collect();
        context.printer.warn(format_args!("the repo has other definitions, too: {}", names.join(", ")));
        context.printer.help("remove what is now declared twice, or write elsewhere with --output");
    }
    report(imported, context)
}

fn as_json(sketched: &Sketched) -> Value {
    let Sketched { id, reason } = sketched;
    json!({ "id": id, "translatable": reason.is_none(), "reason": reason })
}

/// What stays in the registry, and what comments show of it.
fn say_kept(kept: &[ForeignObject], sketched: &[Sketched], context: &Context) {
    let printer = context.printer;
    if !kept.is_empty() {
        printer.say("\nYAML cannot express these; they stay in the registry, and plan and apply leave them alone:");
    }
    for kept in kept {
        let known = match sketched.iter().find(|sketched| sketched.id == kept.id) {
            None => String::new(),
            Some(Sketched { reason: None, .. }) => "; SQL can compute it".to_owned(),
            Some(Sketched { reason: Some(reason), .. }) => format!("; {}", printable(reason)),
        };
        printer.say(format_args!("  {}: {}{known}", kept.id, kept.reason));
    }
    if !sketched.is_empty() {
        printer
            .say("Comments in on_demand_feature_views.yaml show Python functions, and their SQL as far as it is known");
    }
    if sketched.iter().any(|sketched| sketched.reason.is_none()) {
        printer.help("with --translate-python those that SQL can compute are written as definitions");
    }
}

fn report(imported: Imported, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let Imported { files, kept, translated, sketched, check, others } = imported;
    let (changes, refused) = match check {
        Check::Changes(changes) => (changes, None),
        Check::Refused(diagnostics) => {
            let mut found = diagnostics.into_sorted();
            // The files are written all the same: these are errors of the next plan.
            found.iter_mut().for_each(|found| found.level = Level::Warning);
            (Vec::new(), Some(found))
        }
    };
    if printer.json {
        printer.json(&json!({
            "files": files.iter().map(|(path, count)| json!({ "path": path, "objects": count })).collect::<Vec<_>>(),
            "kept": kept,
            "translated": translated,
            "sketched": sketched.iter().map(as_json).collect::<Vec<_>>(),
            "changes": changes,
            "findings": refused.iter().flatten().map(|found| &found.message).collect::<Vec<_>>(),
        }))?;
    } else {
        for (path, count) in &files {
            let objects = if *count == 0 { "comments".to_owned() } else { counted(*count, "object") };
            printer.result_line(format_args!("Wrote {} ({objects})", display_path(path).display()))?;
        }
    }
    say_kept(&kept, &sketched, context);
    let is_clean = changes.is_empty() && refused.is_none();
    let (of_translated, changes): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| translated.contains(&change.id));
    if !of_translated.is_empty() {
        printer.say("\nTranslated from Python to SQL; plan shows them as changes until they are applied:");
        for change in &of_translated {
            printer.say(format_args!("  {}", change.id));
        }
    }
    if let Some(found) = refused {
        printer.warn(if others.is_empty() {
            "the registry holds what definitions may not say; plan refuses these files until they are corrected"
        } else {
            "plan refuses the repo's definitions until they are corrected"
        });
        printer.stderr(draw_diagnostics(&found, printer.err));
    }
    if !changes.is_empty() {
        printer.warn(if others.is_empty() {
            "the registry holds copies that differ from their originals; plan will show"
        } else {
            "the repo's definitions are not what the registry holds; plan will show"
        });
        for change in &changes {
            printer.say(format_args!("  {} {}", change.action.verb(), change.id));
        }
    }
    Ok(if is_clean { Exit::Done } else { Exit::Changes })
}
