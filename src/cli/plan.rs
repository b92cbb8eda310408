use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{CommandError, Context, checks::Checks};
use crate::{
    apply::ApplyError,
    config::variables,
    model::Repo,
    online::{OnlineStore, RecordedTables},
    plan::{Allow, Permission, Plan, Setting, diff},
    registry::state,
    sink::Target,
    ui::{PlanStage, PlanView, Verbosity, annotations, draw_markdown, draw_plan},
};

/// Show what apply would change
///
/// Reads the definitions and the registry and changes nothing. After the changes it says what they
/// break, what is lost, what must be materialized again, and what apply would refuse.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  feastr plan\n  feastr plan --json | jq '.changes[].id'\n  \
                        feastr plan --detailed-exitcode || echo changes\n  \
                        feastr plan --out plan.json && feastr apply plan.json\n  \
                        feastr plan --format markdown > comment.md\n\n\
                        Exit codes: 0 done, 1 error, 2 changes (with --detailed-exitcode), 3 apply would \
                        refuse: a change needs permission, an object is protected or of another repo")]
pub struct Args {
    #[command(flatten)]
    checks: Checks,
    /// Exit with 2 when there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// How the plan is shown; github marks lines of a pull request and adds to the step's summary
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Also save the plan, for `feastr apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A breaking or destructive change that is wanted, such as delete:feature-view/x; `*` stands
    /// for any text
    #[arg(long, value_name = "[ACTION:]KIND/NAME")]
    allow: Vec<Allow>,
}

/// The forms of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
    Markdown,
    Github,
}

pub fn run(args: &Args, context: &Context) -> Result<ExitCode, CommandError> {
    let printer = context.printer;
    let repo = context.repo(args.checks)?;
    let plan = plan(&repo, context)?;
    if let Some(path) = &args.out {
        save(&plan, &context.target(path))?;
    }
    let view = PlanView { plan: &plan, stage: PlanStage::Planned, permission: Permission::Named(&args.allow) };
    match args.format {
        _ if printer.json => printer.result_line(json(&plan)?)?,
        Format::Text => printer.result(draw_plan(&view, printer.out, printer.verbosity >= Verbosity::Verbose))?,
        Format::Json => printer.result_line(json(&plan)?)?,
        Format::Markdown => printer.result(draw_markdown(&view))?,
        Format::Github => {
            printer.result(annotations(&view, &path_in_checkout))?;
            add_to_summary(&draw_markdown(&view), context)?;
        }
    }
    Ok(match () {
        () if !plan.blocked(view.permission).is_empty() => ExitCode::from(CommandError::BLOCKED),
        () if args.detailed_exitcode && !plan.is_empty() => ExitCode::from(2),
        () => ExitCode::SUCCESS,
    })
}

/// The plan for the registry as it is now.
pub fn plan(repo: &Repo, context: &Context) -> Result<Plan, CommandError> {
    let config = context.config()?;
    let online = context.online()?;
    let snapshot = context.registry_to_read()?.snapshot(&repo.project.name)?;
    let tables = online.as_deref().and_then(OnlineStore::recorded_tables).map(RecordedTables::layout);
    let setting = Setting { repo_name: config.repo_name.as_deref(), online: tables };
    Ok(diff(&state(&snapshot), repo, setting).map_err(ApplyError::Conflicts)?)
}

/// The JSON form of a plan.
pub fn json(plan: &Plan) -> Result<String, CommandError> {
    plan.to_json().map_err(|error| io::Error::other(error).into())
}

/// Writes a plan to a file that is there when it is complete.
fn save(plan: &Plan, path: &Path) -> Result<(), CommandError> {
    let text = json(plan)?;
    let write = || {
        let mut target = Target::file(path)?;
        target.write_all(text.as_bytes())?;
        target.write_all(b"\n")?;
        target.finish()
    };
    write().map_err(|error: io::Error| CommandError::new(format!("cannot write {}: {error}", path.display()), None))
}

/// A file as GitHub calls it: from the checkout's folder, wherever the program was started in it.
fn path_in_checkout(path: &Path) -> PathBuf {
    let checkout = std::env::var_os(variables::GITHUB_WORKSPACE).and_then(|folder| std::fs::canonicalize(folder).ok());
    let inside = checkout.zip(std::path::absolute(path).ok());
    let relative = inside.and_then(|(checkout, path)| path.strip_prefix(checkout).ok().map(Path::to_owned));
    relative.unwrap_or_else(|| path.to_owned())
}

/// Adds a text to the summary that GitHub shows for the running step.
fn add_to_summary(text: &str, context: &Context) -> Result<(), CommandError> {
    let name = variables::GITHUB_STEP_SUMMARY;
    let Some(path) = std::env::var_os(name).filter(|path| !path.is_empty()) else {
        context.printer.warn(format_args!("{name} is not set, so there is no summary; GitHub Actions sets it"));
        return Ok(());
    };
    let add = || OpenOptions::new().append(true).create(true).open(&path)?.write_all(text.as_bytes());
    add().map_err(|error| {
        CommandError::new(format!("cannot write {} ({name}): {error}", Path::new(&path).display()), None)
    })
}
