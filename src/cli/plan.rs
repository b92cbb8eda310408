//! `feastr plan`: in which form a plan is shown and where it goes, on a terminal, in GitHub Actions and in files.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{
    CommandError, Context,
    exit::{self, Exit},
    output_file::output_file,
    skipped_checks::SkippedChecks,
    source_listing,
};
use crate::{
    app::plan::plan,
    config::variables,
    plan::{Allow, Consent, FORMAT_VERSION, Plan},
    sink::Target,
    ui::{
        PlanFinding, PlanStage, PlanView, Verbosity, annotations, draw_markdown, draw_plan, findings_as_annotations,
        findings_in_markdown,
    },
};

/// Show what apply would change
///
/// Reads the definitions and the registry and changes nothing. After the changes it says what they
/// break, what is lost, what must be materialized again, and what apply would refuse.
#[derive(Debug, clap::Args)]
#[command(after_help = format!(
    "Examples:\n  feastr plan\n  feastr plan --json | jq '.changes[].id'\n  \
     feastr plan --detailed-exitcode || echo changes\n  \
     feastr plan --out plan.json && feastr apply plan.json\n  \
     feastr plan --format markdown > comment.md\n\n{}",
    exit::listed(&[
        (Exit::Done, "done"),
        (Exit::Failed, "error"),
        (Exit::Changes, "changes (with --detailed-exitcode)"),
        (Exit::Refused, "apply would refuse: a change needs permission, an object is protected or of another repo"),
    ]),
))]
pub(crate) struct Args {
    #[command(flatten)]
    checks: SkippedChecks,
    /// Exit with 2 when there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// How the plan is shown; github marks lines of a pull request and adds to the step's summary
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Also save the plan, for `feastr apply FILE`
    #[arg(long, value_name = "FILE", value_parser = output_file)]
    out: Option<PathBuf>,
    /// A breaking or destructive change that is wanted, such as delete:feature-view/x; `*` stands
    /// for any text
    #[arg(long, value_name = "[ACTION:]KIND/NAME")]
    allow: Vec<Allow>,
}

/// The forms of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Markdown,
    Github,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let format = format(args, context)?;
    let made = context.store().and_then(|store| {
        let repo = context.repo(&store, args.checks)?;
        Ok((plan(&store, &context.caller(), &repo)?, repo, store))
    });
    let (plan, repo, store) = match made {
        Ok(made) => made,
        Err(error) => {
            show_findings(&error.findings(), format, context)?;
            return Err(error);
        }
    };
    if let Some(path) = &args.out {
        save(&plan, &context.target(path))?;
    }
    let printer = context.printer;
    let view = PlanView { plan: &plan, stage: PlanStage::Planned, consent: Consent::Named(&args.allow) };
    match format {
        Format::Text => {
            let verbose = printer.verbosity >= Verbosity::Verbose;
            if verbose && !args.checks.skip_source_validation {
                printer.result(source_listing::draw(&repo, &store))?;
            }
            printer.result(draw_plan(&view, printer.out, verbose))?;
        }
        Format::Json => printer.result_line(json(&plan)?)?,
        Format::Markdown => printer.result(draw_markdown(&view))?,
        Format::Github => {
            printer.result(annotations(&view, &path_in_checkout))?;
            add_to_summary(&draw_markdown(&view), context)?;
        }
    }
    Ok(match () {
        () if !plan.blocked(view.consent).is_empty() => Exit::Refused,
        () if args.detailed_exitcode && !plan.is_empty() => Exit::Changes,
        () => Exit::Done,
    })
}

/// The form that is asked for, in either way.
fn format(args: &Args, context: &Context) -> Result<Format, CommandError> {
    match (args.format, context.printer.json) {
        (None | Some(Format::Json), true) => Ok(Format::Json),
        (Some(_), true) => {
            Err(CommandError::new("--json and --format ask for different forms", "leave one out".to_owned()))
        }
        (format, false) => Ok(format.unwrap_or(Format::Text)),
    }
}

/// Why there is no plan, in forms that go where nobody reads stderr.
fn show_findings(findings: &[PlanFinding], format: Format, context: &Context) -> Result<(), CommandError> {
    let printer = context.printer;
    match format {
        _ if findings.is_empty() => {}
        Format::Text => {}
        Format::Json => printer.json(&serde_json::json!({"format_version": FORMAT_VERSION, "findings": findings}))?,
        Format::Markdown => printer.result(findings_in_markdown(findings))?,
        Format::Github => {
            printer.result(findings_as_annotations(findings))?;
            add_to_summary(&findings_in_markdown(findings), context)?;
        }
    }
    Ok(())
}

/// The JSON form of a plan.
pub(crate) fn json(plan: &Plan) -> Result<String, CommandError> {
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
